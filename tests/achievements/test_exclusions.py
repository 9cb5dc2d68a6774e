"""Players whom a studio excludes are in no order of its games, and keep what they have."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any

import orjson
import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts import selectors as accounts
from accounts import services
from achievements.models import PlayerGame
from achievements.selectors import standings
from core import followers
from tests import factories
from tests.leaderboards.world import World
from tests.patience import LONG_S


@pytest.fixture
def world(transactional_db: None) -> World:
    return World.create()


def exclude(world: World, name: str, *, excluded: bool = True) -> None:
    info = accounts.player_of_studio(world.game.studio_id, name)
    assert info is not None
    services.exclude_player(
        studio_id=world.game.studio_id,
        player=info,
        excluded=excluded,
        reason="test",
        actor="user:test",
        at=timezone.now(),
    )


def order(world: World, game_id: int | None) -> list[str]:
    names = world.names()
    return [names[one.player_id] for one in standings.page(game_id, region=None, limit=10)]


def told() -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT payload::text FROM core_fact WHERE kind = 'totals_ranked' ORDER BY id")
        return [orjson.loads(payload)["totals"] for (payload,) in cursor.fetchall()]


def test_who_is_excluded_leaves_the_studio_s_orders_and_comes_back_with_what_he_has(world: World) -> None:
    world.unlock(("p0", "a0"), ("p1", "a0"), ("p1", "a1"))
    exclude(world, "p1")
    followers.drain("achievements")
    assert order(world, world.game.id) == ["p0"]
    assert order(world, None) == ["p1", "p0"]
    world.unlock(("p1", "a2"))
    exclude(world, "p1", excluded=False)
    followers.drain("achievements")
    assert order(world, world.game.id) == ["p1", "p0"]
    off, back = (rows[0] for rows in told())
    assert (off[0], off[3], off[6], off[7]) == (world.game.id, 20, 2, False)
    assert (back[3], back[7]) == (30, True)
    assert back[6] > off[6]


def test_another_studio_s_games_are_left_alone(world: World) -> None:
    world.unlock(("p0", "a0"))
    other = factories.game()
    row = PlayerGame.objects.get()
    PlayerGame.objects.create(
        player_id=row.player_id,
        game_id=other.pk,
        studio_id=other.studio_id,
        region="",
        points=5,
        unlocked=1,
        points_reached_at=row.points_reached_at,
        first_unlock_at=row.first_unlock_at,
        last_unlock_at=row.last_unlock_at,
        version=1,
    )
    exclude(world, "p0")
    followers.drain("achievements")
    assert order(world, world.game.id) == []
    assert order(world, other.pk) == ["p0"]


def test_the_first_unlock_of_an_excluded_player_is_in_no_order(world: World) -> None:
    world.players(1)
    exclude(world, "p0")
    world.unlock(("p0", "a0"))
    assert order(world, world.game.id) == []
    assert standings.unranked(world.names()) == {(world.game.id, next(iter(world.names())))}
    followers.drain("achievements")
    assert PlayerGame.objects.get().ranked is False


def test_a_first_unlock_on_its_way_while_its_player_is_excluded_is_found(world: World) -> None:
    """The unlock saw nothing of the exclusion, and the exclusion's listener nothing of the unlock."""
    world.players(1)
    unlocked, excluded = Event(), Event()

    def unlock() -> None:
        try:
            with transaction.atomic():
                world.unlock(("p0", "a0"))
                unlocked.set()
                assert excluded.wait(LONG_S)
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(unlock)
        assert unlocked.wait(LONG_S)
        exclude(world, "p0")
        excluded.set()
        running.result()
    assert PlayerGame.objects.get().ranked is True
    followers.drain("achievements")
    assert PlayerGame.objects.get().ranked is False


def test_a_replayed_log_changes_nothing(world: World) -> None:
    world.unlock(("p0", "a0"), ("p1", "a0"))
    exclude(world, "p0")
    followers.drain("achievements")
    before = list(PlayerGame.objects.order_by("player_id").values())
    followers.rewind("achievements", fact_id=0)
    followers.drain("achievements")
    assert list(PlayerGame.objects.order_by("player_id").values()) == before
    assert len(told()) == 1
