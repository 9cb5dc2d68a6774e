"""Totals follow their players to another region, whatever is unlocked meanwhile."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from threading import Event
from time import sleep

import pytest
from django.db import connection, transaction

from accounts import services
from achievements.models import PlayerGame, PlayerTotal
from core import followers
from tests.leaderboards.world import World
from tests.patience import LONG_S


@pytest.fixture
def world(transactional_db: None) -> World:
    return World.create()


def move(world: World, region: str) -> None:
    services.update_player(studio_id=world.game.studio_id, external_id="p0", changes={"region": region})


def lives_in() -> set[str]:
    return {PlayerGame.objects.get().region, PlayerTotal.objects.get().region}


def and_close(do: Callable[[], object]) -> None:
    """Do something in a thread, whose connection is closed then."""
    try:
        do()
    finally:
        connection.close()


def test_who_moves_takes_his_totals_along(world: World) -> None:
    world.players(1)
    world.unlock(("p0", "a0"))
    move(world, "EU")
    followers.drain("achievements")
    assert lives_in() == {"EU"}
    versions = PlayerGame.objects.get().version, PlayerTotal.objects.get().version
    followers.rewind("achievements", fact_id=0)
    followers.drain("achievements")
    assert (PlayerGame.objects.get().version, PlayerTotal.objects.get().version) == versions


def test_a_first_unlock_on_its_way_while_its_player_moves_comes_to_the_new_region(world: World) -> None:
    """The unlock saw nothing of the move, and the move's listener nothing of the unlock."""
    world.players(1)
    unlocked, moved = Event(), Event()

    def unlock() -> None:
        with transaction.atomic():
            world.unlock(("p0", "a0"))
            unlocked.set()
            assert moved.wait(LONG_S)

    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(and_close, unlock)
        assert unlocked.wait(LONG_S)
        move(world, "EU")
        moved.set()
        running.result()
    assert lives_in() == {""}
    followers.drain("achievements")
    assert lives_in() == {"EU"}


def test_an_unlock_that_is_under_way_while_totals_move_keeps_nobody_back(world: World) -> None:
    world.players(1)
    world.unlock(("p0", "a0"))
    followers.drain("achievements")
    move(world, "EU")
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            world.unlock(("p0", "a1"))
            following = pool.submit(and_close, partial(followers.drain, "achievements"))
            for _ in range(2_400):
                with connection.cursor() as cursor:
                    cursor.execute("SELECT count(*) FROM pg_locks WHERE NOT granted")
                    if cursor.fetchone()[0]:
                        break
                sleep(0.05)
            else:
                raise AssertionError("The listener waits for no unlock.")
        following.result(LONG_S)
    assert lives_in() == {"EU"}
    assert PlayerTotal.objects.get().unlocked == 2
