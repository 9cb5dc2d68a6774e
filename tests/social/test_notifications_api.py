"""The inbox over HTTP, and GET /api/v1: for its player, for the studio's server, for nobody else."""

import json
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import services as accounts
from accounts.models import PlayerIdentity
from achievements.services import revokes
from core.ids import new_id
from social.models import Notification
from tests.social.world import World

JSON = "application/json"


class Api:
    """A caller with one credential."""

    def __init__(self, credential: str | None) -> None:
        self._client = Client()
        self._headers = {"Authorization": f"Bearer {credential}"} if credential else {}

    def get(self, path: str, **headers: str) -> tuple[int, Any]:
        response = self._client.get(f"/api/v1/{path}", headers={**self._headers, **headers})
        return response.status_code, response.json() if response.content else None

    def post(self, path: str, body: Any) -> tuple[int, Any]:
        response = self._client.post(f"/api/v1/{path}", json.dumps(body), JSON, headers=self._headers)
        return response.status_code, response.json()

    def delete(self, path: str) -> int:
        return self._client.delete(f"/api/v1/{path}", headers=self._headers).status_code


def server_of(world: World, *scopes: str) -> Api:
    return Api(accounts.issue_key(studio_id=world.game.studio_id, name="server", scopes=scopes)[1])


@pytest.fixture
def anna(world: World) -> Api:
    world.unlock("anna", "a1", "a2", "a3")
    return Api(world.token("anna"))


def test_a_player_reads_his_inbox_newest_first(world: World, anna: Api) -> None:
    status, page = anna.get("players/me/notifications")
    assert status == 200
    assert [item["data"]["achievement"]["key"] for item in page["results"]] == ["a3", "a2", "a1"]
    assert [item["id"] for item in page["results"]] == world.ids("anna")[::-1]
    assert page["results"][0].keys() == {"id", "type", "at", "data", "read_at"}
    assert (page["next_cursor"], page["has_next_page"], page["unread_count"]) == (None, False, 3)
    assert anna.get("players/anna/notifications") == (status, page)
    assert anna.get(f"players/id:{world.player('anna').uuid}/notifications") == (status, page)


def test_pages_follow_each_other_without_gap_or_repeat(world: World, anna: Api) -> None:
    seen: list[str] = []
    cursor = ""
    while True:
        _, page = anna.get(f"players/me/notifications?limit=2{cursor}")
        seen += [item["id"] for item in page["results"]]
        if not page["has_next_page"]:
            break
        cursor = f"&cursor={page['next_cursor']}"
        world.unlock("anna", f"a{10 + len(seen)}")  # what comes meanwhile shifts nothing
    assert seen == world.ids("anna")[:3][::-1]


def test_a_cursor_of_another_list_is_refused(world: World, anna: Api) -> None:
    _, page = anna.get("players/me/notifications?limit=1")
    cursor = page["next_cursor"]
    world.unlock("ben", "a1")
    assert anna.get(f"players/me/notifications?unread=true&cursor={cursor}")[0] == 400
    assert Api(world.token("ben")).get(f"players/me/notifications?cursor={cursor}")[0] == 400
    assert anna.get("players/me/notifications?cursor=x")[0] == 400


def test_what_was_read_is_read_once(world: World, anna: Api) -> None:
    first, second, third = world.ids("anna")
    assert anna.post("players/me/notifications/read", {"ids": [first, second]}) == (
        200,
        {"read": 2, "unread_count": 1},
    )
    read_at = world.inbox("anna")[0].read_at
    assert anna.post("players/me/notifications/read", {"ids": [first]}) == (
        200,
        {"read": 0, "unread_count": 1},
    )
    assert world.inbox("anna")[0].read_at == read_at
    _, page = anna.get("players/me/notifications?unread=true")
    assert [item["id"] for item in page["results"]] == [third]
    assert anna.post("players/me/notifications/read", {"all": True}) == (200, {"read": 1, "unread_count": 0})
    assert anna.get("players/me/notifications?unread=true")[1]["results"] == []


