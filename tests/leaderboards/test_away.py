"""Boards answer, and lose nothing, while Valkey is frozen or gone."""

import signal

import pytest
from redis import Redis

from config.embedded import Servers
from core import followers
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
