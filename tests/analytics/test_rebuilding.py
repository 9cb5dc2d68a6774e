"""Everything counted anew, while the log holds what is not counted yet."""

import threading
from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.utils import timezone

from analytics import counts
from analytics.models import AchievementDay, ActiveDay, GameDay, GameHour, Reach, Retention
from analytics.services import counting, rebuilding
from core import dead_letters, facts, followers
from core.refusals import Unavailable
from tests import factories

pytestmark = pytest.mark.django_db(transaction=True)
BEGIN = datetime(2026, 3, 2, 12, tzinfo=UTC)
KEYS = [f"a{n}" for n in range(12)]


class World:
    """A game's server, and what its players hold."""

    def __init__(self) -> None:
        """Make them."""
        factories.forget()
        studio = factories.studio()
        made = factories.game(studio)
        factories.achievements(made, dict.fromkeys(KEYS, 10))
        self.api, self.game = factories.api(factories.server_key(studio)), str(made.uuid)
        self.random = Random(7)

    def live(self, times: int) -> None:
        """Unlock, take back and play, in the past and now."""
        for _ in range(times):
            player, key = f"p-{self.random.randrange(8)}", self.random.choice(KEYS)
            at = self.random.choice([BEGIN, timezone.now() - timedelta(days=20)])
            at += timedelta(minutes=self.random.randrange(60 * 24 * 19))
            who = {"game_id": self.game, "player": player}
            if self.random.random() < 0.8:
                body = who | {"achievement": key, "unlocked_at": at.isoformat()}
                assert self.api.post("/achievements/unlock", body).status_code in (200, 202)
            else:
                self.api.post("/achievements/revoke", who | {"achievement": key, "reason": "A test."})


@pytest.fixture
def world() -> World:
    made = World()
    made.live(60)
    followers.drain(counting.FOLLOWER)
    return made


def said() -> list[str]:
    return []


def differences() -> dict[str, int]:
    found = rebuilding.differences(now=timezone.now(), say=said().append)
    return {table: rows for table, rows in found.items() if rows}


def left_in_pages() -> dict[str, set[str]]:
    """Return how each table is stored, as migrations have left it."""
    names = [f"analytics_{table}" for table in rebuilding.COUNTED]
    with connection.cursor() as cursor:
        cursor.execute("SELECT relname, reloptions FROM pg_class WHERE relname = ANY(%s)", [names])
        return {name: set(options) for name, options in cursor.fetchall()}


@pytest.mark.slow
def test_what_is_kept_is_what_counting_anew_gives_however_far_the_listener_is(world: World) -> None:
    assert differences() == {}
    world.live(40)
    assert differences() == {}
    followers.drain(counting.FOLLOWER)
    assert differences() == {}


@pytest.mark.slow
def test_what_was_lost_comes_back_and_what_waits_is_counted_once(world: World) -> None:
    world.live(40)
    for model in (GameDay, Reach, Retention, AchievementDay, GameHour):
        model.objects.all().delete()
    ActiveDay.objects.filter(unlocks__gt=0).delete()
    found = differences()
    assert {"activeday", "gameday", "reach", "retention", "achievementday", "gamehour"} <= found.keys()
    with pytest.raises(CommandError, match="in activeday"):
        call_command("rebuild_analytics", "--check")
    room = left_in_pages()
    call_command("rebuild_analytics")
    assert left_in_pages() == room
    assert differences() == {}
    followers.drain(counting.FOLLOWER)
    assert differences() == {}
    call_command("rebuild_analytics", "--check")


@pytest.mark.slow
def test_what_the_listener_failed_at_is_replayed_before_all_is_counted_anew(world: World) -> None:
    world.live(10)
    with transaction.atomic():
        read = facts.read_after(*counts.heard(), kinds=counting.KINDS, limit=1_000)
        failed, *others = [fact for fact in read if fact.kind == "achievements_unlocked"]
        dead_letters.bury(counting.FOLLOWER, failed, "It failed.")
        counting.apply_facts(others)
    with pytest.raises(CommandError, match="--replay all"):
        call_command("rebuild_analytics")
    call_command("deadletters", "--replay", "all")
    followers.drain(counting.FOLLOWER)
    call_command("rebuild_analytics")
    assert differences() == {}


@pytest.mark.slow
def test_the_listener_waits_while_everything_is_counted_anew(world: World) -> None:
    world.live(10)
    with rebuilding._listener_waits():
        with pytest.raises(Unavailable, match="rebuilt"):
            followers.step(facts.subscriptions()[counting.FOLLOWER])
        assert not followers.follow(counting.FOLLOWER)
    assert followers.drain(counting.FOLLOWER)
    assert differences() == {}


@pytest.mark.slow
def test_nothing_that_happens_meanwhile_is_lost_or_counted_twice(world: World) -> None:
    going = threading.Event()

    def live_on() -> None:
        try:
            while not going.is_set():
                world.live(5)
        finally:
            connection.close()

    thread = threading.Thread(target=live_on)
    thread.start()
    try:
        for _ in range(3):
            rebuilding.rebuild(now=timezone.now(), say=said().append)
            followers.step(facts.subscriptions()[counting.FOLLOWER])
    finally:
        going.set()
        thread.join()
    followers.drain(counting.FOLLOWER)
    assert differences() == {}
