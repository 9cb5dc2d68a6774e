"""A player beside his friends, and beside another: what each has, and what it costs to ask."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from redis import Redis

from accounts.models import Player
from achievements.models import Achievement, AchievementTranslation
from config.embedded import Servers
from core.redis import breaker, client
from social import keys
from social.models import Friendship
from tests import factories
from tests.patience import valkey_frozen
from tests.social.people import People, names, rows

pytestmark = pytest.mark.django_db
BESIDE = "/players/me/friends/compare"


@pytest.fixture
def people() -> People:
    made = People()
    for key, points in (("a", 10), ("b", 20), ("c", 40)):
        made.achievement(key, points=points)
    return made


@pytest.fixture
def valkey() -> Redis:
    return client("cache")


def beside(people: People, name: str = "me", query: str = "") -> list[dict[str, Any]]:
    return rows(people.api("anna").get(f"/players/{name}/friends/compare{query}"))


@contextmanager
def at_most(most: int) -> Iterator[None]:
    with CaptureQueriesContext(connection) as asked:
        yield
    assert len(asked) <= most, "\n".join(query["sql"][:200] for query in asked.captured_queries)


def test_a_player_stands_among_his_friends_by_points(people: People) -> None:
    people.befriend("anna", "ben", "cleo", "dora", "emil")
    for name, key in (("anna", "a"), ("anna", "b"), ("ben", "c"), ("cleo", "a"), ("dora", "a")):
        people.unlock(name, key)
    people["fred"]
    listed = beside(people)
    assert [(row["player"]["display_name"], row["points"], row["is_me"]) for row in listed] == [
        ("Ben", 40, False),
        ("Anna", 30, True),
        ("Cleo", 10, False),
        ("Dora", 10, False),  # as many as Cleo, and later
        ("Emil", 0, False),
    ]
    me, nobody = listed[1], listed[4]
    assert (me["unlocked"], me["available"], me["completion_percent"]) == (2, 3, 66.7)
    assert me["last_unlock_at"].endswith("Z")
    assert (nobody["available"], nobody["completion_percent"], nobody["last_unlock_at"]) == (0, 0.0, None)
    answer = people.api("anna").get(BESIDE)
    assert answer.json()["total_count"] == 5
    assert (answer.json()["next_cursor"], answer.json()["has_next_page"]) == (None, False)
    assert answer["Cache-Control"] == "private, no-cache"
    assert people.api("anna").get(BESIDE, If_None_Match=answer["ETag"]).status_code == 304


def test_one_game_is_compared_alone(people: People) -> None:
    other = factories.game(people.studio)
    factories.achievement(other, "x", points=100)
    people.befriend("anna", "ben")
    people.unlock("anna", "a")
    people.unlock("ben", "x", game=other)
    here = beside(people, query=f"?game_id={people.game.uuid}")
    assert [(row["player"]["display_name"], row["points"], row["available"]) for row in here] == [
        ("Anna", 10, 3),
        ("Ben", 0, 3),
    ]
    assert [row["points"] for row in beside(people)] == [100, 10]
    narrow = factories.api(factories.server_key(people.studio, game=other))
    assert names(narrow.get("/players/anna/friends/compare")) == ["Ben", "Anna"]
    assert rows(narrow.get("/players/anna/friends/compare"))[0]["points"] == 100
    assert narrow.get(f"/players/anna/friends/compare?game_id={people.game.uuid}").status_code == 404
    for wrong, status in (("x", 404), (str(factories.game().uuid), 404)):
        assert people.server.get(f"/players/anna/friends/compare?game_id={wrong}").status_code == status
    assert people.server.get("/players/anna/friends/compare?limit=5").status_code == 400


def test_a_studio_sees_its_own_ids_and_leaves_out_whom_it_banned(people: People) -> None:
    people.befriend("anna", "ben", "cleo")
    people.unlock("ben", "a")
    people.unlock("cleo", "b")
    factories.ban(people.studio, "cleo")
    listed = rows(people.server.get("/players/anna/friends/compare"))
    assert [row["player"]["external_id"] for row in listed] == ["ben", "anna"]
    assert names(people.api("anna").get(BESIDE)) == ["Ben", "Anna"]


def test_what_is_kept_is_what_postgresql_says(people: People, valkey: Redis) -> None:
    people.befriend("anna", "ben")
    people.unlock("anna", "a")
    people.unlock("ben", "b")
    built = beside(people)
    assert valkey.ttl(keys.summary(people["ben"].pk)) > 0
    with CaptureQueriesContext(connection) as asked:
        assert beside(people) == built
    assert not any("achievements_playergame" in query["sql"] for query in asked.captured_queries)
    valkey.flushdb()
    assert beside(people) == built


def test_what_is_kept_is_never_older_than_the_totals(people: People, valkey: Redis) -> None:
    people.befriend("anna", "ben")
    people.unlock("ben", "a", at="2026-01-01T00:00:00Z")
    assert beside(people)[0]["last_unlock_at"] == "2026-01-01T00:00:00.000Z"
    kept: Any = valkey.get(keys.summary(people["ben"].pk))
    people.unlock("ben", "b", at="2026-02-01T00:00:00Z")
    after = beside(people)[0]
    assert (after["unlocked"], after["last_unlock_at"]) == (2, "2026-02-01T00:00:00.000Z")
    valkey.set(keys.summary(people["ben"].pk), kept)  # by who read it before, and was slow
    assert beside(people)[0] == after
    body = {"game_id": str(people.game.uuid), "player": "ben", "achievement": "b", "reason": "a test"}
    assert people.server.post("/achievements/revoke", body).status_code == 202
    assert beside(people)[0]["last_unlock_at"] == "2026-01-01T00:00:00.000Z"


@pytest.mark.parametrize("fault", ["freeze", "dead"])
def test_without_valkey_postgresql_answers(people: People, servers: Servers, fault: str) -> None:
    people.befriend("anna", "ben")
    people.unlock("ben", "a")
    built = beside(people)
    with valkey_frozen(servers) if fault == "freeze" else nullcontext():
        if fault == "dead":
            breaker("cache")._open_until = float("inf")
        assert beside(people) == built
        assert beside(people) == built


def test_500_friends_cost_as_many_queries_as_one(people: People, valkey: Redis) -> None:
    people.unlock("anna", "a")
    made = Player.objects.bulk_create(Player(display_name=f"f{n}") for n in range(500))
    now = timezone.now()
    Friendship.objects.bulk_create(
        Friendship(player_id=one, friend_id=other, since=now)
        for friend in made
        for one, other in ((people["anna"].pk, friend.pk), (friend.pk, people["anna"].pk))
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO achievements_playertotal (player_id, region, points, unlocked, points_reached_at, version)"
            " SELECT friend_id, '', friend_id %% 50, 1, now(), 1 FROM social_friendship WHERE player_id = %s",
            [people["anna"].pk],
        )
    api, path = people.api("anna"), f"{BESIDE}?game_id={people.game.uuid}"
    for _ in ("first", "kept"):
        factories.forget()
        with at_most(7):
            listed = rows(api.get(BESIDE))
        assert len(listed) == 501
        with at_most(7):
            assert len(rows(api.get(path))) == 501
    factories.forget()
    with at_most(7):
        assert len(rows(people.server.get("/players/anna/friends/compare"))) == 501
    assert [row["points"] for row in listed] == sorted((row["points"] for row in listed), reverse=True)


def compare(people: People, query: str = "", *, name: str = "anna", other: str = "ben") -> Any:
    answer = people.api(name).get(f"/players/me/compare/{people.id(other)}?game_id={people.game.uuid}{query}")
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_two_are_compared_achievement_by_achievement(people: People) -> None:
    people.achievement("steps", type="incremental", target=10, points=5)
    for name, key in (("anna", "a"), ("anna", "b"), ("ben", "b"), ("ben", "c")):
        people.unlock(name, key)
    body = {
        "game_id": str(people.game.uuid),
        "achievement": "steps",
        "player": "ben",
        "steps": 4,
        "op": "set",
    }
    assert people.server.post("/achievements/progress", body).status_code == 202
    said = compare(people)
    assert (said["game_id"], said["name"]) == (str(people.game.uuid), people.game.title)
    assert (said["both"], said["only_player"], said["only_other"], said["total_count"]) == (1, 1, 1, 4)
    for who, name, points in (("player", "Anna", 30), ("other", "Ben", 60)):
        has = said[who]
        assert (has["player"]["display_name"], has["points"], has["unlocked"]) == (name, points, 2)
        assert (has["available"], has["completion_percent"]) == (4, 50.0)
    told = {row["key"]: (row["player"]["unlocked"], row["other"]["unlocked"]) for row in said["results"]}
    assert told == {"a": (True, False), "b": (True, True), "c": (False, True), "steps": (False, False)}
    steps = said["results"][-1]
    assert steps["player"]["progress"] == {"current": 0, "target": 10}
    assert steps["other"]["progress"] == {"current": 4, "target": 10}
    assert said["results"][0]["other"] == {"unlocked": False, "unlocked_at": None, "progress": None}
    assert "external_id" not in str(said)
    mine = people.server.get(f"/players/anna/compare/ben?game_id={people.game.uuid}").json()
    assert mine["other"]["player"]["external_id"] == "ben"
    # Oneself may be compared with oneself.
    assert compare(people, other="anna")["both"] == 2


def test_what_is_hidden_is_masked_until_who_asks_has_it(people: People) -> None:
    people.achievement("secret", hidden=True, icon_url="https://x.example/a", points=99, type="standard")
    people.unlock("ben", "secret")
    masked = compare(people)["results"][-1]
    named = ("key", "name", "description", "points")
    assert {name: masked[name] for name in named} == dict.fromkeys(named)
    assert (masked["hidden"], masked["other"]["unlocked"], masked["icon_url"]) == (True, True, "")
    studio = people.server.get(f"/players/anna/compare/ben?game_id={people.game.uuid}").json()
    assert studio["results"][-1]["key"] == "secret"
    assert compare(people, name="ben", other="anna")["results"][-1]["key"] == "secret"
    people.unlock("anna", "secret")
    assert compare(people)["results"][-1]["points"] == 99


def test_drafts_and_archived_ones_stay_with_who_has_them(people: People) -> None:
    people["anna"]
    for name, key in (("ben", "a"), ("ben", "b")):
        people.unlock(name, key)
    for key, state in (("a", "archived"), ("b", "draft")):
        Achievement.objects.filter(key=key).update(state=state)
    factories.forget()
    said = compare(people)
    assert [row["key"] for row in said["results"]] == ["a", "c"]
    assert (said["only_other"], said["other"]["available"], said["other"]["completion_percent"]) == (
        1,
        1,
        100.0,
    )
    assert [row["key"] for row in compare(people, name="ben", other="anna")["results"]] == ["a", "b", "c"]


def test_it_speaks_the_reader_s_language(people: People) -> None:
    a = Achievement.objects.get(key="a")
    AchievementTranslation.objects.create(achievement=a, language="pt", name="Primeiro")
    factories.forget()
    people["ben"]
    assert compare(people, "&lang=pt-BR")["results"][0]["name"] == "Primeiro"
    for query in (f"?game_id={people.game.uuid}&lang=../", "?lang=../"):
        assert people.api("anna").get(f"/players/me/compare/{people.id('ben')}{query}").status_code == 400


def test_pages_of_a_comparison_join_without_gap_or_repeat(people: People) -> None:
    people.unlock("ben", "a")
    whole = [row["key"] for row in compare(people)["results"]]
    first = compare(people, "&limit=2")
    second = compare(people, f"&limit=2&cursor={first['next_cursor']}")
    assert [row["key"] for row in first["results"] + second["results"]] == whole
    assert second["next_cursor"] is None
    assert first["total_count"] == second["total_count"] == 3
    foreign = (
        f"/players/me/compare/{people.id('cleo')}?game_id={people.game.uuid}&cursor={first['next_cursor']}"
    )
    assert people.api("anna").get(foreign).status_code == 400


def test_without_a_game_the_games_of_both_are_compared(people: People) -> None:
    second, third, foreign = (
        factories.game(people.studio, title=title) for title in ("Two", "Three", "Four")
    )
    for game in (second, third, foreign):
        factories.achievement(game, "x", points=5)
    for name, game in (("anna", second), ("ben", second), ("anna", third), ("ben", foreign)):
        people.unlock(name, "x", game=game)
    for name, key in (("anna", "a"), ("ben", "a"), ("ben", "b")):
        people.unlock(name, key)
    path = f"/players/me/compare/{people.id('ben')}"
    said = people.api("anna").get(path).json()
    assert [(row["name"], row["player"]["points"], row["other"]["points"]) for row in said["results"]] == [
        (people.game.title, 10, 30),
        ("Two", 5, 5),
    ]
    assert (said["player"]["display_name"], said["other"]["display_name"]) == ("Anna", "Ben")
    assert said["results"][0]["other"]["completion_percent"] == 66.7
    page = people.api("anna").get(f"{path}?limit=1").json()
    rest = people.api("anna").get(f"{path}?limit=1&cursor={page['next_cursor']}").json()
    assert page["results"] + rest["results"] == said["results"]
    assert rest["has_next_page"] is False


def test_a_studio_compares_its_own_games_only(people: People) -> None:
    elsewhere = People()
    elsewhere.achievement("x")
    for name in ("anna", "ben"):
        people.unlock(name, "a")
        elsewhere.unlock(name, "x")
        identity = people[name].identities.get()
        # The same person in both studios, as a link code will join them.
        there = Player.objects.get(identities__studio=elsewhere.studio, identities__external_id=name)
        there.identities.update(player_id=identity.player_id)
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE achievements_playergame SET player_id = %s WHERE player_id = %s",
                [identity.player_id, there.pk],
            )
    factories.forget()
    assert len(rows(people.api("anna").get(f"/players/me/compare/{people.id('ben')}"))) == 2
    for server, game in ((people.server, people.game), (elsewhere.server, elsewhere.game)):
        (row,) = rows(server.get("/players/anna/compare/ben"))
        assert row["game_id"] == str(game.uuid)
    assert people.server.get(f"/players/anna/compare/ben?game_id={elsewhere.game.uuid}").status_code == 404


def test_a_comparison_of_two_costs_the_same_however_much_they_have(people: People) -> None:
    people.achievement("steps", type="incremental", target=10)
    factories.stat(people.game)
    people.achievement("kills", type="incremental", target=5, stat="kills")
    for number in range(40):
        people.achievement(f"n{number}")
    for number in range(40):
        people.unlock("ben", f"n{number}")
    api, path = people.api("anna"), f"/players/me/compare/{people.id('ben')}"
    compare(people)
    with at_most(10):
        assert len(rows(api.get(f"{path}?game_id={people.game.uuid}"))) == 45
    with at_most(6):
        api.get(path)
