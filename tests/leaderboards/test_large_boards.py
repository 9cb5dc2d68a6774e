"""Boards too large for a sorted set: exact at the top, estimated within a percent below."""

from bisect import bisect_left
from random import Random
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone
from redis import Redis

from accounts.models import Game
from core.redis import client
from leaderboards import estimating, filling, keys, rebuilding, truth
from leaderboards.filling import State
from leaderboards.keys import Board
from leaderboards.models import BoardSketch, Leaderboard, Period, Score, Snapshot
from leaderboards.rules import estimates
from leaderboards.selectors.standings import Around, Behind, FromOffset, known_places_of, page, place, rank
from leaderboards.services import follower, snapshots
from tests import factories
from tests.held import waits_for
from tests.leaderboards.world import World, us

PLAYERS = 3_000
TOP = 200
FIRST = 1_000_000  # of the players, far from those whom tests name


@pytest.fixture(autouse=True)
def _small_limits(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.LEADERBOARD_EXACT_PLAYERS = 1_000
    monkeypatch.setattr(estimating, "EXACT_PLACES", TOP)
    monkeypatch.setattr(estimates, "STEPS", 200)


_FILL = """
INSERT INTO leaderboards_score
       (player_id, period_id, studio_id, region, sort_value, reached_at, attempts, event_id, version)
SELECT %s + place - 1, %s, %s, '', sort_value, %s + (place - 1) * interval '1 microsecond', 1,
       '019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b11', 1
  FROM unnest(%s::bigint[]) WITH ORDINALITY AS v (sort_value, place)
"""


def fill(world: World, values: list[int], *, tie_break: str = "shared") -> Board:
    """Let players FIRST, FIRST + 1 … hold sort values on a board; return its order."""
    row: Leaderboard = factories.leaderboard(
        Game.objects.get(pk=world.game.id), sort="asc", tie_break=tie_break
    )
    period = Period.objects.create(leaderboard=row, studio_id=row.studio_id, span="all", name="all")
    with connection.cursor() as cursor:
        cursor.execute(_FILL, [FIRST, period.pk, row.studio_id, us(FIRST), values])
    follower.check_boards()
    return Board(world.game.id, None, period.pk, tie_break)  # type: ignore[arg-type]


def drawn(kind: str) -> list[int]:
    random = Random(kind)
    if kind == "tied":
        return [random.randrange(7) for _ in range(PLAYERS)]
    if kind == "skewed":
        return [int(1.01 ** random.randrange(2000)) for _ in range(PLAYERS)]
    return random.sample(range(10**9), PLAYERS)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tied", "skewed", "different"])
@pytest.mark.parametrize("tie_break", ["shared", "dense", "earliest"])
def test_ranks_are_exact_at_the_top_and_within_a_percent_below(
    world: World, kind: str, tie_break: str
) -> None:
    values = drawn(kind)
    order = fill(world, values, tie_break=tie_break)
    assert BoardSketch.objects.get().players == PLAYERS
    rows = sorted((value, number) for number, value in enumerate(values, start=FIRST))
    ordered, scores = [value for value, _ in rows], sorted(set(values))
    for at, (value, number) in list(enumerate(rows))[:: PLAYERS // 75] + list(enumerate(rows))[:TOP:17]:
        expected = (
            1
            + {
                "shared": bisect_left(ordered, value),
                "dense": bisect_left(scores, value),
                "earliest": at,
            }[tie_break]
        )
        found = rank(order, number)
        assert found is not None
        assert found.exact is (at <= TOP)
        assert abs(found.rank - expected) <= (0 if found.exact else PLAYERS / 100)
        around = page(order, Around(number), limit=5)
        assert number in [row.player_id for row in around.rows]
        assert abs(around.first_place - at) <= 4 + (0 if around.exact else PLAYERS / 100)


def test_every_page_has_the_rows_of_the_order_by_cursor_and_by_offset(world: World) -> None:
    values = drawn("tied")
    order = fill(world, values)
    expected = [number for _, number in sorted((value, n) for n, value in enumerate(values, start=FIRST))]
    listing, walked = page(order, FromOffset(0), limit=250), []
    while listing.rows:
        walked += [row.player_id for row in listing.rows]
        listing = page(order, Behind(listing.rows[-1]), limit=250)
    assert walked == expected
    for offset in (0, 1, TOP - 1, TOP, TOP + 1, 777, PLAYERS - 3, PLAYERS, PLAYERS + 5):
        listing = page(order, FromOffset(offset), limit=7)
        assert [row.player_id for row in listing.rows] == expected[offset : offset + 7]
    assert page(order, Around(10**9), limit=5).rows[-1].player_id == expected[-1]


def test_what_rank_a_score_would_have_is_estimated_likewise(world: World) -> None:
    values = drawn("different")
    order, ordered = fill(world, values), sorted(values)
    for value in ordered[:: PLAYERS // 40]:
        found = place(order, value - 1)
        expected = 1 + bisect_left(ordered, value - 1)
        assert abs(found.rank - expected) <= (0 if found.exact else PLAYERS / 100)
        assert found.exact is (expected <= TOP + 1)


def test_a_large_board_takes_no_room_in_valkey(world: World, valkey: Redis) -> None:
    order = fill(world, drawn("different"))
    assert valkey.exists(keys.order(order), keys.entries(order), keys.ready(order)) == 0
    info = world.api().get(f"/leaderboards/{world.game.uuid}/high-score/rank?score=5").json()
    assert info["total_count"] == PLAYERS


def test_a_board_that_grows_is_sketched_and_one_that_shrinks_is_exact_again(
    world: World, valkey: Redis, settings: Any
) -> None:
    settings.LEADERBOARD_EXACT_PLAYERS = 10_000
    order = fill(world, drawn("different"))
    assert filling.states([order])[order] is State.READY
    settings.LEADERBOARD_EXACT_PLAYERS = 1_000
    follower.check_boards()
    assert filling.states([order])[order] is State.MISSING
    assert BoardSketch.objects.get().name == order.name
    Score.objects.filter(player_id__gte=FIRST + 500).delete()
    estimating.count_changes({order: PLAYERS - 500})
    estimating.forget()
    follower.check_boards()
    assert not BoardSketch.objects.exists()
    estimating.forget()
    assert filling.states([order])[order] is State.READY
    assert page(order, FromOffset(0), limit=1).exact


def test_a_sketch_is_made_anew_once_enough_players_moved(world: World) -> None:
    order = fill(world, drawn("different"))
    made_at = BoardSketch.objects.get().made_at
    few = PLAYERS * estimates.CHANGES_PER_MILLE // 1000
    assert estimating.count_changes({order: few}) == ({order}, set())
    follower.check_boards()
    assert BoardSketch.objects.get().made_at == made_at
    assert estimating.count_changes({order: 1}) == ({order}, {order})
    follower.check_boards()
    assert BoardSketch.objects.get().made_at > made_at
    assert BoardSketch.objects.get().changes == 0


def test_submissions_to_a_large_board_are_counted_and_not_written_to_valkey(
    world: World, valkey: Redis
) -> None:
    order = fill(world, drawn("different"))
    world.api().post(f"/leaderboards/{world.game.uuid}/high-score/scores", {"player": "a", "score": -1})
    world.follow()
    assert valkey.exists(keys.order(order), keys.entries(order)) == 0
    assert BoardSketch.objects.get().changes == 1
    top = world.api().get(f"/leaderboards/{world.game.uuid}/high-score?limit=1").json()
    assert (top["results"][0]["player"]["external_id"], top["exact"]) == ("a", True)
    assert truth.count(order) == PLAYERS + 1
    assert client("boards").ping()


def test_a_change_of_a_board_that_another_process_made_exact_comes_to_valkey(
    world: World, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    order = fill(world, drawn("different"))
    monkeypatch.setattr(estimating, "_KEPT_S", 3_600.0)
    assert order.name in estimating.large()
    settings.LEADERBOARD_EXACT_PLAYERS = 2 * PLAYERS
    BoardSketch.objects.all().delete()
    rebuilding.rebuild(order)
    world.api().post(f"/leaderboards/{world.game.uuid}/high-score/scores", {"player": "a", "score": -1})
    world.follow()
    assert order.name in estimating.large()
    (best,) = truth.page(order, limit=1)
    assert filling.held(order, [best.player_id])[best.player_id].sort_value == best.sort_value == -1


def test_a_large_board_that_changed_is_looked_at_too(world: World) -> None:
    fill(world, drawn("different"))
    world.api().post(f"/leaderboards/{world.game.uuid}/high-score/scores", {"player": "a", "score": -1})
    world.follow()
    assert snapshots.take_snapshots(now=timezone.now()) == 1
    assert Snapshot.objects.get().players == PLAYERS
    (kept,) = world.api().get(f"/leaderboards/{world.game.uuid}/high-score/snapshots").json()["results"]
    assert kept["players"] == PLAYERS


def test_places_on_large_boards_of_points_are_known(world: World, settings: Any) -> None:
    settings.LEADERBOARD_EXACT_PLAYERS = 4
    players = world.standings([(points, points) for points in range(10, 20)])
    assert known_places_of(players[3], game_ids=[world.game.id]) == ({}, False)
    follower.check_boards()
    assert filling.states([world.board])[world.board] is State.MISSING
    places, knows_all = known_places_of(players[3], game_ids=[world.game.id])
    assert (places[world.game.id].rank, places[world.game.id].sort_value) == (7, -13)
    assert knows_all


def test_nobody_forgets_sketches_while_one_is_kept() -> None:
    assert waits_for(estimating._lock, estimating.forget)
