"""Reading a game's facts on from a cursor: in order, each at least once, none passed over."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from accounts.selectors import GameInfo
from analytics.stream.known import look_up
from analytics.stream.lines import TOLD, VERSION, lines_of
from analytics.stream.positions import BEGINNING, CursorTooOld, Position, fact_uuid, seal
from core import reopening
from core.clock import rfc3339
from core.facts import READ_ITEMS, Fact, Stretch, read_game
from core.rendering import dumps

# A request has 2.2 s. What is read by then is answered, with a cursor that goes on there.
BUDGET_S: Final = 1.2


@dataclass(frozen=True, slots=True)
class Part:
    """Some facts of a game.

    Attributes:
        lines: one for each, with its end.
        after: where to go on: after the last line, or further where others' facts were passed by.
        log: the number of the log that was read.
        has_more: whether there may be more by now.
        kept_from: since when all facts are kept.

    """

    lines: list[bytes]
    after: Position
    log: int
    has_more: bool
    kept_from: datetime


def read(game: GameInfo, since: Position | None, *, limit: int, budget_s: float = BUDGET_S) -> Part:
    """Return at most `limit` facts after `since`, or from the beginning of what is kept.

    It walks the log for `budget_s` at most, each step in a transaction of its own.

    Raises:
        CursorTooOld: there would be a gap.

    """
    until = time.monotonic() + budget_s
    log = reopening.logs()[-1][0]
    after, lines = since or BEGINNING, list[bytes]()
    while True:
        stretch = read_game(
            game.studio_id,
            game.id,
            after=after.before,
            kinds=TOLD,
            items=min(READ_ITEMS, limit - len(lines)),
        )
        kept_from = max(stretch.kept_from or game.created_at, game.created_at)
        dropped = Position(stretch.dropped_tx, stretch.dropped_id)
        if after.before < dropped.before or after.tx > stretch.horizon:
            if since is not None and not lines:
                raise _too_old(kept_from)
            if lines:  # a day was dropped just now: who comes with this cursor is told so
                return Part(lines, after, log, True, kept_from)
            after = since = dropped
            continue
        if not stretch.facts:
            return Part(lines, Position(stretch.horizon, 0), log, False, kept_from)
        for line, place in _lines(stretch, game, after, log=log):
            lines.append(line)
            after = place
            if len(lines) == limit:
                return Part(lines, after, log, True, kept_from)
        after = Position(stretch.facts[-1].tx, stretch.facts[-1].id)
        if time.monotonic() > until:
            return Part(lines, after, log, True, kept_from)


def _lines(
    stretch: Stretch, game: GameInfo, after: Position, *, log: int
) -> Iterator[tuple[bytes, Position]]:
    """Yield the lines of a stretch that come after a position, each with its own."""
    heard = [fact for fact in stretch.facts if fact.is_heard]
    known = look_up(heard, studio_id=game.studio_id)
    for fact in heard:
        told = list(lines_of(fact, known))
        for number, (place, kind, data) in enumerate(told, start=1):
            if not after.is_past(fact, place):
                position = (
                    Position(fact.tx, fact.id, place) if number < len(told) else Position(fact.tx, fact.id)
                )
                yield _line(fact, place, kind, data, seal(position, game.uuid, log=log)), position


def _line(fact: Fact, place: int, kind: str, data: dict[str, Any], cursor: str) -> bytes:
    head = {
        "v": VERSION,
        "id": fact_uuid(fact, place),
        "kind": kind,
        "at": rfc3339(fact.at),
        "cursor": cursor,
    }
    return dumps(head | data) + b"\n"


def _too_old(kept_from: datetime) -> CursorTooOld:
    return CursorTooOld(
        f"What comes after this cursor is not all kept any more: the log begins at {rfc3339(kept_from)}. Read again "
        "without `since` from there; what lies between is lost to you here."
    )