def test_nobody_marks_another_players_notifications(world: World, anna: Api) -> None:
    world.unlock("ben", "a1")
    status, answer = anna.post("players/me/notifications/read", {"ids": world.ids("ben")})
    assert (status, answer) == (200, {"read": 0, "unread_count": 3})
    assert world.inbox("ben")[0].read_at is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"all": False}, 422),
        ({"all": "yes"}, 422),
        ({"all": 1}, 422),
        ({"ids": [], "all": True}, 422),
        ({"ids": []}, 422),
        ({"ids": ["x"]}, 422),
        ({"ids": "x"}, 422),
        ({"ids": ["01a20960-069b-7886-90e6-59da40d00000"] * 1001}, 422),
        ({"every": True}, 400),
        ([], 400),
        (None, 400),
    ],
)
def test_a_body_that_can_not_be_is_refused(anna: Api, world: World, body: Any, status: int) -> None:
    assert anna.post("players/me/notifications/read", body)[0] == status
    assert all(row.read_at is None for row in world.inbox("anna"))


@pytest.mark.parametrize(
    "query", ["unread=yes", "limit=0", "limit=1001", "limit=x", "page=2", "limit=1&limit=2"]
)
def test_a_parameter_that_can_not_be_is_refused(anna: Api, query: str) -> None:
    assert anna.get(f"players/me/notifications?{query}")[0] == 400


def test_the_studios_server_needs_the_scope(world: World, anna: Api) -> None:
    reader, writer = server_of(world, "players:read"), server_of(world, "players:write")
    assert reader.get("players/anna/notifications")[1]["unread_count"] == 3
    assert reader.post("players/anna/notifications/read", {"all": True})[0] == 403
    assert writer.get("players/anna/notifications")[0] == 403
    assert writer.post("players/anna/notifications/read", {"all": True})[1]["read"] == 3
    assert reader.get("players/me/notifications")[0] == 404


def test_others_see_nothing(world: World, anna: Api) -> None:
    ben, outsider = Api(world.token("ben")), server_of(World.create(), "players:read", "players:write")
    for path in ("players/anna/notifications", f"players/id:{world.player('anna').uuid}/notifications"):
        assert ben.get(path)[0] == 404
        assert outsider.get(path)[0] == 404
        assert Api(None).get(path)[0] == 401
        assert Api(None).post(f"{path}/read", {"all": True})[0] == 401
        assert ben.post(f"{path}/read", {"all": True})[0] == 404
        assert outsider.post(f"{path}/read", {"all": True})[0] == 404


def test_a_player_whose_id_holds_a_slash_has_an_inbox(world: World) -> None:
    world.unlock("steam/76561198000000001", "a1")
    status, page = server_of(world, "players:read").get("players/steam%2F76561198000000001/notifications")
    assert (status, len(page["results"])) == (200, 1)


def test_an_unchanged_inbox_is_not_sent_again(anna: Api) -> None:
    response = anna._client.get("/api/v1/players/me/notifications", headers=anna._headers)
    assert response["Cache-Control"].startswith("private")
    assert anna.get("players/me/notifications", **{"If-None-Match": response["ETag"]})[0] == 304


@pytest.mark.parametrize(
    ("live", "socket", "events"),
    [
        ("http://127.0.0.1:8001", "ws://127.0.0.1:8001/ws/v1/live", "http://127.0.0.1:8001/api/v1/live"),
        (
            "https://laurel.example.com",
            "wss://laurel.example.com/ws/v1/live",
            "https://laurel.example.com/api/v1/live",
        ),
    ],
)
def test_the_root_tells_anybody_where_live_connections_are_taken(
    settings: Any, live: str, socket: str, events: str
) -> None:
    settings.LIVE_URL = live
    assert Api(None).get("")[0] == 404  # no trailing slash on API paths
    response = Client().get("/api/v1")
    assert response.json() == {"version": "1", "live": {"websocket": socket, "events": events}}


def revoke(world: World, name: str, key: str) -> None:
    revokes.revoke(
        game=world.game,
        player_id=world.player(name).id,
        key=key,
        reason="a mistake",
        actor="key",
        at=timezone.now(),
    )


def test_a_revoke_is_told_in_its_place_and_once(world: World) -> None:
    world.unlock_silently("anna", "a1")
    revoke(world, "anna", "a1")
    world.unlock_silently("anna", "a1", "a2")
    world.tell()
    server = server_of(world, "players:read")
    _, page = server.get("players/anna/changes")
    told = [(row["type"], row["data"]["achievement"]["key"]) for row in page["results"]]
    assert told == [
        ("achievement.unlocked", "a1"),
        ("achievement.revoked", "a1"),
        ("achievement.unlocked", "a1"),
        ("achievement.unlocked", "a2"),
    ]
    taken = page["results"][1]["data"]
    assert (taken["points"], taken["totals"]["points"], taken["totals"]["unlocked"]) == (1, 0, 0)
    world.replay()
    assert [row["id"] for row in server.get("players/anna/changes")[1]["results"]] == [
        row["id"] for row in page["results"]
    ]


