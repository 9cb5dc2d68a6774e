"""A player and his friends, ranked among themselves."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from accounts.models import Game, Player
from leaderboards.listing import FromOffset, Row, among_themselves
from leaderboards.rules.ranks import TieBreak
from social.models import Friendship
from tests import factories
from tests.leaderboards.world import EPOCH, World

RULES: list[TieBreak] = ["shared", "dense", "earliest"]


@pytest.fixture
def board(world: World) -> str:
    game = Game.objects.get(pk=world.game.id)
    factories.leaderboard(game)
    scores = [{"player": f"p{n}", "score": score} for n, score in enumerate([90, 70, 70, 50, 30, 10])]
    world.api().post(f"/leaderboards/{game.uuid}/high-score/scores/batch", {"scores": scores})
    world.players(7)
    world.follow()
    return f"/leaderboards/{game.uuid}/high-score"


def befriend(*pairs: tuple[str, str]) -> None:
    pks = dict(Player.objects.values_list("identities__external_id", "pk"))
    Friendship.objects.bulk_create(
        Friendship(player_id=pks[one], friend_id=pks[other], since=EPOCH)
        for pair in pairs
        for one, other in (pair, pair[::-1])
    )


def shown(page: Any) -> list[tuple[int, str]]:
    return [(row["rank"], row["player"]["external_id"]) for row in page["results"]]


@pytest.mark.parametrize("valkey_is_empty", [False, True])
def test_friends_are_ranked_among_themselves_and_oneself_with_them(
    world: World, board: str, valkey: Redis, valkey_is_empty: bool
) -> None:
    befriend(("p4", "p1"), ("p4", "p2"), ("p4", "p6"), ("p0", "p3"))
    if valkey_is_empty:
        valkey.flushall()
    page = world.api().get(f"{board}?friends_of=p4").json()
    assert shown(page) == [(1, "p1"), (1, "p2"), (3, "p4")]
    assert (page["total_count"], page["next_cursor"]) == (3, None)
    first = world.api().get(f"{board}?friends_of=p4&limit=2").json()
    second = world.api().get(f"{board}?friends_of=p4&limit=2&cursor={first['next_cursor']}").json()
    assert shown(first) + shown(second) == shown(page)
    assert shown(world.api().get(f"{board}?friends_of=p4&offset=1").json()) == shown(page)[1:]


def test_a_friend_who_overtakes_moves_nobody_else_across_the_border_of_a_page(
    world: World, board: str
) -> None:
    befriend(("p4", "p0"), ("p4", "p1"), ("p4", "p3"), ("p4", "p5"))
    first = world.api().get(f"{board}?friends_of=p4&limit=2").json()
    world.api().post(f"{board}/scores", {"player": "p5", "score": 99})
    world.follow()
    second = world.api().get(f"{board}?friends_of=p4&limit=2&cursor={first['next_cursor']}").json()
    assert shown(first) + shown(second) == [(1, "p0"), (2, "p1"), (4, "p3"), (5, "p4")]
    assert second["next_cursor"] is None


def test_only_the_player_and_his_studio_may_ask(world: World, board: str) -> None:
    befriend(("p4", "p1"))
    game = Game.objects.get(pk=world.game.id)
    me = factories.api(factories.player_token(game, Player.objects.get(identities__external_id="p4")))
    mine = me.get(f"{board}?friends_of=me")
    assert [row["rank"] for row in mine.json()["results"]] == [1, 2]
    assert mine.headers["Cache-Control"] == "private, max-age=0"
    assert me.get(f"{board}?friends_of=p1").status_code == 404
    assert factories.api().get(f"{board}?friends_of=p4").status_code == 401
    reader = factories.api(factories.server_key(game.studio, scopes=["definitions:read"]))
    assert reader.get(f"{board}?friends_of=p4").status_code == 403
    stranger = factories.api(factories.server_key(factories.studio()))
    assert stranger.get(f"{board}?friends_of=p4").status_code == 404
    assert world.api().get(f"{board}?friends_of=nobody").status_code == 404
    cursor = world.api().get(f"{board}?friends_of=p4&limit=1").json()["next_cursor"]
    assert world.api().get(f"{board}?friends_of=p1&cursor={cursor}").status_code == 400
    assert world.api().get(f"{board}?cursor={cursor}").status_code == 400


def test_points_have_friends_boards_too(world: World, board: str) -> None:
    befriend(("p4", "p1"))
    world.unlock(("p1", "a0"), ("p2", "a0"), ("p4", "a0"), ("p4", "a1"))
    world.follow()
    page = world.api().get(f"/leaderboards/{world.game.uuid}?friends_of=p4").json()
    assert shown(page) == [(1, "p4"), (2, "p1")]


def test_the_number_of_friends_costs_no_queries(world: World, board: str) -> None:
    counts = []
    for friends in ([("p4", "p1")], [("p4", "p0"), ("p4", "p2"), ("p4", "p3")]):
        befriend(*friends)
        world.api().get(f"{board}?friends_of=p4")
        with CaptureQueriesContext(connection) as queries:
            world.api().get(f"{board}?friends_of=p4")
        counts.append(len(queries))
    assert counts[0] == counts[1] <= 6


@given(
    st.lists(st.tuples(st.integers(-3, 3), st.integers(0, 3)), max_size=30),
    st.sampled_from(RULES),
    st.integers(0, 30),
    st.integers(1, 30),
)
def test_ranks_are_those_of_a_board_that_holds_nobody_else(
    held: list[tuple[int, int]], rule: TieBreak, offset: int, limit: int
) -> None:
    rows = [Row(player, value, reached) for player, (value, reached) in enumerate(held)]
    ordered = sorted(rows, key=lambda row: (row.sort_value, row.reached_us, row.player_id))
    values = [row.sort_value for row in ordered]
    ranks = {
        "shared": [1 + values.index(value) for value in values],
        "dense": [1 + len(set(values[: values.index(value)])) for value in values],
        "earliest": [place + 1 for place in range(len(values))],
    }[rule]
    listing = among_themselves(rule, rows, FromOffset(offset), limit=limit)
    assert listing.rows == ordered[offset : offset + limit]
    assert listing.ranks == ranks[offset : offset + limit]
    assert listing.goes_on == (offset + limit < len(ordered))
