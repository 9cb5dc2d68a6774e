"""Real friendships and unlocks: replayed they are as the file has them, and who has most friends costs no more."""

import csv
import gzip
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import services as accounts
from accounts.models import Game, Player
from achievements.models import Achievement, Unlock
from social.models import FriendRequest, Friendship
from tests import factories
from tests.achievements import samples
from tests.factories import Api
from tests.faults import FULL
from tests.social.people import rows

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(not samples.REAL_DATA.is_dir(), reason=samples.NO_REAL_DATA),
]
REPLAYED = (
    50  # pairs from all over the file, besides those that it has one side of; all of them with FAULTS=full
)

_TOTALS = """
    INSERT INTO achievements_playergame (player_id, game_id, studio_id, region, points, unlocked, points_reached_at,
                                         first_unlock_at, last_unlock_at, version)
    SELECT player_id, game_id, studio_id, '', sum(points), count(*), max(heard_at), min(unlocked_at),
           max(unlocked_at), 1 FROM achievements_unlock GROUP BY player_id, game_id, studio_id
"""
_OVERALL = """
    INSERT INTO achievements_playertotal (player_id, region, points, unlocked, points_reached_at, version)
    SELECT player_id, '', sum(points), sum(unlocked), max(points_reached_at), 1
      FROM achievements_playergame GROUP BY player_id
"""


def lines(name: str) -> Iterator[dict[str, str]]:
    with gzip.open(samples.REAL_DATA / name, "rt", encoding="utf-8") as file:
        yield from csv.DictReader(file)


@pytest.fixture
def game() -> Game:
    return factories.game()


@pytest.fixture
def server(game: Game) -> Api:
    return factories.api(factories.server_key(game.studio))


def named(game: Game, names: set[str]) -> dict[str, int]:
    """Return players by their names in the files."""
    accounts.create_players(studio_id=game.studio_id, external_ids=names)
    return dict(Player.objects.values_list("identities__external_id", "pk"))


@pytest.mark.slow
def test_real_friendships_are_each_the_others(game: Game, server: Api) -> None:
    edges = [(row["player"], row["friend"]) for row in lines("friends.csv.gz")]
    sides = Counter(frozenset(edge) for edge in edges)
    one_sided = [pair for pair, count in sides.items() if count == 1]
    assert len(one_sided) == 35
    pairs = set(sides) if FULL else {*one_sided, *list(sides)[:: len(sides) // REPLAYED]}
    # One after the other, since nobody has more than a hundred requests open; of a one-sided pair both ask as well.
    replayed = [
        edge for pair in pairs for one, other in [sorted(pair)] for edge in ((one, other), (other, one))
    ]
    pks = named(game, {name for edge in replayed for name in edge})
    for one, other in replayed:
        asked = server.post(f"/players/{one}/friend-requests", {"to": other})
        assert asked.status_code == 202, asked.content
    held = [(row.player_id, row.friend_id) for row in Friendship.objects.all()]
    assert len(held) == 2 * len(pairs)
    assert {frozenset(edge) for edge in held} == {frozenset(pks[name] for name in pair) for pair in pairs}
    assert not FriendRequest.objects.exists()


@pytest.mark.slow
def test_who_has_the_most_friends_costs_no_more_queries(game: Game) -> None:
    pairs = {frozenset((row["player"], row["friend"])) for row in lines("friends.csv.gz")}
    most = Counter(name for pair in pairs for name in pair).most_common(1)[0][0]
    circle = {name for pair in pairs if most in pair for name in pair}
    pks = named(game, circle)
    now = timezone.now()
    Friendship.objects.bulk_create(
        Friendship(player_id=pks[one], friend_id=pks[other], since=now)
        for pair in pairs
        if most in pair
        for one, other in (tuple(pair), tuple(pair)[::-1])
    )
    add_unlocks(game, pks)
    api = factories.api(factories.player_token(game, Player.objects.get(pk=pks[most])))
    factories.forget()
    for path in ("friends/compare", "friends/compare", "feed?limit=100"):
        with CaptureQueriesContext(connection) as asked:
            listed = rows(api.get(f"/players/me/{path}"))
        assert len(asked) <= 8, [query["sql"] for query in asked.captured_queries]
    theirs = Unlock.objects.exclude(player_id=pks[most])
    newest = theirs.order_by("-unlocked_at", "player_id", "achievement_id")[:100]
    keys = dict(Achievement.objects.values_list("pk", "key"))
    assert [row["achievement"]["key"] for row in listed] == [keys[row.achievement_id] for row in newest]
    beside = rows(api.get("/players/me/friends/compare"))
    assert len(beside) == len(circle) > 400
    assert sum(row["unlocked"] for row in beside) == Unlock.objects.count() > 1000


def add_unlocks(first: Game, pks: dict[str, int]) -> None:
    """Add what these players unlocked, as the file has it, each of its games one of the studio's."""
    held = {
        (row["player"], row["game"], row["achievement"]): row["unlocked_at"]
        for row in lines("unlocks.csv.gz")
        if row["player"] in pks and row["unlocked_at"]
    }
    titles = sorted({game for _, game, _ in held})
    games = dict(
        zip(
            titles,
            Game.objects.bulk_create(Game(studio=first.studio, title=one) for one in titles),
            strict=True,
        )
    )
    defined = sorted({(game, key) for _, game, key in held})
    made = Achievement.objects.bulk_create(
        Achievement(studio_id=first.studio_id, game=games[game], key=key, name=key, points=5)
        for game, key in defined
    )
    achievements = dict(zip(defined, made, strict=True))
    Unlock.objects.bulk_create(
        Unlock(
            player_id=pks[player],
            achievement=achievements[game, key],
            game_id=games[game].pk,
            studio_id=first.studio_id,
            points=5,
            unlocked_at=datetime.fromisoformat(at),
            heard_at=datetime.fromisoformat(at),
            event_id=uuid4(),
        )
        for (player, game, key), at in held.items()
    )
    with connection.cursor() as cursor:
        cursor.execute(_TOTALS)
        cursor.execute(_OVERALL)
