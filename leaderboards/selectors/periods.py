"""Which periods a board has."""

import re
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db.models import QuerySet

from core.db import lending
from leaderboards import standings
from leaderboards.models import Period, PeriodState
from leaderboards.selectors.definitions import BoardInfo


@dataclass(frozen=True, slots=True)
class PeriodInfo:
    """A period; `id` is None while nobody has scored in it, so that nothing is stored of it yet.

    Attributes:
        name: its id in the API.
        standings_hash: SHA-256 over the final standings' CSV, None before they are final.

    """

    id: int | None
    span: str
    name: str
    starts_at: datetime | None
    ends_at: datetime | None
    state: str
    players: int | None = None
    finalised_at: datetime | None = None
    standings_hash: bytes | None = None

    @property
    def hash(self) -> str:
        """The hash as people compare it; empty before it is final."""
        return self.standings_hash.hex() if self.standings_hash else ""


KEPT_S = 1.0  # how old what is said of a period may be
_MOST_KNOWN = 20_000
_NAME = re.compile(r"[0-9A-Za-z-]{1,20}")  # every period's id looks so (leaderboards/rules/periods.py)
_known: dict[tuple[int, int, str], tuple[float, PeriodInfo]] = {}


def forget() -> None:
    """Empty what this process keeps (after a change here, and between tests)."""
    _known.clear()


def current(board: BoardInfo, span: str, *, at: datetime) -> PeriodInfo:
    """Return the period of a span that a moment lies in."""
    window = board.window(span, at)  # type: ignore[arg-type]
    return named(board, window.id) or PeriodInfo(
        None, span, window.id, window.starts_at, window.ends_at, PeriodState.OPEN
    )


def main_periods(boards: Iterable[BoardInfo], *, at: datetime) -> dict[int, PeriodInfo]:
    """Return the present period of each board's main span by board, in one query; without those nobody scored in."""
    names = {board.id: board.window(board.main_span, at).id for board in boards}
    rows = Period.objects.filter(leaderboard_id__in=names, name__in=set(names.values()))
    rows = rows.exclude(state=PeriodState.DISCARDED).order_by("epoch")
    return {row.leaderboard_id: info_of(row) for row in rows if row.name == names[row.leaderboard_id]}


def by_id(ids: Iterable[int]) -> dict[int, PeriodInfo]:
    """Return periods of any boards by internal id, in one query."""
    return {row.pk: info_of(row) for row in Period.objects.filter(pk__in=set(ids))}


def previous(board: BoardInfo, span: str, *, at: datetime) -> PeriodInfo | None:
    """Return the newest period of a span before the present one that anybody scored in."""
    starts_at = board.window(span, at).starts_at  # type: ignore[arg-type]
    if starts_at is None:
        return None
    row = _kept(board).filter(span=span, starts_at__lt=starts_at).order_by("-starts_at", "-epoch").first()
    return None if row is None else info_of(row)


def named(board: BoardInfo, name: str) -> PeriodInfo | None:
    """Return a period by its id in the API; None if nobody scored in it."""
    if not _NAME.fullmatch(name):
        return None  # what anybody may write in an address
    key, now = (board.id, board.epoch, name), time.monotonic()
    since, found = _known.get(key, (float("-inf"), None))
    if found is None or now - since > KEPT_S:
        row = _kept(board).filter(name=name).order_by("-epoch").first()
        if row is None:
            return None  # whoever scores in it first is seen at once
        found = info_of(row)
        if len(_known) >= _MOST_KNOWN:
            _known.clear()
        _known[key] = now, found
    return found


def kept(board: BoardInfo, *, before_id: int | None = None, limit: int) -> list[PeriodInfo]:
    """Return a board's periods, newest first, from before a row on."""
    rows = _kept(board)
    if before_id is not None:
        rows = rows.filter(pk__lt=before_id)
    return [info_of(row) for row in rows.order_by("-id")[:limit]]


def standings_file(board: BoardInfo, period_id: int) -> Iterator[bytes]:
    """Yield the final standings of a period as a CSV file, in pieces."""
    listed = standings.lines(period_id, tie_break=board.tie_break, sort=board.sort)
    return lending(standings.as_csv(listed, decimals=board.decimals))


def _kept(board: BoardInfo) -> QuerySet[Period]:
    return Period.objects.filter(leaderboard_id=board.id).exclude(state=PeriodState.DISCARDED)


def info_of(row: Period) -> PeriodInfo:
    """Return a row as others see it."""
    return PeriodInfo(
        id=row.pk,
        span=row.span,
        name=row.name,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        state=row.state,
        players=row.players,
        finalised_at=row.finalised_at,
        standings_hash=bytes(row.standings_hash) if row.standings_hash else None,
    )
