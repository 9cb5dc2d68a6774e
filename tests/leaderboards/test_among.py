"""Several players ranked among themselves: Valkey, PostgreSQL and a plain model say the same."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from redis import Redis

from accounts.models import Game, Player
from core.redis import client
from leaderboards import filling, truth
from leaderboards.filling import Change
from leaderboards.keys import Board
from leaderboards.listing import FromOffset, among_themselves
from leaderboards.rules.ranks import TIE_BREAKS, TieBreak
from leaderboards.selectors import standings
from social.models import Friendship
from tests import factories
from tests.leaderboards.world import EPOCH, World, forget

PLAYERS = range(1, 13)
SCORES = st.dictionaries(
    st.sampled_from(PLAYERS),
    st.tuples(st.one_of(st.integers(-2, 2), st.integers(-(2**53), 2**53)), st.integers(0, 3)),
    max_size=12,
)


def fill(board: Board, held: dict[int, tuple[int, int]]) -> None:
    token = filling.begin(board, empty=True)
    assert token is not None
    assert filling.end(board, token, whole=True)
    filling.apply({board: [Change(pk, 1, reached, value) for pk, (value, reached) in held.items()]})


def expected(
    rule: TieBreak, held: dict[int, tuple[int, int]], circle: set[int]
) -> list[tuple[int, int, int]]:
    """Return `(rank, player, sort value)` by the words of the rules."""
    rows = sorted((value, reached, pk) for pk, (value, reached) in held.items() if pk in circle)
    values = [row[0] for row in rows]
    ranks = {
        "shared": [1 + sum(other < value for other in values) for value in values],
        "dense": [1 + len({other for other in values if other < value}) for value in values],
        "earliest": [1 + at for at in range(len(values))],
    }[rule]
    return [(rank, row[2], row[0]) for rank, row in zip(ranks, rows, strict=True)]


@pytest.mark.slow
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    held=SCORES,
    circle=st.sets(st.sampled_from(PLAYERS), min_size=1),
    rule=st.sampled_from(TIE_BREAKS),
    offset=st.integers(0, 13),
    limit=st.integers(1, 13),
)
def test_valkey_ranks_them_as_the_model_does(
    valkey: Redis, held: dict[int, tuple[int, int]], circle: set[int], rule: TieBreak, offset: int, limit: int
) -> None:
    forget()
    valkey.flushall()
    board = Board(1, None, 7, rule)
    fill(board, held)
    listing = standings.among(board, sorted(circle), FromOffset(offset), limit=limit)
    model = expected(rule, held, circle)
    assert listing.total == len(model)
    rows = [
        (rank, row.player_id, row.sort_value) for rank, row in zip(listing.ranks, listing.rows, strict=True)
    ]
    assert rows == model[offset : offset + limit]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("rule", TIE_BREAKS)
@pytest.mark.parametrize("sort", ["asc", "desc"])
def test_both_stores_rank_them_alike(world: World, valkey: Redis, rule: TieBreak, sort: str) -> None:
    game = Game.objects.get(pk=world.game.id)
    made = factories.leaderboard(game, tie_break=rule, sort=sort)
    scores = [{"player": f"p{n}", "score": score} for n, score in enumerate([5, 7, 7, 1, 5, 9, 7])]
    world.api().post(f"/leaderboards/{game.uuid}/{made.key}/scores/batch", {"scores": scores})
    world.follow()
    (board,) = [one for one in truth.boards(game_id=game.pk) if one.period_id is not None]
    circle = world.players(9)[1:]
    rows = [entry.row for entry in truth.of_players(board, circle).values()]
    found = standings.among(board, circle, FromOffset(0), limit=501)
    valkey.flushall()
    counted = standings.among(board, circle, FromOffset(0), limit=501)
    assert found == counted == among_themselves(rule, rows, FromOffset(0), limit=501)
    held = {row.player_id: (row.sort_value, row.reached_us) for row in rows}
    assert found.ranks == [rank for rank, _, _ in expected(rule, held, set(circle))]
    assert found.total == 6


@pytest.mark.django_db(transaction=True)
def test_500_friends_cost_as_many_queries_as_one(world: World, valkey: Redis) -> None:
    game = Game.objects.get(pk=world.game.id)
    factories.leaderboard(game)
    me, *others = world.players(501)
    scores = [{"player": f"p{n}", "score": n} for n in range(501)]
    for at in (0, 100, 200, 300, 400, 500):
        batch = {"scores": scores[at : at + 100]}
        world.api().post(f"/leaderboards/{game.uuid}/high-score/scores/batch", batch)
    world.follow()
    path = f"/leaderboards/{game.uuid}/high-score?friends_of=p0&limit=1000"
    for _ in ("from Valkey", "from PostgreSQL"):
        Friendship.objects.all().delete()
        counts = []
        for friends in (others[:1], others[1:]):
            Friendship.objects.bulk_create(
                Friendship(player_id=me, friend_id=pk, since=EPOCH) for pk in friends
            )
            world.api().get(path)
            client("cache").flushdb()  # who was shown just now is looked up all the same
            with CaptureQueriesContext(connection) as queries:
                page = world.api().get(path).json()
            counts.append(len(queries))
        assert counts[0] == counts[1]
        valkey.flushall()
    assert (page["total_count"], page["results"][-1]["player"]["external_id"]) == (501, "p0")
    assert Player.objects.count() == 501
