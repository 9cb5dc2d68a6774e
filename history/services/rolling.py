"""What history hears: unlocks, revokes, values and playtime, added up in the player's own hours, days and so on."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db import transaction

from accounts import selectors as accounts
from accounts.erased import without_erased
from accounts.facts import PlayersErased, PlayersJoined
from achievements.facts import AchievementsRevoked, AchievementsUnlocked, UnlocksJoined
from core import clock, dead_letters
from core import facts as log
from core.clock import from_microseconds
from core.facts import Fact
from history import rollups
from history.buckets import LEVELS, Bucket, Level, every_bucket, split
from history.rollups import Changes
from stats.facts import PlaytimeAdded, StatsChanged, ValuesJoined

FOLLOWER = "history"
KINDS = frozenset(
    {
        AchievementsUnlocked.kind,
        AchievementsRevoked.kind,
        StatsChanged.kind,
        PlaytimeAdded.kind,
        PlayersJoined.kind,
        PlayersErased.kind,
        UnlocksJoined.kind,
        ValuesJoined.kind,
    }
)
_READ_AT_ONCE = 1_000
Zones = dict[int, ZoneInfo]
_ROWS = {
    AchievementsUnlocked.kind: ("unlocks",),
    AchievementsRevoked.kind: ("revokes",),
    StatsChanged.kind: ("values",),
    PlaytimeAdded.kind: ("played",),
    UnlocksJoined.kind: ("dropped",),
    ValuesJoined.kind: ("values",),
}


class _Kept:
    """The buckets of an instant that levels keep, reckoned once for all that happened within them."""

    def __init__(self, now: datetime) -> None:
        self._since = [rollups.first_kept(level, now=now) for level in LEVELS]
        self._known: dict[tuple[Bucket, ...], list[tuple[Level, Bucket]]] = {}

    def of(self, at_us: int, zone: ZoneInfo) -> list[tuple[Level, Bucket]]:
        """Return the buckets in which an instant of a zone lies, with their levels."""
        found = every_bucket(at_us, zone)
        kept = self._known.get(found)
        if kept is None:
            listed = zip(LEVELS, found, self._since, strict=True)
            kept = [(level, bucket) for level, bucket, since in listed if rollups.is_since(bucket, since)]
            self._known[found] = kept
        return kept


def apply_facts(facts: Sequence[Fact]) -> None:
    """Add what facts say to the rollups of their time, each fact once: a replayed log adds nothing.

    What was passed by as a dead letter is added when it is heard again, and its letter is done with. What is older
    than a level keeps is left out of it; months keep everything.
    """
    _add(facts, now=clock.now())


def _add(facts: Sequence[Fact], *, now: datetime) -> None:
    heard = rollups.heard()
    missed = dead_letters.take(FOLLOWER, [fact.id for fact in facts])
    fresh = [fact for fact in facts if (fact.tx, fact.id) > heard or fact.id in missed]
    if fresh:
        rollups.add(_changes(without_erased(fresh, _ROWS), now=now))
        _join(fresh)
        _erase(fresh)
        rollups.hear(*max(heard, (fresh[-1].tx, fresh[-1].id)))


def _join(facts: Iterable[Fact]) -> None:
    """Let what was added for players who were joined to others be the others'; later facts are theirs at once."""
    gone = [row[0] for fact in facts if fact.kind == PlayersJoined.kind for row in fact.payload["players"]]
    for player, into in accounts.joined_players(gone).items():
        rollups.join(player, into)


def _erase(facts: Iterable[Fact]) -> None:
    """Forget what was added for players who were erased; later facts say nothing of them."""
    for fact in facts:
        for player_id, is_whole in fact.payload["players"] if fact.kind == PlayersErased.kind else ():
            rollups.erase([player_id], studio_id=None if is_whole else fact.studio_id)


