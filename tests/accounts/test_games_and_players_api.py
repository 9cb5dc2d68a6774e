"""/games and /players at the HTTP border."""

import threading
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from accounts.models import Game, Player, PlayerIdentity, Studio
from tests import factories
from tests.factories import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def studio() -> Studio:
    return factories.studio()


@pytest.fixture
def server(studio: Studio) -> Api:
    return factories.api(factories.server_key(studio))


def facts(kind: str = "players_changed") -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT payload::text FROM core_fact WHERE kind = %s ORDER BY id", [kind])
        return list(cursor.fetchall())


def test_a_game_is_created_read_and_changed(server: Api) -> None:
    made = server.post("/games", {"title": "Emberwake", "regions": ["eu", "NA"]})
    assert made.status_code == 201
    game = made.json()
    assert UUID(game["id"]).version == 7
    assert (game["title"], game["regions"]) == ("Emberwake", ["EU", "NA"])
    assert game["created_at"].endswith("Z")
    assert server.get(f"/games/{game['id']}").json() == game
    changed = server.patch(f"/games/{game['id']}", {"title": "Emberwake II"}).json()
    assert (changed["title"], changed["regions"]) == ("Emberwake II", ["EU", "NA"])
    assert server.get(f"/games/{game['id']}").json() == changed
    assert server.patch(f"/games/{game['id']}", {"regions": []}).json()["regions"] == []


def test_a_new_game_can_be_used_at_once(server: Api) -> None:
    game = server.post("/games", {"title": "Emberwake"}).json()["id"]
    assert server.post(f"/games/{game}/achievements", {"key": "a", "name": "A"}).status_code == 201
    unlock = {"game_id": game, "player": "p-1", "achievement": "a"}
    assert server.post("/achievements/unlock", unlock).status_code == 202


def test_a_cursor_of_another_studios_games_is_malformed(server: Api, studio: Studio) -> None:
    for _ in range(2):
        factories.game(studio)
    cursor = server.get("/games?limit=1").json()["next_cursor"]
    outsider = factories.api(factories.server_key(factories.studio()))
    assert outsider.get(f"/games?cursor={cursor}").status_code == 400


def test_games_are_listed_in_pages_oldest_first(server: Api, studio: Studio) -> None:
    made = [str(factories.game(studio).uuid) for _ in range(5)]
    factories.game()  # another studio's
    first = server.get("/games?limit=2").json()
    assert first["has_next_page"] is True
    factories.game(studio)  # what comes meanwhile moves no page
    second = server.get(f"/games?limit=2&cursor={first['next_cursor']}").json()
    third = server.get(f"/games?limit=3&cursor={second['next_cursor']}").json()
    listed = [game["id"] for page in (first, second, third) for game in page["results"]]
    assert listed[:5] == made
    assert (third["next_cursor"], third["has_next_page"]) == (None, False)


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({}, 422, "/title"),
        ({"title": ""}, 422, "/title"),
        ({"title": "   "}, 422, "/title"),
        ({"title": None}, 422, "/title"),
        ({"title": 7}, 422, "/title"),
        ({"title": "x" * 201}, 422, "/title"),
        ({"title": "a\x00b"}, 422, None),
        ({"title": "x", "regions": "EU"}, 422, "/regions"),
        ({"title": "x", "regions": ["EU", "eu"]}, 422, "/regions"),
        ({"title": "x", "regions": ["Ö"]}, 422, "/regions/0"),
        ({"title": "x", "regions": ["E U"]}, 422, "/regions/0"),
        ({"title": "x", "regions": [7]}, 422, "/regions/0"),
        ({"title": "x", "regions": [f"R{n}" for n in range(51)]}, 422, "/regions"),
        ({"title": "x", "id": "019ab39f-11aa-7c00-8000-5a5a5a5a5a5a"}, 400, "/id"),
        ({"title": "x", "Title": "y"}, 400, "/Title"),
        ([], 400, None),
        (None, 400, None),
    ],
)
def test_a_game_that_cannot_be_is_refused(server: Api, body: Any, status: int, pointer: str | None) -> None:
    answer = server.post("/games", body)
    assert answer.status_code == status, answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    if pointer:
        assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]
    assert not Game.objects.exists()


def test_a_change_that_cannot_be_changes_nothing(server: Api, studio: Studio) -> None:
    game = factories.game(studio)
    answer = server.patch(f"/games/{game.uuid}", {"title": "Better", "regions": ["?"]})
    assert answer.status_code == 422
    game.refresh_from_db()
    assert game.title == "Emberwake"
    assert server.patch(f"/games/{game.uuid}", {}).json()["title"] == "Emberwake"


@pytest.mark.parametrize("path", ["/games/1", "/games/abc", "/games/..%2f", f"/games/{'0' * 32}"])
def test_what_is_no_game_s_id_is_not_found(server: Api, path: str) -> None:
    assert server.get(path).status_code == 404


def test_a_player_is_created_by_the_first_write_and_changed_by_the_next(server: Api) -> None:
    assert server.get("/players/p-1").status_code == 404
    made = server.put("/players/p-1", {"display_name": "marenok", "region": "eu"})
    assert made.status_code == 200
    player = made.json()
    assert player == {
        "id": player["id"],
        "external_id": "p-1",
        "display_name": "marenok",
        "region": "EU",
        "avatar_url": "",
        "visibility": "public",
        "time_zone": "UTC",
    }
    changed = server.put("/players/p-1", {"visibility": "private"}).json()
    assert changed == player | {"visibility": "private"}
    assert server.get("/players/p-1").json() == changed
    assert server.get(f"/players/id:{player['id']}").json() == changed
    assert server.put(f"/players/id:{player['id']}", {"region": ""}).json()["region"] == ""
    assert Player.objects.count() == 1


