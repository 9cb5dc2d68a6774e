"""Every write of what players hold: the checks of what stats declare, then what each report makes of what is held."""

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.module_loading import import_string

from accounts.selectors import GameInfo
from accounts.services import create_players
from core.clock import microseconds
from core.db import LostRace, retry_conflicts
from core.group_commit import GroupCommit
from core.ids import new_id
from core.refusals import Conflict, Forbidden, Invalid, NotFound, Refused, Unavailable, pointer
from stats import weighing
from stats.models import Authority
from stats.rules import values as rules
from stats.rules.values import Op
from stats.selectors import definitions
from stats.selectors.definitions import StatInfo
from stats.weighing import Change, Consequence, Item, Outcome, Result

AHEAD = timedelta(minutes=5)
EARLIEST = datetime(1980, 1, 1, tzinfo=UTC)
_ROUNDS = 4  # each time that a stat changed meanwhile costs one more
_RACES = 12  # lost against others who are first to report a stat of somebody


@dataclass(frozen=True, slots=True)
class ReportRequest:
    """A report as it was sent: by the stats' keys, how and by how much; an event that is named counts once."""

    game: GameInfo
    player: str
    stats: Mapping[str, tuple[Op, Decimal]]
    event_id: UUID | None = None
    reported_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Caller:
    """What the sender may do: a game's server, or a player's own device."""

    is_player: bool = False


@dataclass(frozen=True, slots=True)
class Reported:
    """What a report came to; `stats` by key, as they were sent.

    `status` is `reported`, `already_reported` for an event that was heard before, or `rejected` if nothing was taken.
    """

    status: str
    event_id: UUID
    stats: Mapping[str, Result]


SERVER = Caller()


@dataclass(frozen=True, slots=True)
class _Checked:
    """A report with the changes that fit what the stats declare, and by key why the others don't."""

    item: Item
    refused: dict[str, Refused] = field(default_factory=dict)


def report(*, request: ReportRequest, by: Caller, at: datetime) -> Reported:
    """Record one report, together with those that wait in this process at the moment.

    Raises:
        Refused: see `report_many`.

    Publishes:
        StatsChanged, when the player holds other values afterwards.

    """
    result = report_many(requests=[request], by=by, at=at)[0]
    if isinstance(result, Refused):
        raise result
    return result


def report_many(*, requests: Sequence[ReportRequest], by: Caller, at: datetime) -> list[Reported | Refused]:
    """Record a batch in one commit, in its order; return for each what it came to, or why all of it is refused.

    A report is refused for a time that can't be, an event of another player, a banned or erased player. One of its
    stats is refused, and the others are taken, if it is unknown, archived, not the caller's to report, or breaks a
    guard.

    Publishes:
        StatsChanged, for each game of which anybody holds other values afterwards.

    """
    results: list[Reported | Refused | None] = [None] * len(requests)
    open_items = list(range(len(requests)))
    for attempt in range(_ROUNDS):
        checked = _check([requests[index] for index in open_items], by=by, at=at, fresh=attempt > 0)
        items = [one.item for one in checked if isinstance(one, _Checked) and one.item.changes]
        outcomes = iter(_record(items, is_batch=len(requests) > 1))
        for index, one in zip(open_items, checked, strict=True):
            if isinstance(one, Refused):
                results[index] = one
            else:
                outcome = next(outcomes) if one.item.changes else Outcome()
                results[index] = _result(requests[index], one, outcome)
        open_items = [index for index in open_items if results[index] is None]
        if not open_items:
            break
    busy = Unavailable("The game's stats are changing right now. Send it again.")
    return [result or busy for result in results]


def _check(
    requests: Sequence[ReportRequest], *, by: Caller, at: datetime, fresh: bool
) -> list[_Checked | Refused]:
    """Check requests by kept definitions; never say no by those: they may have changed in another process."""
    game_ids = {request.game.id for request in requests}
    known = {pk: definitions.fresh_stats(pk) if fresh else definitions.stats(pk) for pk in game_ids}
    checked = [_checked(known[request.game.id], request, by=by, at=at) for request in requests]
    if not fresh and any(isinstance(one, _Checked) and one.refused for one in checked):
        return _check(requests, by=by, at=at, fresh=True)
    return checked


def _checked(
    known: Mapping[str, StatInfo], request: ReportRequest, *, by: Caller, at: datetime
) -> _Checked | Refused:
    told = request.reported_at
    if told is not None and not EARLIEST <= told <= at + AHEAD:
        return Invalid.value(
            "/reported_at", "Lies before 1980 or more than 5 minutes ahead of the platform's clock."
        )
    changes: list[Change] = []
    refused: dict[str, Refused] = {}
    for key, (op, amount) in request.stats.items():
        stat = known.get(key) or known.get(unicodedata.normalize("NFC", key))
        no = _refusal(stat, key, op=op, amount=amount, by=by)
        if no is None and stat is not None:
            changes.append(Change(stat, amount))
        elif no is not None:
            refused[key] = no
    item = Item(
        studio_id=request.game.studio_id,
        game_id=request.game.id,
        external_id=request.player,
        changes=tuple(changes),
        told_us=None if told is None else microseconds(told),
        event_id=request.event_id or new_id(),
        is_event_named=request.event_id is not None,
        is_of_device=by.is_player,
    )
    return _Checked(item, refused)


def _refusal(stat: StatInfo | None, key: str, *, op: Op, amount: Decimal, by: Caller) -> Refused | None:
    if stat is None:
        return NotFound("The game has no such stat.")
    if by.is_player and stat.authority != Authority.CLIENT:
        return Forbidden("Only a server key may report this stat: its authority is `server`.")
    if stat.archived:
        return Conflict("This stat is archived and takes no more reports.")
    try:
        rules.require_fit(stat.rule, op=op, amount=amount)
    except ValueError as error:
        return Invalid.value(pointer("stats", key), str(error))
    return None


def _record(items: Sequence[Item], *, is_batch: bool) -> list[Outcome]:
    if not items:
        return []
    if is_batch or transaction.get_connection().in_atomic_block:
        return _run(items)
    return [_group.submit(items[0])]


def _run(items: Sequence[Item]) -> list[Outcome]:
    """Weigh items in one transaction; again when another one was the first about a stat of a player."""
    for _ in range(_RACES):
        try:
            return retry_conflicts(lambda: _weighed(items))
        except LostRace:
            continue
    raise Unavailable("Too many reports of the same players at once. Send it again; repeating it is safe.")


def _weighed(items: Sequence[Item]) -> list[Outcome]:
    with transaction.atomic():
        return weighing.weigh_all(items, create_players=create_players, consequences=_consequences())


@cache
def _consequences() -> tuple[Consequence, ...]:
    return tuple(import_string(path) for path in settings.REPORT_CONSEQUENCES)


_group: GroupCommit[Item, Outcome] = GroupCommit(_run)


def _result(request: ReportRequest, checked: _Checked, outcome: Outcome) -> Reported | Refused | None:
    """Return what is told of an outcome; None for one that is to be checked again."""
    if outcome.refused is not None or outcome.is_outdated:
        return outcome.refused
    taken = iter(outcome.results)
    stats = {
        key: Result(refused=checked.refused[key]) if key in checked.refused else next(taken)
        for key in request.stats
    }
    status = "already_reported" if outcome.is_repeated else "reported"
    if not (outcome.is_repeated or outcome.is_recorded):
        status = "rejected"
    return Reported(status, checked.item.event_id, stats)
