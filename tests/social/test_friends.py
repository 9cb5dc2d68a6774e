"""Who is friends with whom: asked, answered, ended, and blocked without being told."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts import services as accounts
from accounts.models import Game, Player, Studio
from core.refusals import Conflict, Refused
from social import befriending, selectors
from social.models import Block, FriendRequest, Friendship
from tests import factories
from tests.factories import Api
from tests.patience import LONG_S

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def game() -> Game:
    return factories.game()


@pytest.fixture
def players(game: Game) -> dict[str, Player]:
    return {name: factories.player(game.studio, name) for name in ("anna", "ben", "cleo")}


@pytest.fixture
def api(game: Game, players: dict[str, Player]) -> dict[str, Api]:
    return {name: factories.api(factories.player_token(game, player)) for name, player in players.items()}


def ask(api: Api, player: Player) -> Any:
    return api.post("/players/me/friend-requests", {"to": f"id:{player.uuid}"})


def friends(api: Api) -> list[str]:
    return [row["player"]["id"] for row in api.get("/players/me/friends").json()["results"]]


def waiting(api: Api, direction: str = "in") -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = api.get(f"/players/me/friend-requests?direction={direction}").json()[
        "results"
    ]
    return rows


def befriend(api: dict[str, Api], players: dict[str, Player], one: str, other: str) -> None:
    ask(api[one], players[other])
    assert ask(api[other], players[one]).json()["status"] == "accepted"


def test_who_is_asked_may_accept(api: dict[str, Api], players: dict[str, Player]) -> None:
    asked = ask(api["anna"], players["ben"])
    assert (asked.status_code, asked.json()["status"]) == (202, "pending")
    assert ask(api["anna"], players["ben"]).json() == asked.json()
    (request,) = waiting(api["ben"])
    assert request["player"]["id"] == str(players["anna"].uuid)
    assert [one["id"] for one in waiting(api["anna"], "out")] == [request["id"]]
    path = f"/players/me/friend-requests/{request['id']}/accept"
    assert api["anna"].post(path, {}).status_code == 404
    assert api["cleo"].post(path, {}).status_code == 404
    assert api["ben"].post(path, {}).json() == {"id": request["id"], "status": "accepted"}
    assert api["ben"].post(path, {}).status_code == 404
    assert friends(api["anna"]) == [str(players["ben"].uuid)]
    assert friends(api["ben"]) == [str(players["anna"].uuid)]
    assert waiting(api["ben"]) == waiting(api["anna"], "out") == []
    assert ask(api["anna"], players["ben"]).json()["status"] == "accepted"
    assert Friendship.objects.count() == 2


def test_who_is_asked_may_decline_and_who_asked_may_take_it_back(
    api: dict[str, Api], players: dict[str, Player]
) -> None:
    for answering in ("ben", "anna"):
        asked = ask(api["anna"], players["ben"]).json()
        path = f"/players/me/friend-requests/{asked['id']}/decline"
        assert api["cleo"].post(path, {}).status_code == 404
        assert api[answering].post(path, {}).status_code == 204
        assert waiting(api["ben"]) == []
    assert not Friendship.objects.exists()


def test_who_ask_each_other_are_friends(api: dict[str, Api], players: dict[str, Player]) -> None:
    befriend(api, players, "anna", "ben")
    assert friends(api["anna"]) == [str(players["ben"].uuid)]
    assert not FriendRequest.objects.exists()


def test_a_friendship_ends_for_both(api: dict[str, Api], players: dict[str, Player]) -> None:
    befriend(api, players, "anna", "ben")
    path = f"/players/me/friends/id:{players['ben'].uuid}"
    assert api["anna"].delete(path).status_code == 204
    assert friends(api["anna"]) == friends(api["ben"]) == []
    assert api["anna"].delete(path).status_code == 404


@pytest.mark.slow
def test_whom_a_player_blocks_is_his_to_read(
    game: Game, api: dict[str, Api], players: dict[str, Player]
) -> None:
    ids = [f"id:{players[name].uuid}" for name in ("ben", "cleo")]
    for name in ids:
        api["anna"].put(f"/players/me/blocks/{name}", {})
    first = api["anna"].get("/players/me/blocks?limit=1").json()
    rest = api["anna"].get(f"/players/me/blocks?cursor={first['next_cursor']}").json()
    assert [f"id:{row['player']['id']}" for row in first["results"] + rest["results"]] == ids
    assert (first["has_next_page"], rest["has_next_page"], rest["next_cursor"]) == (True, False, None)
    assert set(first["results"][0]) == {"player", "since"}
    assert "external_id" not in first["results"][0]["player"]
    server = factories.api(factories.server_key(game.studio, scopes=["players:read"]))
    assert server.get("/players/anna/blocks").json()["results"][0]["player"]["external_id"] == "ben"
    assert api["ben"].get("/players/me/blocks").json()["results"] == []
    assert api["ben"].get(f"/players/me/blocks?cursor={first['next_cursor']}").status_code == 400
    assert api["ben"].get(f"/players/id:{players['anna'].uuid}/blocks").status_code == 404
    assert (
        factories.api(factories.server_key(factories.studio())).get("/players/anna/blocks").status_code == 404
    )
    lesser = factories.api(factories.server_key(game.studio, scopes=["players:write"]))
    assert lesser.get("/players/anna/blocks").status_code == 403
    assert factories.api().get("/players/anna/blocks").status_code == 401


@pytest.mark.slow
def test_a_block_ends_everything_and_is_not_told(api: dict[str, Api], players: dict[str, Player]) -> None:
    befriend(api, players, "anna", "ben")
    assert api["anna"].put(f"/players/me/blocks/id:{players['ben'].uuid}", {}).status_code == 204
    assert friends(api["ben"]) == []
    blocked, unblocked = ask(api["ben"], players["anna"]), ask(api["ben"], players["cleo"])
    assert (blocked.status_code, blocked.json()["status"]) == (
        unblocked.status_code,
        unblocked.json()["status"],
    )
    assert ask(api["ben"], players["anna"]).json() == blocked.json()
    assert len(waiting(api["ben"], "out")) == 2
    assert waiting(api["anna"]) == []
    path = f"/players/me/friend-requests/{blocked.json()['id']}/accept"
    assert api["anna"].post(path, {}).status_code == 404
    assert ask(api["anna"], players["ben"]).status_code == 409
    assert api["anna"].delete(f"/players/me/blocks/id:{players['ben'].uuid}").status_code == 204
    assert ask(api["anna"], players["ben"]).json()["status"] == "accepted"
    assert not Block.objects.exists()


def test_oneself_is_neither_asked_nor_blocked(api: dict[str, Api], players: dict[str, Player]) -> None:
    assert ask(api["anna"], players["anna"]).status_code == 409
    assert api["anna"].put(f"/players/me/blocks/id:{players['anna'].uuid}", {}).status_code == 409


def test_who_is_private_is_not_found_but_may_ask(api: dict[str, Api], players: dict[str, Player]) -> None:
    Player.objects.filter(pk=players["ben"].pk).update(visibility="private")
    nobody = api["anna"].post(
        "/players/me/friend-requests", {"to": "id:0199fd5c-0000-7000-8000-000000000000"}
    )
    refused = ask(api["anna"], players["ben"])
    assert (refused.status_code, refused.json()["detail"]) == (404, nobody.json()["detail"])
    assert ask(api["ben"], players["anna"]).status_code == 202
    assert ask(api["cleo"], players["ben"]).status_code == 404
    assert ask(api["anna"], players["ben"]).json()["status"] == "accepted"


def test_a_studio_acts_for_its_own_players_only(game: Game, players: dict[str, Player]) -> None:
    server = factories.api(factories.server_key(game.studio))
    assert server.post("/players/anna/friend-requests", {"to": "ben"}).status_code == 202
    (request,) = server.get("/players/ben/friend-requests").json()["results"]
    assert request["player"]["external_id"] == "anna"
    assert server.post(f"/players/ben/friend-requests/{request['id']}/accept", {}).status_code == 200
    page = server.get("/players/ben/friends").json()
    assert (page["total_count"], page["results"][0]["player"]["external_id"]) == (1, "anna")
    stranger = factories.api(factories.server_key(factories.studio()))
    reader = factories.api(factories.server_key(game.studio, scopes=["definitions:read"]))
    for path in ("/players/anna/friends", "/players/anna/friend-requests"):
        assert stranger.get(path).status_code == 404
        assert reader.get(path).status_code == 403
        assert factories.api().get(path).status_code == 401


def test_a_token_acts_for_its_own_player_only(api: dict[str, Api], players: dict[str, Player]) -> None:
    for path in ("/players/ben/friends", f"/players/id:{players['ben'].uuid}/friends"):
        assert api["anna"].get(path).status_code == 404
    assert api["anna"].post("/players/ben/friend-requests", {"to": "cleo"}).status_code == 404
    assert not FriendRequest.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"to": 5}, 422),
        ({"to": "nobody"}, 404),
        ({"to": " ben"}, 404),
        ({"to": "id:x"}, 404),
        ([], 400),
    ],
)
def test_what_cannot_be_asked_changes_nothing(
    api: dict[str, Api], players: dict[str, Player], body: Any, status: int
) -> None:
    assert api["anna"].post("/players/me/friend-requests", body).status_code == status
    assert api["anna"].get("/players/me/friend-requests?direction=up").status_code == 400
    assert not FriendRequest.objects.exists()


def test_friends_are_paged(api: dict[str, Api], players: dict[str, Player]) -> None:
    befriend(api, players, "anna", "ben")
    befriend(api, players, "anna", "cleo")
    first = api["anna"].get("/players/me/friends?limit=1").json()
    second = api["anna"].get(f"/players/me/friends?limit=1&cursor={first['next_cursor']}").json()
    assert (first["total_count"], second["next_cursor"]) == (2, None)
    shown = {page["results"][0]["player"]["id"] for page in (first, second)}
    assert shown == {str(players["ben"].uuid), str(players["cleo"].uuid)}
    assert api["ben"].get(f"/players/me/friends?cursor={first['next_cursor']}").status_code == 400


def _people(studio: Studio, count: int) -> list[int]:
    names = [f"many-{n}" for n in range(count)]
    accounts.create_players(studio_id=studio.pk, external_ids=names)
    return list(
        Player.objects.filter(identities__external_id__startswith="many-")
        .order_by("id")
        .values_list("pk", flat=True)
    )


@pytest.mark.slow
def test_nobody_has_more_than_500_friends_however_many_ask_at_once(game: Game) -> None:
    star, *fans = _people(game.studio, 512)
    now = timezone.now()
    Friendship.objects.bulk_create(
        Friendship(player_id=one, friend_id=other, since=now)
        for fan in fans[:495]
        for one, other in ((star, fan), (fan, star))
    )
    for fan in fans[495:]:
        befriending.ask(sender_id=fan, receiver_id=star, at=now)

    def accept(request: Any) -> str:
        try:
            befriending.accept(player_id=star, request=request, at=now)
        except Refused as refused:
            return type(refused).__name__
        else:
            return "accepted"
        finally:
            connection.close()

    listed = list(FriendRequest.objects.values_list("uuid", flat=True))
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(accept, listed))
    assert (said.count("accepted"), said.count("Conflict")) == (5, len(listed) - 5)
    assert selectors.friend_count(star) == 500


@pytest.mark.slow
def test_at_most_100_requests_wait(game: Game) -> None:
    sender, *others = _people(game.studio, 102)
    for other in others[:100]:
        befriending.ask(sender_id=sender, receiver_id=other, at=timezone.now())
    with pytest.raises(Conflict, match="100"):
        befriending.ask(sender_id=sender, receiver_id=others[100], at=timezone.now())


def test_both_who_ask_at_the_same_moment_are_friends(game: Game) -> None:
    one, other = _people(game.studio, 2)

    def ask_other(pair: tuple[int, int]) -> str:
        try:
            return befriending.ask(sender_id=pair[0], receiver_id=pair[1], at=timezone.now()).status
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        said = sorted(pool.map(ask_other, [(one, other), (other, one)]))
    assert said == ["accepted", "pending"]
    assert Friendship.objects.count() == 2
    assert not FriendRequest.objects.exists()


def test_an_answer_waits_for_the_one_that_is_given_already(game: Game) -> None:
    sender, receiver = _people(game.studio, 2)
    asked = befriending.ask(sender_id=sender, receiver_id=receiver, at=timezone.now())

    def answer(how: Callable[[], None]) -> str:
        try:
            how()
        except Refused as refused:
            return type(refused).__name__
        else:
            return "done"
        finally:
            connection.close()

    def accept() -> None:
        befriending.accept(player_id=receiver, request=asked.uuid, at=timezone.now())

    def decline() -> None:
        befriending.decline(player_id=receiver, request=asked.uuid)

    with ThreadPoolExecutor(2) as pool:
        with transaction.atomic():
            # Its row in the way holds the one that accepts after his look at the request, until it is rolled back.
            Friendship.objects.create(player_id=receiver, friend_id=sender, since=timezone.now())
            accepted = pool.submit(answer, accept)
            _wait_for_a_lock(1)
            declined = pool.submit(answer, decline)
            _wait_for_a_lock(2)
            transaction.set_rollback(True)
        assert (accepted.result(), declined.result()) == ("done", "NotFound")
    assert Friendship.objects.count() == 2


def _wait_for_a_lock(count: int) -> None:
    """Wait until so many others wait for a lock."""
    deadline = time.monotonic() + LONG_S
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute("SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted")
            if cursor.fetchone()[0] >= count:
                return
            time.sleep(0.01)
    raise AssertionError("nobody waits")