def rebuild() -> int:
    """Add everything up anew from the log as far as it goes back; return how many facts that were.

    One transaction writes it all, so every listener waits meanwhile (ADR 0002), and history's goes on where this ends.
    What the log has forgotten is lost to rollups: history is longer than the log, so this is for a log that is whole.
    What no level keeps any more, archived or about to be, stays as it is.
    """
    count, now = 0, clock.now()
    with transaction.atomic():
        rollups.heard()
        rollups.empty(now=now)
        tx, fact_id = 0, 0
        while facts := log.read_after(tx, fact_id, kinds=KINDS, limit=_READ_AT_ONCE):
            _add([fact for fact in facts if fact.is_heard], now=now)
            tx, fact_id = facts[-1].tx, facts[-1].id
            count += len(facts)
    return count


def _changes(facts: Sequence[Fact], *, now: datetime) -> Changes:
    found, kept = Changes(), _Kept(now)
    players = set(_players(facts))
    zones = {player: clock.zone(name) for player, name in accounts.time_zones(players).items()}
    for fact in facts:
        if fact.kind == AchievementsUnlocked.kind:
            _add_unlocks(found, fact, fact.payload["unlocks"], zones, kept, sign=1)
        elif fact.kind == AchievementsRevoked.kind:
            _add_unlocks(found, fact, fact.payload["revokes"], zones, kept, sign=-1)
        elif fact.kind == UnlocksJoined.kind:
            _add_unlocks(found, fact, fact.payload["dropped"], zones, kept, sign=-1)
        elif fact.kind == StatsChanged.kind:
            _add_values(found, fact, zones, kept)
        elif fact.kind == ValuesJoined.kind:
            _add_corrections(found, fact, zones, kept)
        elif fact.kind == PlaytimeAdded.kind:
            _add_playtime(found, fact, zones, now=now)
    found.give(accounts.joined_players(players))
    return found


def _players(facts: Iterable[Fact]) -> Iterator[int]:
    for fact in facts:
        for name in ("unlocks", "revokes", "dropped", "values", "played"):
            yield from (row[0] for row in fact.payload.get(name, ()))


def _add_unlocks(
    found: Changes, fact: Fact, rows: Iterable[list[int]], zones: Zones, kept: _Kept, *, sign: int
) -> None:
    """Add or take away unlocks, in the buckets of when they happened."""
    game = fact.payload["game"]
    for player, _, points, unlocked_us, *_ in rows:
        for level, bucket in kept.of(unlocked_us, zones[player]):
            one = found.activity[level][player, game, bucket]
            one.unlocks += sign
            one.points += sign * points


def _add_values(found: Changes, fact: Fact, zones: Zones, kept: _Kept) -> None:
    for player, stat, value, previous, _, reached_us in fact.payload["values"]:
        change = _exact(value) - _exact(previous or 0)
        for level, bucket in kept.of(reached_us, zones[player]):
            found.stats[level][player, stat, bucket] += change


def _add_corrections(found: Changes, fact: Fact, zones: Zones, kept: _Kept) -> None:
    """Add what a value is that became one of two, beyond what changed both."""
    for player, stat, value, held, brought, begun, _, _, at_us in fact.payload["values"]:
        change = _exact(value) - _exact(held) - _exact(brought) + _exact(begun)
        if change:
            for level, bucket in kept.of(at_us, zones[player]):
                found.stats[level][player, stat, bucket] += change


def _exact(number: float) -> Decimal:
    """Return a number as the API shows it, digit by digit."""
    return Decimal(str(number))


def _add_playtime(found: Changes, fact: Fact, zones: Zones, *, now: datetime) -> None:
    for player, from_us, until_us, _ in fact.payload["played"]:
        begin, end = from_microseconds(from_us), from_microseconds(until_us)
        for level in LEVELS:
            for bucket, played_ms in split(level, begin, end, zones[player]):
                if rollups.is_kept(level, bucket, now=now):
                    found.activity[level][player, fact.payload["game"], bucket].playtime_ms += played_ms
