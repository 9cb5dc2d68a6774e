"""What analytics hears: who was there, what was unlocked and played, and what changed on boards."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from accounts import selectors as accounts
from accounts.erased import without_erased
from accounts.facts import PlayersChanged, PlayersErased, PlayersJoined
from achievements.facts import (
    AchievementsRevoked,
    AchievementsUnlocked,
    ProgressChanged,
    UnlocksErased,
    UnlocksJoined,
)
from analytics import counts
from analytics.counts import DAYS, MONTHS, REACH, RETENTION, WEEKS, Deeds, Kept, Place, Player, Table
from analytics.rules import attendance
from analytics.rules.attendance import Key
from analytics.selectors import freshness
from analytics.services import usage
from core import clock, dead_letters
from core.clock import microseconds
from core.facts import Fact
from leaderboards.facts import ScoresChanged
from stats.facts import PlaytimeAdded, StatsChanged

FOLLOWER: Final = freshness.FOLLOWER
KINDS: Final = frozenset(
    {
        AchievementsUnlocked.kind,
        AchievementsRevoked.kind,
        UnlocksJoined.kind,
        ProgressChanged.kind,
        StatsChanged.kind,
        PlaytimeAdded.kind,
        ScoresChanged.kind,
        PlayersChanged.kind,
        PlayersJoined.kind,
        PlayersErased.kind,
        UnlocksErased.kind,
    }
)
DAY_US: Final = 86_400_000_000
_HOUR_US: Final = 3_600_000_000


def _pair() -> list[int]:
    return [0, 0]


@dataclass
class Found:
    """What facts say, added up.

    Attributes:
        hours: unlocks and points by `(game, hour)`, hours since 1970.
        achievements: unlocks by `(game, achievement, day)`.
        boards: changed scores by `(game, board, day)`.
        games: those that the facts are about.
        joined: whom the facts name by what he was before he was joined to another, with that one.

    """

    deeds: dict[Place, Deeds] = field(default_factory=lambda: defaultdict(Deeds))
    hours: dict[tuple[int, int], list[int]] = field(default_factory=lambda: defaultdict(_pair))
    achievements: Counter[tuple[int, int, int]] = field(default_factory=Counter)
    boards: Counter[tuple[int, int, int]] = field(default_factory=Counter)
    games: set[int] = field(default_factory=set)
    joined: dict[int, int] = field(default_factory=dict)

    def be_there(self, game: int, player: int, at_us: int) -> Deeds:
        """Note that a player was there; return what he did on that day."""
        deeds = self.deeds[Place(game, player, at_us // DAY_US)]
        if deeds.first_us is None or at_us < deeds.first_us:
            deeds.first_us = at_us
        return deeds


def apply_facts(facts: Sequence[Fact]) -> None:
    """Count what facts say, each once: a replayed log adds nothing.

    What was passed by as a dead letter is counted when it is heard again, and its letter is done with.
    """
    heard = counts.heard()
    missed = dead_letters.take(FOLLOWER, [fact.id for fact in facts])
    fresh = [fact for fact in facts if (fact.tx, fact.id) > heard or fact.id in missed]
    if fresh:
        count(fresh)
        counts.hear(*max(heard, (fresh[-1].tx, fresh[-1].id)))


def count(facts: Sequence[Fact]) -> None:
    """Count what facts say."""
    found = read(facts)
    gone = [row[0] for fact in facts if fact.kind == PlayersJoined.kind for row in fact.payload["players"]]
    # First: what is taken off a day is told of whose it is by now, and is looked for there.
    _join(found.joined | accounts.joined_players(gone))
    new = _add(found)
    usage.count(facts, new, now=clock.now())
    _erase(facts)
    if found.games:
        counts.note_changed(sorted(found.games))


def read(facts: Sequence[Fact]) -> Found:
    """Add up what facts say; of who was joined to another it is that one's.

    Who was erased was not there. His unlocks count, since UnlocksErased takes each of them off again.
    """
    found = _read(facts)
    left = without_erased(facts, _ROWS)
    if left != list(facts):
        found.deeds = _read(left).deeds
    found.joined = accounts.joined_players({place.player_id for place in found.deeds})
    for place in [place for place in found.deeds if place.player_id in found.joined]:
        into = place._replace(player_id=found.joined[place.player_id])
        _merge(found.deeds[into], found.deeds.pop(place))
    return found


def _read(facts: Iterable[Fact]) -> Found:
    found = Found()
    for fact in facts:
        if fact.kind in _READERS:
            found.games.add(fact.payload["game"])
            _READERS[fact.kind](found, fact)
    return found


def _merge(into: Deeds, other: Deeds) -> None:
    into.unlocks += other.unlocks
    into.points += other.points
    into.playtime_ms += other.playtime_ms
    into.is_given = into.is_given or other.is_given
    known = [us for us in (into.first_us, other.first_us) if us is not None]
    into.first_us = min(known, default=None)


def _read_unlocks(found: Found, fact: Fact) -> None:
    """Add unlocks; whoever is given some silently, since a definition changed, did nothing for it."""
    game, is_given = fact.payload["game"], fact.payload.get("silent", False)
    for player, achievement, points, unlocked_us, *_ in fact.payload["unlocks"]:
        if is_given:
            deeds = found.deeds[Place(game, player, unlocked_us // DAY_US)]
            deeds.is_given = True
        else:
            deeds = found.be_there(game, player, unlocked_us)
        deeds.unlocks += 1
        deeds.points += points
        hour = found.hours[game, unlocked_us // _HOUR_US]
        hour[0] += 1
        hour[1] += points
        found.achievements[game, achievement, unlocked_us // DAY_US] += 1


def _take_back(found: Found, game: int, rows: Iterable[list[int]]) -> None:
    """Take unlocks away where they were; who had them was there all the same."""
    for player, achievement, points, unlocked_us, *_ in rows:
        deeds = found.deeds[Place(game, player, unlocked_us // DAY_US)]
        deeds.unlocks -= 1
        deeds.points -= points
        hour = found.hours[game, unlocked_us // _HOUR_US]
        hour[0] -= 1
        hour[1] -= points
        found.achievements[game, achievement, unlocked_us // DAY_US] -= 1


def _read_revokes(found: Found, fact: Fact) -> None:
    _take_back(found, fact.payload["game"], fact.payload["revokes"])


def _read_dropped(found: Found, fact: Fact) -> None:
    _take_back(found, fact.payload["game"], fact.payload["dropped"])


def _read_erased(found: Found, fact: Fact) -> None:
    """Take unlocks away; the days of who was erased are taken out as a whole."""
    game = fact.payload["game"]
    for _, achievement, points, unlocked_us in fact.payload["erased"]:
        hour = found.hours[game, unlocked_us // _HOUR_US]
        hour[0] -= 1
        hour[1] -= points
        found.achievements[game, achievement, unlocked_us // DAY_US] -= 1


def _read_progress(found: Found, fact: Fact) -> None:
    at_us = microseconds(fact.at)
    for player, *_ in fact.payload["changes"]:
        found.be_there(fact.payload["game"], player, at_us)


def _read_values(found: Found, fact: Fact) -> None:
    for row in fact.payload["values"]:
        found.be_there(fact.payload["game"], row[0], row[5])


def _read_playtime(found: Found, fact: Fact) -> None:
    """Share intervals among the days that they touch, whole milliseconds that add up."""
    game = fact.payload["game"]
    for player, from_us, until_us, _ in fact.payload["played"]:
        told_ms, at_us = 0, from_us
        while at_us < until_us:
            end_us = min(until_us, (at_us // DAY_US + 1) * DAY_US)
            until_ms = (end_us - from_us) // 1000
            found.be_there(game, player, at_us).playtime_ms += until_ms - told_ms
            told_ms, at_us = until_ms, end_us


def _read_scores(found: Found, fact: Fact) -> None:
    """Count the scores of a board's main span; whoever is shown was there when he reached his."""
    game, is_main = fact.payload["game"], fact.payload["main"]
    for player, _, _, reached_us, _, is_shown, *_ in fact.payload["scores"]:
        if is_shown and is_main:
            found.be_there(game, player, reached_us)
            found.boards[game, fact.payload["board"], reached_us // DAY_US] += 1


_READERS = {
    AchievementsUnlocked.kind: _read_unlocks,
    AchievementsRevoked.kind: _read_revokes,
    UnlocksJoined.kind: _read_dropped,
    UnlocksErased.kind: _read_erased,
    ProgressChanged.kind: _read_progress,
    StatsChanged.kind: _read_values,
    PlaytimeAdded.kind: _read_playtime,
    ScoresChanged.kind: _read_scores,
}


# Where a kind lists rows that begin with a player who was there.
_ROWS: Final = {
    AchievementsUnlocked.kind: ("unlocks",),
    AchievementsRevoked.kind: ("revokes",),
    UnlocksJoined.kind: ("dropped",),
    ProgressChanged.kind: ("changes",),
    StatsChanged.kind: ("values",),
    PlaytimeAdded.kind: ("played",),
    ScoresChanged.kind: ("scores",),
}


def _add(found: Found) -> list[Place]:
    """Add what was found; return the days that were not known before."""
    kept = counts.attend(found.deeds)
    new = [one for one in kept if one.is_new]
    totals = Totals()
    for one in kept:
        totals.add(one, found.deeds[one.place])
    totals.follow(new)
    totals.write()
    counts.add(counts.HOURS, found.hours)
    counts.add(counts.ACHIEVEMENTS, {key: (n,) for key, n in found.achievements.items()})
    counts.add(counts.BOARDS, {key: (n,) for key, n in found.boards.items()})
    return [one.place for one in new]


def _join(joined: dict[int, int]) -> None:
    """Let the days of players be others', who they were found to be, with all that was counted of them.

    Of whom no day is left, as of most who were joined before, nothing happens.
    """
    if not joined:
        return
    taken = counts.take_out(joined, game_ids=counts.games_of(joined))
    totals = Totals()
    moved: dict[Place, Deeds] = defaultdict(Deeds)
    for place, (region, deeds) in taken.items():
        totals.add(Kept(place, region, is_new=False), deeds, sign=-1)
        _merge(moved[place._replace(player_id=joined[place.player_id])], deeds)
    there = {place: region for place, (region, deeds) in taken.items() if deeds.first_us is not None}
    totals.forget(there)
    kept = counts.attend(moved)
    for one in kept:
        totals.add(one, moved[one.place])
    totals.follow([one for one in kept if one.is_new])
    totals.write()


def _erase(facts: Iterable[Fact]) -> None:
    """Take the days of players who were erased out of everything that is counted of them."""
    for fact in facts:
        for player_id, is_whole in fact.payload["players"] if fact.kind == PlayersErased.kind else ():
            erase([player_id], studio_id=None if is_whole else fact.studio_id)


def erase(player_ids: Sequence[int], *, studio_id: int | None) -> int:
    """Take players' days out of the counts of one studio's games or (None) of all; return how many rows went."""
    games = counts.games_of(player_ids, studio_id=studio_id)
    return erase_found(player_ids, games=games, days=usage.days_of(player_ids, studio_id=studio_id))


def erase_found(player_ids: Sequence[int], *, games: Sequence[int], days: Sequence[usage.Day]) -> int:
    """Take players' days in some games out of the counts, and the days on which they were active."""
    taken = counts.take_out(player_ids, game_ids=games)
    totals = Totals()
    for place, (region, deeds) in taken.items():
        totals.add(Kept(place, region, is_new=False), deeds, sign=-1)
    totals.forget({place: region for place, (region, deeds) in taken.items() if deeds.first_us is not None})
    totals.write()
    usage.forget(days)
    return len(taken) + len(days)


class Totals:
    """What is to be added to days, weeks, months, reach and retention."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._deeds: dict[tuple[int, int, str], list[int]] = defaultdict(lambda: [0, 0, 0])
        self._changes: dict[int, Counter[Key]] = defaultdict(Counter)

    def add(self, kept: Kept, deeds: Deeds, *, sign: int = 1) -> None:
        """Add what was done on a day."""
        row = self._deeds[kept.place.game_id, kept.place.day, kept.region]
        row[0] += sign * deeds.unlocks
        row[1] += sign * deeds.points
        row[2] += sign * deeds.playtime_ms

    def follow(self, new: Iterable[Kept]) -> None:
        """Add what follows from days that are known since a moment ago, and are kept by now."""
        came: dict[Player, dict[int, str]] = defaultdict(dict)
        for one in new:
            came[one.place.game_id, one.place.player_id][one.place.day] = one.region
        earliest = counts.first_days({player: len(days) + 1 for player, days in came.items()})
        firsts: dict[Player, tuple[int | None, int]] = {}
        for player, days in came.items():
            before = next((day for day in earliest[player] if day not in days), None)
            firsts[player] = before, earliest[player][0]
        spans = [
            (*player, since, until)
            for player, days in came.items()
            for since, until in attendance.looked_at(days, *firsts[player])
        ]
        after = counts.days_within(spans)
        for player, days in came.items():
            before_days = {day: region for day, region in after[player].items() if day not in days}
            first_before, first_after = firsts[player]
            self._changes[player[0]].update(
                attendance.changes(
                    before_days, after[player], first_before=first_before, first_after=first_after
                )
            )

    def forget(self, gone: dict[Place, str]) -> None:
        """Take away what followed from all days of players, who have none left."""
        days: dict[Player, dict[int, str]] = defaultdict(dict)
        for place, region in gone.items():
            days[place.game_id, place.player_id][place.day] = region
        for player, before in days.items():
            self._changes[player[0]].update(
                attendance.changes(before, {}, first_before=min(before), first_after=None)
            )

    def write(self) -> None:
        """Add everything to its table."""
        rows: dict[str, dict[tuple[object, ...], list[int]]] = {table.name: {} for table in _OF_PLAYERS}

        def row(table: Table, *key: object) -> list[int]:
            return rows[table.name].setdefault(key, [0] * len(table.counted))

        for (game, day, region), done in self._deeds.items():
            week, month = attendance.week_of(day), attendance.month_of(day)
            for to in (row(DAYS, game, day, region), row(WEEKS, game, week), row(MONTHS, game, month)):
                for column, n in enumerate(done, start=_UNLOCKS):
                    to[column] += n
        for game, changes in self._changes.items():
            for (kind, *key), n in changes.items():
                table, column = _KEPT_IN[kind]
                row(table, game, *key)[column] += n
        for table in _OF_PLAYERS:
            counts.add(table, rows[table.name])


_OF_PLAYERS: Final = (DAYS, WEEKS, MONTHS, REACH, RETENTION)
_UNLOCKS: Final = DAYS.counted.index("unlocks")
_KEPT_IN: Final[dict[str | int, tuple[Table, int]]] = {
    "active": (DAYS, 0),
    "new": (DAYS, 1),
    "week": (WEEKS, 0),
    "week_new": (WEEKS, 1),
    "month": (MONTHS, 0),
    "month_new": (MONTHS, 1),
    "weekly": (REACH, 0),
    "monthly": (REACH, 1),
    "cohort": (RETENTION, 0),
}
