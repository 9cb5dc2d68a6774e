"""Boards answer, and lose nothing, while Valkey is frozen or gone, or takes no writes."""

import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest
from redis import Redis

from config.embedded import Servers
from core import followers
from core.models import DeadLetter
from core.redis import AWAY, breaker, client
from leaderboards.listing import FromOffset
from leaderboards.selectors.standings import page
from tests.leaderboards.world import World, ranked, recomputed, whole
from tests.patience import valkey_frozen


@pytest.mark.slow
def test_a_frozen_valkey_costs_one_short_wait_and_postgresql_answers(
    world: World, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.unlock(*((f"p{n}", f"a{n % 3}") for n in range(9)))
    world.follow()
    expected = whole(world.board)
    with valkey_frozen(servers):
        assert whole(world.board) == expected
        assert breaker("boards").is_open
        answer = world.api().get(f"/leaderboards/{world.game.uuid}/points/players/p1")
        assert (answer.status_code, answer.json()["rank"]) == (200, 1)
        # The breaker is open: nobody asks Valkey, so a hundred pages do not wait a hundred times.
        monkeypatch.setattr("leaderboards.reading.client", None)
        for _ in range(100):
            page(world.board, FromOffset(0), limit=1)
    monkeypatch.undo()
    assert whole(world.board) == expected
    assert not breaker("boards").is_open


def test_what_happens_while_valkey_is_down_comes_to_the_boards_afterwards(
    world: World, servers: Servers, valkey: Redis
) -> None:
    world.unlock(("p0", "a0"))
    world.follow()
    servers.valkey.kill(signal.SIGKILL)
    try:
        world.unlock(("p1", "a0"), ("p1", "a1"))
        followers.drain("achievements")
        with pytest.raises(AWAY):
            followers.drain("leaderboards")
        assert ranked([page(world.board, FromOffset(0), limit=10)]) == recomputed(world.board)
    finally:
        servers.valkey.start()
    client.cache_clear()
    breaker("boards")._open_until = 0.0
    world.follow()
    assert whole(world.board) == recomputed(world.board)
    assert valkey.zcard("leaderboards:v1:{points:%d:*}:order" % world.game.id) == 2  # noqa: UP031


@contextmanager
def _a_replica(valkey: Redis) -> Iterator[None]:
    """As after a failover, for who is still connected to the server that was."""
    valkey.replicaof("127.0.0.1", "1")
    try:
        yield
    finally:
        valkey.replicaof("NO", "ONE")


@contextmanager
def _without_replicas(valkey: Redis) -> Iterator[None]:
    valkey.config_set("min-replicas-to-write", 1)
    try:
        yield
    finally:
        valkey.config_set("min-replicas-to-write", 0)


@pytest.mark.parametrize("refusing", [_a_replica, _without_replicas])
def test_a_valkey_that_takes_no_writes_is_away(
    world: World, valkey: Redis, refusing: Callable[[Redis], AbstractContextManager[None]]
) -> None:
    world.unlock(("p0", "a0"))
    world.follow()
    with refusing(valkey):
        asked = {"game_id": str(world.game.uuid), "player": "p1", "achievement": "a0"}
        assert world.api().post("/achievements/unlock", asked).status_code == 202
        followers.drain("achievements")
        with pytest.raises(AWAY):
            followers.drain("leaderboards")
    breaker.cache_clear()
    world.follow()
    assert not DeadLetter.objects.exists()
    assert whole(world.board) == recomputed(world.board)