def test_a_tracker_reads_on_from_where_it_was(world: World, anna: Api) -> None:
    _, first = anna.get("players/me/changes?limit=2")
    assert first["has_next_page"]
    _, second = anna.get(f"players/me/changes?since={first['next_cursor']}")
    seen = [row["data"]["achievement"]["key"] for row in first["results"] + second["results"]]
    assert (seen, second["has_next_page"]) == (["a1", "a2", "a3"], False)
    _, nothing = anna.get(f"players/me/changes?since={second['next_cursor']}")
    assert (nothing["results"], nothing["has_next_page"]) == ([], False)
    world.unlock("anna", "a4")
    _, later = anna.get(f"players/me/changes?since={nothing['next_cursor']}")
    assert [row["data"]["achievement"]["key"] for row in later["results"]] == ["a4"]
    assert set(later["results"][0]) == {"id", "type", "at", "data"}


def test_changes_are_the_player_s_own(world: World, anna: Api) -> None:
    cursor = anna.get("players/me/changes")[1]["next_cursor"]
    ben = Api(world.token("ben"))
    assert ben.get(f"players/me/changes?since={cursor}")[0] == 400
    status, problem = ben.get("players/me/changes?since=x")
    assert (status, "without it" in problem["detail"]) == (400, True)
    assert ben.get(f"players/id:{world.player('anna').uuid}/changes")[0] == 404
    assert server_of(world, "unlocks:write").get("players/anna/changes")[0] == 403
    assert server_of(World.create(), "players:read").get("players/anna/changes")[0] == 404


def test_a_studio_meets_nothing_that_another_one_s_games_told(world: World, anna: Api) -> None:
    """One person plays games of two studios: each reads, marks and deletes what its own told, and what is nobody's."""
    other, player = World.create(), world.player("anna")
    PlayerIdentity.objects.create(studio_id=other.game.studio_id, external_id="b-1", player_id=player.id)
    other.unlock("b-1", "a9")
    nobody_s = Notification.objects.create(
        player_id=player.id,
        seq=99,
        uuid=new_id(),
        kind="friend.request",
        payload="{}",
        created_at=timezone.now(),
    )
    own, theirs = world.ids("anna")[:3], world.ids("anna")[3]
    server, their_server = (server_of(studio, "players:read", "players:write") for studio in (world, other))
    of_game = Api(
        accounts.issue_key(
            studio_id=world.game.studio_id,
            name="another game's",
            scopes=["players:read", "players:write"],
            game_id=accounts.create_game(studio_id=world.game.studio_id, title="Another").pk,
        )[1]
    )

    def seen(by: Api, name: str, what: str) -> set[str]:
        return {row["id"] for row in by.get(f"players/{name}/{what}")[1]["results"]}

    for what in ("notifications", "changes"):
        assert seen(server, "anna", what) == {*own, str(nobody_s.uuid)}
        assert seen(their_server, "b-1", what) == {theirs, str(nobody_s.uuid)}
        assert seen(of_game, "anna", what) == {str(nobody_s.uuid)}
        assert seen(anna, "me", what) == {*own, theirs, str(nobody_s.uuid)}
    assert server.get("players/anna/notifications")[1]["unread_count"] == 4
    assert server.delete(f"players/anna/notifications/{theirs}") == 404
    assert of_game.delete(f"players/anna/notifications/{own[0]}") == 404
    assert server.post("players/anna/notifications/read", {"ids": [theirs]})[1]["read"] == 0
    assert their_server.post("players/b-1/notifications/read", {"all": True})[1] == {
        "read": 2,
        "unread_count": 0,
    }
    assert anna.get("players/me/notifications")[1]["unread_count"] == 3
    _, page = server.get("players/anna/notifications?limit=1")
    assert their_server.get(f"players/b-1/notifications?limit=1&cursor={page['next_cursor']}")[0] == 400