def test_a_change_of_nothing_is_told_to_nobody(server: Api) -> None:
    server.put("/players/p-1", {"display_name": "marenok"})
    before = len(facts())
    server.put("/players/p-1", {"display_name": "marenok"})
    assert len(facts()) == before


@pytest.mark.parametrize(
    "name", ["76561198000000001", "epic:ab12", "a/b", "träumer", "x" * 128, "%", "a b", "…/token/x"]
)
def test_a_player_has_the_studio_s_own_id(server: Api, name: str) -> None:
    path = f"/players/{quote(name, safe='')}"
    assert server.put(path, {"display_name": "x"}).json()["external_id"] == name
    assert server.get(path).json()["external_id"] == name


@pytest.mark.parametrize("name", ["x" * 129, "a%0Ab", "a%00b", "me", "id:", "id:7", "%E2%80%AE"])
def test_what_is_no_player_s_id_creates_nobody(server: Api, studio: Studio, name: str) -> None:
    assert server.put(f"/players/{name}", {"display_name": "x"}).status_code in (404, 422)
    game = factories.game(studio).uuid
    for path in (
        f"/players/{name}",
        f"/players/{name}/achievements?game_id={game}",
        f"/players/{name}/notifications",
        f"/leaderboards/{game}/points/players/{name}",
        f"/leaderboards/{game}/points/around/{name}",
    ):
        assert server.get(path).status_code == 404, path
    assert not Player.objects.exists()


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        ({"display_name": "x" * 129}, 422, "/display_name"),
        ({"display_name": 7}, 422, "/display_name"),
        ({"region": "Ö"}, 422, "/region"),
        ({"region": "x" * 17}, 422, "/region"),
        ({"visibility": "secret"}, 422, "/visibility"),
        ({"avatar_url": "javascript:alert(1)"}, 422, "/avatar_url"),
        ({"avatar_url": "//evil.example/a.png"}, 422, "/avatar_url"),
        ({"avatar_url": "https://user:pw@example.com/a.png"}, 422, "/avatar_url"),
        ({"avatar_url": "https://example.com/" + "a" * 2000}, 422, "/avatar_url"),
        ({"external_id": "p-2"}, 400, "/external_id"),
        ({"banned": False}, 400, "/banned"),
        ([], 400, None),
    ],
)
def test_a_player_that_cannot_be_is_refused(server: Api, body: Any, status: int, pointer: str | None) -> None:
    answer = server.put("/players/p-1", body)
    assert answer.status_code == status, answer.json()
    if pointer:
        assert [each["pointer"] for each in answer.json()["errors"]] == [pointer]
    assert not Player.objects.exists()
    assert facts() == []


def test_the_same_id_of_two_studios_is_two_players(server: Api) -> None:
    mine = server.put("/players/p-1", {}).json()["id"]
    theirs = factories.api(factories.server_key(factories.studio())).put("/players/p-1", {}).json()["id"]
    assert mine != theirs


def test_an_erased_player_stays_erased(server: Api, studio: Studio) -> None:
    player = factories.player(studio)
    game = factories.game(studio)
    factories.achievement(game)
    Player.objects.update(erased_at=timezone.now())
    for answer in (
        server.get("/players/p-1"),
        server.put("/players/p-1", {"display_name": "back"}),
        server.post("/players/p-1/token", {"game_id": str(game.uuid)}),
        server.post(
            "/achievements/unlock",
            {"game_id": str(game.uuid), "player": "p-1", "achievement": "first-blood"},
        ),
    ):
        assert answer.status_code == 410
        assert answer.json()["type"].endswith("/problems/gone")
    player.refresh_from_db()
    assert player.display_name == ""


def test_a_banned_player_gets_no_token(server: Api, studio: Studio) -> None:
    factories.player(studio)
    factories.ban(studio, "p-1")
    game = factories.game(studio)
    assert server.post("/players/p-1/token", {"game_id": str(game.uuid)}).status_code == 403


def test_a_token_is_for_a_game_of_the_studio(server: Api, studio: Studio) -> None:
    for named in (str(factories.game().uuid), "abc", ""):
        assert server.post("/players/p-1/token", {"game_id": named}).status_code in (404, 422)
    assert server.post("/players/p-1/token", {}).status_code == 422
    assert server.post("/players/p-1/token", {"game": "x"}).status_code == 400
    assert not Player.objects.exists()
    key = factories.server_key(studio, game=factories.game(studio))
    assert factories.api(key).post("/players/p-1/token", {}).status_code == 201


@pytest.mark.django_db(transaction=True)
def test_a_player_named_by_many_at_once_is_one_player(studio: Studio) -> None:
    server = factories.api(factories.server_key(studio))
    start = threading.Barrier(8)
    ids = []

    def put(number: int) -> None:
        start.wait()
        ids.append(server.put("/players/p-1", {"region": f"R{number}"}).json()["id"])
        connection.close()

    threads = [threading.Thread(target=put, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(ids) == 8
    assert len(set(ids)) == 1
    assert Player.objects.count() == PlayerIdentity.objects.count() == 1
