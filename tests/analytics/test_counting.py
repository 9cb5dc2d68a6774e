"""What the listener counts, compared with the days and unlocks themselves, reckoned plainly."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import pytest
from django.db import connection

from accounts.facts import PlayersJoined
from accounts.models import JoinedPlayer
from achievements.facts import AchievementsRevoked, AchievementsUnlocked, UnlocksJoined
from analytics.services import counting
from core import facts
from core.clock import microseconds
from core.facts import Announcement
from stats.facts import PlaytimeAdded
from tests import factories

pytestmark = pytest.mark.django_db
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def rows(sql: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        found: list[tuple[Any, ...]] = cursor.fetchall()
    return found


def tell(announcement: Announcement, studio_id: int) -> None:
    facts.publish(announcement, studio_id=studio_id)


class World:
    """A game, its players, and what happened to them, as the listener is told and as it is."""

    def __init__(self) -> None:
        """Make three players in two regions."""
        factories.forget()
        self.studio = factories.studio()
        self.game = factories.game(self.studio)
        self.players = [
            factories.player(self.studio, f"p-{n}", region="EU" if n % 2 else "NA").pk for n in range(6)
        ]
        self.regions = {pk: "EU" if n % 2 else "NA" for n, pk in enumerate(self.players)}
        self.unlocks: dict[tuple[int, int], datetime] = {}
        self.there: dict[int, set[date]] = defaultdict(set)
        self.played: Counter[tuple[int, date]] = Counter()

    def unlock(self, player: int, achievement: int, at: datetime) -> None:
        self.unlocks[player, achievement] = at
        self.there[player].add(at.date())
        us = microseconds(at)
        row: list[int | str] = [player, achievement, 10, us, us, "e"]
        tell(AchievementsUnlocked(self.game.pk, [row], []), self.studio.pk)

    def give(self, player: int, achievement: int, at: datetime) -> None:
        """Let a changed definition be met: nobody was there for it."""
        self.unlocks[player, achievement] = at
        us = microseconds(at)
        row: list[int | str] = [player, achievement, 10, us, us, "e"]
        tell(AchievementsUnlocked(self.game.pk, [row], [], silent=True), self.studio.pk)

    def revoke(self, player: int, achievement: int) -> None:
        us = microseconds(self.unlocks.pop((player, achievement)))
        tell(AchievementsRevoked(self.game.pk, [[player, achievement, 10, us, us, us]], []), self.studio.pk)

    def play(self, player: int, since: datetime, until: datetime) -> None:
        at = since
        while at < until:
            end = min(until, datetime.combine(at.date() + DAY, datetime.min.time(), UTC))
            self.there[player].add(at.date())
            self.played[player, at.date()] += (end - at) // timedelta(milliseconds=1)
            at = end
        told = PlaytimeAdded(self.game.pk, [[player, microseconds(since), microseconds(until), 0]])
        tell(told, self.studio.pk)

    def check(self) -> None:
        """Compare every table with what happened."""
        there = "SELECT player_id, day FROM analytics_activeday WHERE first_at IS NOT NULL ORDER BY 1, 2"
        assert rows(there) == sorted((player, day) for player, days in self.there.items() for day in days)
        days = rows("SELECT at, region, active, new, unlocks, points, playtime_ms FROM analytics_gameday")
        assert {row[:2]: row[2:] for row in days if any(row[2:])} == self.by_day()
        for table, of in (
            ("week", lambda day: day - day.weekday() * DAY),
            ("month", lambda day: day.replace(day=1)),
        ):
            kept = rows(f"SELECT at, active, new, unlocks, playtime_ms FROM analytics_game{table}")
            assert {row[0]: row[1:] for row in kept if any(row[1:])} == self.by_period(of), table
        assert dict(
            rows("SELECT day, sum(unlocks) FROM analytics_achievementday GROUP BY 1 HAVING sum(unlocks) > 0")
        ) == (Counter(at.date() for at in self.unlocks.values()))
        hours = rows("SELECT at, unlocks, points FROM analytics_gamehour WHERE unlocks > 0")
        by_hour = Counter(at.replace(minute=0, second=0, microsecond=0) for at in self.unlocks.values())
        assert {row[0]: row[1:] for row in hours} == {at: (n, 10 * n) for at, n in by_hour.items()}
        self.check_reach()
        self.check_retention()

    def by_day(self) -> dict[tuple[date, str], tuple[int, ...]]:
        found: dict[tuple[date, str], list[int]] = defaultdict(lambda: [0] * 5)
        for player, days in self.there.items():
            for day in days:
                row = found[day, self.regions[player]]
                row[0] += 1
                row[1] += day == min(days)
                row[4] += self.played[player, day]
        for (player, _), at in self.unlocks.items():
            row = found[at.date(), self.regions[player]]
            row[2] += 1
            row[3] += 10
        return {key: tuple(row) for key, row in found.items()}

    def by_period(self, of: Any) -> dict[date, tuple[int, ...]]:
        found: dict[date, list[int]] = defaultdict(lambda: [0] * 4)
        for days in self.there.values():
            for period in {of(day) for day in days}:
                found[period][0] += 1
            if days:
                found[of(min(days))][1] += 1
        for at in self.unlocks.values():
            found[of(at.date())][2] += 1
        for (_, day), ms in self.played.items():
            found[of(day)][3] += ms
        return {period: tuple(row) for period, row in found.items()}

    def check_reach(self) -> None:
        changes = {row[0]: row[1:] for row in rows("SELECT day, weekly, monthly FROM analytics_reach")}
        weekly = monthly = 0
        for day in (BEGIN.date() + n * DAY for n in range(-40, 200)):
            weekly += changes.get(day, (0, 0))[0]
            monthly += changes.get(day, (0, 0))[1]
            for span, counted in ((7, weekly), (30, monthly)):
                within = {day - n * DAY for n in range(span)}
                assert counted == sum(bool(days & within) for days in self.there.values()), (day, span)

    def check_retention(self) -> None:
        found: Counter[tuple[date, int]] = Counter()
        for days in self.there.values():
            for day in days:
                if (day - min(days)).days <= 30:
                    found[min(days), (day - min(days)).days] += 1
        kept = rows("SELECT cohort, age, players FROM analytics_retention")
        assert {row[:2]: row[2] for row in kept if row[2]} == found


@pytest.fixture
def world() -> World:
    return World()


def some_day(random: Random) -> datetime:
    return BEGIN + timedelta(days=random.randrange(75), seconds=random.randrange(86_400))


def live(world: World, random: Random) -> Iterator[None]:
    """Do things in no order of time, and stop now and then."""
    for number in range(120):
        player = random.choice(world.players[:-1])
        match random.randrange(5):
            case 0 | 1:
                world.unlock(player, number, some_day(random))
            case 4:
                world.give(player, number, some_day(random))
            case 2 if world.unlocks:
                world.revoke(*random.choice(sorted(world.unlocks)))
            case _:
                since = some_day(random)
                world.play(player, since, since + timedelta(minutes=random.randrange(1, 2000)))
        if random.random() < 0.2:
            yield


@pytest.mark.parametrize("seed", range(4))
def test_what_is_counted_is_what_happened_whatever_the_order(world: World, seed: int) -> None:
    for _ in live(world, Random(seed)):
        counting.apply_facts(told(unheard=True))
    counting.apply_facts(told(unheard=True))
    world.check()
    counting.apply_facts(told(unheard=False))
    world.check()


def test_a_revoke_of_what_was_never_heard_of_counts_nothing(world: World) -> None:
    us = microseconds(BEGIN)
    row = [world.players[0], 1, 10, us, us, us]
    tell(AchievementsRevoked(world.game.pk, [row], []), world.studio.pk)
    counting.apply_facts(told(unheard=True))
    assert rows("SELECT * FROM analytics_activeday") == []
    assert rows("SELECT * FROM analytics_gameday") == []


@pytest.mark.parametrize("late", [False, True])
def test_the_days_of_two_who_become_one_are_that_one_s(world: World, late: bool) -> None:
    one, two = world.players[0], world.players[2]  # of one region
    for day in (0, 3, 40):
        world.unlock(one, day, BEGIN + day * DAY)
    for day in (-5, 3, 10):
        world.unlock(two, 100 + day, BEGIN + day * DAY)
    if not late:
        counting.apply_facts(told(unheard=True))
    JoinedPlayer.objects.create(player_id=two, into_id=one, joined_at=BEGIN)
    tell(PlayersJoined([[two, one]]), world.studio.pk)
    world.unlock(two, 200, BEGIN + 80 * DAY)  # told before it was known
    counting.apply_facts(told(unheard=True))
    world.there[one] |= world.there.pop(two)
    world.unlocks = {(one, achievement): at for (_, achievement), at in world.unlocks.items()}
    world.check()


@pytest.mark.parametrize("is_known_before", [False, True])
def test_what_two_who_become_one_held_twice_counts_once_where_it_was(
    world: World, is_known_before: bool
) -> None:
    stays, leaves = world.players[0], world.players[2]
    world.unlock(stays, 1, BEGIN)
    world.unlock(leaves, 1, BEGIN + 9 * DAY)
    world.unlock(leaves, 2, BEGIN + 12 * DAY)
    counting.apply_facts(told(unheard=True))
    JoinedPlayer.objects.create(player_id=leaves, into_id=stays, joined_at=BEGIN)
    us = microseconds(world.unlocks.pop((leaves, 1)))
    dropped = UnlocksJoined(world.game.pk, gone=[], come=[], dropped=[[leaves, 1, 10, us, us, us]])
    tell(dropped, world.studio.pk)
    world.revoke(leaves, 2)
    if is_known_before:  # it is known who he is before it is heard
        counting.apply_facts(told(unheard=True))
    tell(PlayersJoined([[leaves, stays]]), world.studio.pk)
    counting.apply_facts(told(unheard=True))
    world.there[stays] |= world.there.pop(leaves)
    world.check()


def told(*, unheard: bool) -> list[facts.Fact]:
    """Return what was told; followers don't see facts of a transaction that goes on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tx::text::bigint, id, at, kind, studio_id, payload FROM core_fact"
            " WHERE (tx::text::bigint, id) > (SELECT coalesce(max(tx), 0), coalesce(max(fact_id), 0)"
            "                                   FROM analytics_heard WHERE %s) ORDER BY tx, id",
            [unheard],
        )
        listed = [facts.Fact(*row) for row in cursor.fetchall()]
    return [fact for fact in listed if fact.kind in counting.KINDS]
