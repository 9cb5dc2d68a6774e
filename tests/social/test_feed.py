"""What friends have unlocked: newest first, of whom may be seen, and at the same cost for 500 friends."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import Player
from achievements.models import Achievement, AchievementTranslation, Unlock
from achievements.selectors import circles
from achievements.selectors.circles import Place
from core.clock import microseconds
from social.models import Friendship
from tests import factories
from tests.social.people import People, rows

pytestmark = pytest.mark.django_db
FEED = "/players/me/feed"
BEGIN = datetime.fromisoformat("2026-01-01T00:00:00Z")


@pytest.fixture
def people() -> People:
    made = People()
    for key, points in (("a", 10), ("b", 20), ("c", 40)):
        made.achievement(key, points=points)
    made.befriend("anna", "ben", "cleo")
    return made


def feed(people: People, query: str = "", *, name: str = "anna") -> list[dict[str, Any]]:
    return rows(people.api(name).get(f"{FEED}{query}"))


def told(listed: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(row["player"]["display_name"], row["achievement"]["key"]) for row in listed]


def test_friends_unlocks_are_told_newest_first(people: People) -> None:
    people["dora"]
    for name, key, day in (
        ("ben", "a", 3),
        ("cleo", "a", 4),
        ("ben", "b", 1),
        ("anna", "a", 5),
        ("dora", "a", 6),
    ):
        people.unlock(name, key, at=f"2026-01-0{day}T00:00:00Z")
    listed = feed(people)
    assert told(listed) == [("Cleo", "a"), ("Ben", "a"), ("Ben", "b")]
    row = listed[0]
    assert row.keys() == {"player", "game_id", "game", "achievement", "points", "unlocked_at"}
    assert (row["game_id"], row["game"], row["points"]) == (str(people.game.uuid), "Emberwake", 10)
    assert (row["unlocked_at"], row["achievement"]["name"]) == ("2026-01-04T00:00:00.000Z", "A")
    assert "external_id" not in row["player"]
    (first, *_) = rows(people.server.get("/players/anna/feed"))
    assert first["player"]["external_id"] == "cleo"
    answer = people.api("anna").get(FEED)
    assert answer["Cache-Control"] == "private, no-cache"
    assert people.api("anna").get(FEED, If_None_Match=answer["ETag"]).status_code == 304
    assert told(feed(people, name="dora")) == []


def test_what_is_hidden_is_masked_until_the_reader_has_it(people: People) -> None:
    people.achievement("secret", hidden=True, icon_url="https://x.example/a", points=99)
    people.unlock("ben", "secret")
    (row,) = feed(people)
    assert row["achievement"] == {
        "key": None,
        "name": None,
        "description": None,
        "hidden": True,
        "icon_url": "",
    }
    assert row["points"] is None
    assert told(rows(people.server.get("/players/anna/feed"))) == [("Ben", "secret")]
    people.unlock("anna", "secret")
    assert [(row["achievement"]["key"], row["points"]) for row in feed(people)] == [("secret", 99)]


def test_what_was_taken_back_and_drafts_are_not_told(people: People) -> None:
    for key in ("a", "b", "c"):
        people.unlock("ben", key)
    body = {"game_id": str(people.game.uuid), "player": "ben", "achievement": "b", "reason": "a test"}
    assert people.server.post("/achievements/revoke", body).status_code == 202
    Achievement.objects.filter(key="c").update(state="draft")
    assert told(feed(people)) == [("Ben", "a")]
    Achievement.objects.filter(key="c").update(state="archived")
    assert told(feed(people)) == [("Ben", "c"), ("Ben", "a")]


def test_who_is_banned_is_not_told_of(people: People) -> None:
    people.unlock("ben", "a")
    people.unlock("cleo", "b")
    factories.ban(people.studio, "ben")
    assert told(feed(people)) == [("Cleo", "b")]
    assert told(rows(people.server.get("/players/anna/feed"))) == [("Cleo", "b")]
    factories.ban(people.studio, "ben", banned=False)
    assert len(feed(people)) == 2


def test_a_studio_reads_of_its_own_games_and_a_ban_is_of_its_games(people: People) -> None:
    elsewhere = People()
    elsewhere.achievement("x")
    people.unlock("ben", "a")
    ben, anna = people["ben"], people["anna"]
    for name, player in (("ben", ben), ("anna", anna)):
        elsewhere[name].identities.update(player_id=player.pk)  # the same person in both studios
    factories.forget()
    elsewhere.unlock("ben", "x")
    assert told(feed(people)) == [("Ben", "x"), ("Ben", "a")]
    for server, key in ((people.server, "a"), (elsewhere.server, "x")):
        assert told(rows(server.get("/players/anna/feed"))) == [("Ben", key)]
    factories.ban(elsewhere.studio, "ben")
    assert told(feed(people)) == [("Ben", "a")]
    second = factories.game(people.studio)
    narrow = factories.api(factories.server_key(people.studio, game=second))
    assert rows(narrow.get("/players/anna/feed")) == []


def test_it_speaks_the_reader_s_language(people: People) -> None:
    a = Achievement.objects.get(key="a")
    AchievementTranslation.objects.create(achievement=a, language="pt", name="Primeiro")
    people.unlock("ben", "a")
    assert feed(people, "?lang=pt-BR")[0]["achievement"]["name"] == "Primeiro"


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=x", "limit=1&limit=2", "cursor=x", "cursor=", "lang=../", "game_id=x"],
)
def test_what_cannot_be_asked_is_refused(people: People, query: str) -> None:
    assert people.api("anna").get(f"{FEED}?{query}").status_code == 400


def test_pages_join_and_a_cursor_is_its_reader_s(people: People) -> None:
    for name in ("ben", "cleo"):
        for key in ("a", "b", "c"):
            people.unlock(name, key, at="2026-01-01T00:00:00Z")  # all at once: their order is still one
    whole, found, cursor = feed(people), [], ""
    while True:
        answer = people.api("anna").get(f"{FEED}?limit=1{cursor}").json()
        found += answer["results"]
        if not answer["has_next_page"]:
            break
        cursor = f"&cursor={answer['next_cursor']}"
    assert len(whole) == 6
    assert found == whole
    assert people.api("ben").get(f"{FEED}?limit=1{cursor}").status_code == 400
    assert people.server.get(f"/players/anna/feed?limit=1{cursor}").status_code == 400


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    held=st.lists(
        st.tuples(st.integers(1, 6), st.integers(0, 8), st.integers(0, 5)),
        max_size=40,
        unique_by=lambda one: (one[0], one[1]),
    ),
    circle=st.sets(st.integers(1, 6)),
    limit=st.integers(1, 7),
)
def test_a_page_is_what_all_unlocks_together_say(
    people: People, held: Sequence[tuple[int, int, int]], circle: set[int], limit: int
) -> None:
    """`held` is `(player, achievement, day)` each."""
    Unlock.objects.all().delete()
    Achievement.objects.exclude(key__in="abc").delete()
    made = Achievement.objects.bulk_create(
        Achievement(studio_id=people.studio.pk, game=people.game, key=f"n{n}", name="n") for n in range(9)
    )
    add_unlocks(people, [(10_000 + player, made[which].pk, day) for player, which, day in held])
    expected = sorted(
        (-day, 10_000 + player, made[which].pk) for player, which, day in held if player in circle
    )
    found: list[tuple[int, int, int]] = []
    after = None
    while True:
        page = circles.news(
            [10_000 + player for player in circle],
            reader_id=0,
            studio_id=None,
            game_id=None,
            after=after,
            limit=limit,
        )
        found += [(-(one.unlocked_at - BEGIN).days, one.player_id, one.achievement_id) for one in page]
        if len(page) < limit:
            break
        last = page[-1]
        after = Place(microseconds(last.unlocked_at), last.player_id, last.achievement_id)
    assert found == expected


def add_unlocks(people: People, held: Sequence[tuple[int, int, int]]) -> None:
    """Add unlocks, `(player, achievement, day)` each, without totals."""
    Unlock.objects.bulk_create(
        Unlock(
            player_id=player,
            achievement_id=achievement,
            game_id=people.game.pk,
            studio_id=people.studio.pk,
            points=1,
            unlocked_at=BEGIN + timedelta(days=day),
            heard_at=BEGIN,
            event_id=uuid4(),
        )
        for player, achievement, day in held
    )


def test_500_friends_cost_as_many_queries_as_one(people: People) -> None:
    people.unlock("ben", "a")

    def queries(length: int, query: str = "?limit=1000") -> int:
        api = people.api("anna")
        factories.forget()
        with CaptureQueriesContext(connection) as asked:
            assert len(rows(api.get(f"{FEED}{query}"))) == length
        return len(asked)

    few = queries(1)
    made = Player.objects.bulk_create(Player(display_name=f"f{n}") for n in range(498))
    now, anna = timezone.now(), people["anna"].pk
    Friendship.objects.bulk_create(
        Friendship(player_id=one, friend_id=other, since=now)
        for friend in made
        for one, other in ((anna, friend.pk), (friend.pk, anna))
    )
    ids = list(Achievement.objects.order_by("id").values_list("pk", flat=True))
    add_unlocks(people, [(friend.pk, pk, n % 50) for n, friend in enumerate(made) for pk in ids])
    assert queries(1000) == queries(100, "") == few <= 8
