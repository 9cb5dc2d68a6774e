"""Hiding, restoring, deleting and resetting at the HTTP border."""

from typing import Any

import pytest
from django.db import connection

from accounts.models import Game, Player, ServerKey, Studio
from core.models import AuditEntry
from leaderboards.models import Leaderboard, Period, Score
from leaderboards.services import scores
from leaderboards.services.scores import ScoreRequest
from social.models import Friendship
from tests import factories
from tests.factories import Api
from tests.leaderboards.world import EPOCH, World

ACTIONS = ("hide", "restore", "delete")
WHY = {"reason": "Impossible time"}
BAD = [
    ({}, 422),
    ({"reason": ""}, 422),
    ({"reason": "x" * 501}, 422),
    ({"reason": 7}, 422),
    ({"reason": "x", "because": "y"}, 400),
    ([], 400),
]


@pytest.fixture
def board(world: World) -> Leaderboard:
    """A board on which p-1 holds 50."""
    made = factories.leaderboard(Game.objects.get(pk=world.game.id))
    scores.submit_many(
        game=world.game,
        key="high-score",
        requests=[ScoreRequest("p/1", 50)],
        by=scores.SERVER,
        at=made.created_at,
    )
    return made


def entry(world: World, action: str, player: str = "p/1", *, key: str = "high-score") -> str:
    return f"/leaderboards/{world.game.uuid}/{key}/players/{player}/{action}"


def reset(world: World, key: str = "high-score") -> str:
    return f"/games/{world.game.uuid}/leaderboards/{key}/reset"


def snapshot() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM core_fact")
        facts = cursor.fetchone()
    return (
        facts,
        list(Score.objects.values()),
        list(Period.objects.values()),
        list(Leaderboard.objects.values()),
        AuditEntry.objects.count(),
    )


def test_an_entry_is_hidden_restored_and_deleted(world: World, board: Leaderboard) -> None:
    api = world.api()
    for action, body, hidden in (("hide", WHY, 1), ("restore", {**WHY, "period": "every"}, 0)):
        answer = api.post(entry(world, action), body)
        assert (answer.status_code, answer.json()) == (202, {"entries": 1})
        assert Score.objects.filter(hidden_at__isnull=False).count() == hidden
    answer = api.post(entry(world, "delete"), WHY)
    assert (answer.status_code, answer.json()) == (202, {"entries": 1})
    assert not Score.objects.exists()
    assert api.post(entry(world, "delete"), WHY).status_code == 404
    key = ServerKey.objects.get()
    assert list(AuditEntry.objects.order_by("id").values_list("action", "actor", "reason")) == [
        (f"entry.{action}", f"key:{key.uuid}", "Impossible time") for action in ACTIONS
    ]


def test_a_player_is_also_named_by_the_platform_s_id(world: World, board: Leaderboard) -> None:
    player = factories.player(Studio.objects.get(), "p/1")
    assert world.api().post(entry(world, "hide", f"id:{player.uuid}"), WHY).json() == {"entries": 1}


def test_a_board_is_reset(world: World, board: Leaderboard) -> None:
    answer = world.api().post(reset(world), WHY)
    assert (answer.status_code, answer.json()) == (202, {"epoch": 2})
    assert Period.objects.get().state == "discarded"
    assert AuditEntry.objects.get().object_id == str(board.uuid)


def test_a_repeated_reset_under_its_idempotency_key_resets_once(world: World, board: Leaderboard) -> None:
    api = world.api()
    answers = [api.post(reset(world), WHY, Idempotency_Key="once") for _ in range(3)]
    assert [answer.json() for answer in answers] == [{"epoch": 2}] * 3
    assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize(("body", "status"), BAD)
def test_without_a_reason_nothing_is_done(world: World, board: Leaderboard, body: Any, status: int) -> None:
    before = snapshot()
    for path in (*(entry(world, action) for action in ACTIONS), reset(world)):
        assert world.api().post(path, body).status_code == status
    assert snapshot() == before


@pytest.mark.parametrize("action", ACTIONS)
def test_what_is_not_there_is_not_found_and_what_can_t_be_conflicts(
    world: World, board: Leaderboard, action: str
) -> None:
    factories.player(Studio.objects.get(), "idle")
    before, api = snapshot(), world.api()
    for path in (
        entry(world, action, "nobody"),
        entry(world, action, "idle"),
        entry(world, action, key="other"),
        f"/leaderboards/global/high-score/players/p/1/{action}",
        reset(world, "other"),
    ):
        assert api.post(path, WHY).status_code == 404
    assert api.post(entry(world, action), {**WHY, "period": "2026-11-25"}).status_code == 404
    assert api.post(entry(world, action), {**WHY, "period": 5}).status_code == 422
    assert api.post(reset(world, "points"), WHY).status_code == 409
    refused = api.post(entry(world, action, key="points"), WHY)
    assert refused.status_code == 409
    assert "exclude the player" in refused.json()["detail"]
    assert snapshot() == before
    Period.objects.update(state="final")
    assert api.post(entry(world, action), WHY).status_code == 409
    assert not AuditEntry.objects.exists()


def test_only_a_key_of_the_studio_with_the_scopes_may(world: World, board: Leaderboard) -> None:
    studio = Studio.objects.get()
    player = factories.player(studio, "p/1")
    stranger = factories.api(factories.server_key(factories.studio()))
    elsewhere = factories.api(factories.server_key(studio, game=factories.game(studio)))
    own = factories.api(factories.player_token(Game.objects.get(pk=world.game.id), player))
    reader = factories.api(factories.server_key(studio, scopes=["players:write", "definitions:read"]))
    before = snapshot()
    callers: list[tuple[Api, int]] = [
        (stranger, 404),
        (elsewhere, 404),
        (own, 403),
        (reader, 403),
        (factories.api(), 401),
    ]
    for caller, status in callers:
        for path in (*(entry(world, action) for action in ACTIONS), reset(world)):
            assert caller.post(path, WHY).status_code == status
    for scope in ("scores:write", "definitions:write"):
        half = factories.api(factories.server_key(studio, scopes=[scope]))
        assert half.post(reset(world), WHY).status_code == 403
    assert snapshot() == before


