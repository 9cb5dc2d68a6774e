"""Who is private, or seen by friends only, keeps his place on boards, and is named to nobody else."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import Game, Player
from social import befriending
from tests import factories
from tests.factories import Api
from tests.leaderboards.world import World

NAMES = ("anna", "ben", "cleo")  # public, friends, private; ben and cleo are anna's friends


@pytest.fixture
def board(world: World) -> str:
    pks = dict(zip(NAMES, world.players(len(NAMES)), strict=True))
    for (name, pk), visibility in zip(pks.items(), ("public", "friends", "private"), strict=True):
        Player.objects.filter(pk=pk).update(
            display_name=name, visibility=visibility, avatar_url="https://a.b/c"
        )
    for friend in NAMES[1:]:
        for one, other in ((pks["anna"], pks[friend]), (pks[friend], pks["anna"])):
            befriending.ask(sender_id=one, receiver_id=other, at=timezone.now())
    game = Game.objects.get(pk=world.game.id)
    factories.achievement(game, "one")
    for name in NAMES:
        world.unlock((f"p{NAMES.index(name)}", "one"))
    world.follow()
    return f"/leaderboards/{world.game.uuid}"


def api_of(world: World, name: str) -> Api:
    player = Player.objects.get(display_name=name)
    return factories.api(factories.player_token(Game.objects.get(pk=world.game.id), player))


def named(answer: Any) -> list[str]:
    """Return the names of a page's players; nobody but a named one has an id or a picture."""
    players = [row["player"] for row in answer.json()["results"]]
    assert all(bool(one["display_name"]) == bool(one["id"]) == bool(one["avatar_url"]) for one in players)
    return [one["display_name"] for one in players]


def test_everybody_has_a_place_and_who_is_public_a_name(world: World, board: str) -> None:
    answer = factories.api().get(board)
    assert named(answer) == ["anna", "", ""]
    assert [row["rank"] for row in answer.json()["results"]] == [1, 1, 1]
    assert answer.json()["total_count"] == 3


def test_a_player_sees_himself_and_his_friends_board_names_who_is_not_private(
    world: World, board: str
) -> None:
    assert named(api_of(world, "cleo").get(board)) == ["anna", "", "cleo"]
    assert named(api_of(world, "anna").get(f"{board}?friends_of=me")) == ["anna", "ben", ""]
    assert named(api_of(world, "anna").get(board)) == ["anna", "", ""]


def test_the_studio_sees_whom_it_names_and_another_one_does_not(world: World, board: str) -> None:
    key = factories.server_key(Game.objects.get(pk=world.game.id).studio)
    assert named(factories.api(key).get(board)) == list(NAMES)
    stranger = factories.api(factories.server_key(factories.studio()))
    assert named(stranger.get("/leaderboards/global")) == ["anna", "", ""]


def test_a_change_is_seen_at_once(world: World, board: str) -> None:
    owner = factories.api(factories.server_key(Game.objects.get(pk=world.game.id).studio))
    assert named(api_of(world, "ben").get(board)) == ["anna", "ben", ""]
    assert owner.put("/players/p0", {"visibility": "private"}).status_code == 200
    assert named(api_of(world, "ben").get(board)) == ["", "ben", ""]
    assert named(api_of(world, "ben").get(f"{board}?friends_of=me")) == ["", "ben"]


@pytest.mark.parametrize("path", ["", "/history"])
def test_the_rank_of_who_is_not_to_be_seen_is_nobody_s(world: World, board: str, path: str) -> None:
    uuids = {name: Player.objects.get(display_name=name).uuid for name in NAMES}

    def asked_by(api: Api) -> list[int]:
        return [api.get(f"{board}/points/players/id:{uuids[name]}{path}").status_code for name in NAMES]

    assert asked_by(factories.api()) == [200, 404, 404]
    assert asked_by(api_of(world, "anna")) == [200, 200, 404]
    assert asked_by(api_of(world, "cleo")) == [200, 404, 200]
    assert (
        asked_by(factories.api(factories.server_key(Game.objects.get(pk=world.game.id).studio))) == [200] * 3
    )


def test_the_page_around_who_is_not_to_be_seen_is_nobody_s(world: World, board: str) -> None:
    uuid = Player.objects.get(display_name="cleo").uuid
    assert factories.api().get(f"{board}/points/around/id:{uuid}").status_code == 404
    around = api_of(world, "cleo").get(f"{board}/points/around/me").json()
    assert around["me"]["player"]["display_name"] == "cleo"
