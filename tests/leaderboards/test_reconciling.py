"""A sample of what boards hold is compared every few minutes; what differs is mended and counted."""

from collections.abc import Sequence
from typing import Any

import pytest
from redis import Redis

from core.db import run_prepared
from leaderboards import comparing, filling, keys, metrics
from leaderboards.filling import Change
from leaderboards.models import Mending
from leaderboards.services import reconciling
from tests.leaderboards.world import World, all_boards, recomputed, whole


@pytest.fixture(autouse=True)
def _does_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(comparing, "LOOK_AGAIN_S", 0.0)
    monkeypatch.setattr(reconciling, "LOOK_AGAIN_S", 0.0)


@pytest.fixture
def played(world: World) -> World:
    world.players(12)
    world.unlock(*((f"p{n}", f"a{n % 5}") for n in range(12)), ("p3", "a0"), ("p4", "a1"))
    world.follow()
    return world


def ask(sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
    return run_prepared(sql, params)


def mended() -> float:
    (metric,) = metrics.figures(ask)
    return metric.samples[0].value


def test_what_is_right_is_left_alone_and_counts_nothing(played: World) -> None:
    assert reconciling.reconcile() == 0
    assert not Mending.objects.exists()
    assert mended() == 0.0


def test_who_stands_in_a_wrong_place_is_put_right(played: World, valkey: Redis) -> None:
    board = played.board
    player = recomputed(board)[5][1]
    (held,) = filling.held(board, [player]).values()
    member = held.reached_us.to_bytes(8, "big") + player.to_bytes(8, "big")
    valkey.zrem(keys.order(board), member)
    valkey.zadd(keys.order(board), {b"\x00" * 7 + b"\x07" + player.to_bytes(8, "big"): -999})
    assert reconciling.reconcile() >= 1
    assert whole(board) == recomputed(board)
    assert mended() >= 1
    assert reconciling.reconcile() == 0


def test_who_is_missing_and_who_is_too_many_are_found_by_their_number(played: World, valkey: Redis) -> None:
    board = played.board
    valkey.zpopmin(keys.order(board))
    assert reconciling.reconcile() >= 1
    assert whole(board) == recomputed(board)
    filling.apply({board: [Change(10**9, 1, 79, -7)]})
    assert reconciling.reconcile() >= 1
    for each in all_boards():
        assert whole(each) == recomputed(each)


def test_what_is_still_on_its_way_is_no_difference(played: World, monkeypatch: pytest.MonkeyPatch) -> None:
    played.unlock(("p7", "a4"))
    monkeypatch.setattr(reconciling, "PATIENCE_S", -1.0)
    assert reconciling.reconcile() == 0
    assert not Mending.objects.exists()
