"""What players were told last is kept for two weeks, whatever others are told meanwhile."""

from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from redis import Redis

from accounts.models import Game
from leaderboards import filling, keys
from leaderboards.models import Period
from leaderboards.selectors import definitions
from leaderboards.services import scores, telling
from leaderboards.services.scores import ScoreRequest
from tests import factories
from tests.leaderboards.world import World

WEEK = timedelta(days=7)


def submit(world: World, player: str, score: int) -> None:
    requests = [ScoreRequest(player, score)]
    scores.submit_many(
        game=world.game, key="high-score", requests=requests, by=scores.SERVER, at=timezone.now()
    )
    world.follow()


def told() -> list[Any]:
    """Return `(rank, previous rank, score)` of all that players were told, in order."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT payload FROM core_fact WHERE kind = 'ranks_changed' ORDER BY id")
        return [tuple(row[1:]) for (payload,) in cursor.fetchall() for row in payload["ranks"]]


def test_who_is_not_told_for_weeks_is_forgotten_while_others_are(world: World, valkey: Redis) -> None:
    board = factories.leaderboard(Game.objects.get(pk=world.game.id))
    now = timezone.now()
    submit(world, "a", 5)
    assert telling.tell_ranks(now=now) == 1
    submit(world, "b", 9)
    assert telling.tell_ranks(now=now + WEEK) == 1
    kept = valkey.keys("*:told:*")
    assert [valkey.hlen(key) for key in kept] == [1, 1]
    assert all(WEEK.total_seconds() < valkey.ttl(key) <= 2 * WEEK.total_seconds() for key in kept)
    submit(world, "a", 7)
    assert telling.tell_ranks(now=now + WEEK) == 1
    submit(world, "a", 8)
    assert telling.tell_ranks(now=now + 3 * WEEK) == 1
    assert told() == [(1, None, 5), (1, None, 9), (2, 1, 7), (2, None, 8)]
    order = definitions.info_of(board).order(Period.objects.get().pk)
    filling.drop_for_good(order)
    assert not valkey.exists(keys.told(order, at=int(now.timestamp())))