def test_who_is_taken_off_sees_himself_and_others_do_not_see_him(world: World) -> None:
    game = Game.objects.get(pk=world.game.id)
    factories.leaderboard(game)
    scores = [{"player": f"p{n}", "score": score} for n, score in enumerate([90, 70, 50, 30, 10])]
    server, board = world.api(), f"/leaderboards/{game.uuid}/high-score"
    server.post(f"{board}/scores/batch", {"scores": scores})
    world.follow()
    me = Player.objects.get(identities__external_id="p2")
    api = factories.api(factories.player_token(game, me))
    shown = api.get(board).json()["results"]
    server.put("/players/p2/exclusion", {"reason": "Speed hack"})
    world.follow()
    world.follow()
    assert api.get(board).json()["results"] == shown
    assert [row["rank"] for row in api.get(f"{board}?limit=2").json()["results"]] == [1, 2]
    assert api.get(f"{board}/players/me").json()["rank"] == 3
    around = api.get(f"{board}/around/me?limit=3").json()
    assert around["me"]["rank"] == 3
    assert around["me"] in around["results"]
    other = factories.api(factories.player_token(game, Player.objects.get(identities__external_id="p1")))
    for others in (server, other, factories.api()):
        page = others.get(board).json()
        assert [row["score"] for row in page["results"]] == [90, 70, 30, 10]
        assert page["total_count"] == 4
        assert others.get(f"{board}/players/id:{me.uuid}").status_code == 404


@pytest.mark.parametrize("tie_break", ["shared", "dense", "earliest"])
def test_who_is_taken_off_sees_himself_among_his_friends_and_in_all_his_ranks(
    world: World, tie_break: str
) -> None:
    game = Game.objects.get(pk=world.game.id)
    factories.leaderboard(game, tie_break=tie_break)
    scores = [{"player": f"p{n}", "score": score} for n, score in enumerate([90, 70, 70, 30])]
    server, board = world.api(), f"/leaderboards/{game.uuid}/high-score"
    server.post(f"{board}/scores/batch", {"scores": scores})
    world.unlock(("p0", "a0"), ("p2", "a0"), ("p2", "a1"))
    world.follow()
    people = dict(Player.objects.values_list("identities__external_id", "pk"))
    for friend in ("p0", "p1", "p3"):
        pairs = [("p2", friend), (friend, "p2")]
        Friendship.objects.bulk_create(
            Friendship(player_id=people[one], friend_id=people[other], since=EPOCH) for one, other in pairs
        )
    api, other = (
        factories.api(factories.player_token(game, Player.objects.get(pk=people[name])))
        for name in ("p2", "p0")
    )
    addresses = [f"{board}?friends_of=me", f"{board}?friends_of=me&limit=2&offset=1", "/players/me/ranks"]
    before = [api.get(address).json()["results"] for address in addresses]
    assert [len(rows) for rows in before] == [4, 2, 2]
    server.put("/players/p2/exclusion", {"reason": "Speed hack"})
    world.follow()
    world.follow()
    assert [api.get(address).json()["results"] for address in addresses] == before
    assert len(other.get(f"{board}?friends_of=me").json()["results"]) == 1
    assert len(server.get(f"{board}?friends_of=p2").json()["results"]) == 3
    assert server.get(f"/players/p2/ranks?game_id={game.uuid}").json()["results"] == []


@pytest.mark.slow
@pytest.mark.parametrize("tie_break", ["shared", "dense", "earliest"])
@pytest.mark.parametrize("name", ["p0", "p1", "p4", "p8"])
def test_who_is_taken_off_finds_himself_once_in_pages_of_every_size(
    world: World, name: str, tie_break: str
) -> None:
    game = Game.objects.get(pk=world.game.id)
    factories.leaderboard(game, tie_break=tie_break)
    scores = [{"player": f"p{n}", "score": score} for n, score in enumerate([9, 7, 7, 7, 7, 7, 5, 5, 1])]
    server, board = world.api(), f"/leaderboards/{game.uuid}/high-score"
    server.post(f"{board}/scores/batch", {"scores": scores})
    world.follow()
    api = factories.api(factories.player_token(game, Player.objects.get(identities__external_id=name)))
    whole = api.get(board).json()["results"]
    sizes = (1, 2, 3, 4, 5, 10)
    arounds = {size: api.get(f"{board}/around/me?limit={size}").json() for size in sizes}
    server.put(f"/players/{name}/exclusion", {"reason": "Speed hack"})
    world.follow()
    world.follow()
    for size in sizes:
        by_cursor: list[Any] = []
        page = api.get(f"{board}?limit={size}").json()
        while True:
            assert 1 <= len(page["results"]) <= size
            by_cursor += page["results"]
            if page["next_cursor"] is None:
                break
            page = api.get(f"{board}?limit={size}&cursor={page['next_cursor']}").json()
        assert by_cursor == whole
        by_offset = [
            row
            for offset in range(0, 12, size)
            for row in api.get(f"{board}?limit={size}&offset={offset}").json()["results"]
        ]
        assert by_offset == whole
        around, before = api.get(f"{board}/around/me?limit={size}").json(), arounds[size]
        assert (around["me"], around["results"]) == (before["me"], before["results"])
