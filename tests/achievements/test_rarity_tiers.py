"""Tiers of rarity: the platform's, or a game's own."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from achievements import rules
from achievements.models import Achievement, AchievementCount, Catalogue, GamePlayers
from core.ids import new_id
from tests import factories
from tests.leaderboards.world import World


@pytest.fixture
def world(db: None) -> World:
    return World.create()


OWN = {"legendary": 0.5, "epic": 3, "rare": 10, "uncommon": 40}


def path(world: World) -> str:
    return f"/games/{world.game.uuid}/rarity-tiers"


def test_a_game_has_the_platform_s_tiers_until_it_sets_its_own(world: World) -> None:
    server = world.api()
    default = {"legendary": 1, "epic": 5, "rare": 20, "uncommon": 50}
    assert server.get(path(world)).json() == {"rarity_tiers": default, "is_default": True}
    answer = server.put(path(world), {"rarity_tiers": OWN})
    assert (answer.status_code, answer.json()) == (200, {"rarity_tiers": OWN, "is_default": False})
    assert server.get(path(world)).json() == answer.json()
    assert server.put(path(world), {"rarity_tiers": None}).json() == {
        "rarity_tiers": default,
        "is_default": True,
    }


def test_tiers_leave_the_catalogue_s_version_as_it_is(world: World) -> None:
    version = Catalogue.objects.get().version
    assert world.api().put(path(world), {"rarity_tiers": OWN}).status_code == 200
    assert Catalogue.objects.get().version == version


def test_a_game_without_achievements_may_have_tiers(world: World) -> None:
    made = world.api().post("/games", {"title": "New"})
    assert made.status_code == 201, made.content
    at = f"/games/{made.json()['id']}"
    assert world.api().get(f"{at}/rarity-tiers").json()["is_default"]
    assert world.api().put(f"{at}/rarity-tiers", {"rarity_tiers": OWN}).status_code == 200
    assert world.api().post(f"{at}/achievements", {"key": "first", "name": "First"}).status_code == 201
    assert world.api().get(f"{at}/rarity-tiers").json() == {"rarity_tiers": OWN, "is_default": False}


def test_every_list_tells_the_game_s_own_tiers(world: World) -> None:
    world.unlock(("p0", "a0"))
    GamePlayers.objects.update_or_create(game_id=world.game.id, defaults={"players": 20})
    AchievementCount.objects.update_or_create(
        achievement=Achievement.objects.get(key="a0"), defaults={"unlocked": 4}
    )
    server, at = world.api(), f"/games/{world.game.uuid}/achievements"
    mine = f"/players/p0/achievements?game_id={world.game.uuid}"

    def tiers() -> set[str]:
        shown = [server.get(f"{at}/a0").json()]
        shown += [one for one in server.get(at).json()["results"] if one["key"] == "a0"]
        shown += [one for one in server.get(mine).json()["results"] if one["key"] == "a0"]
        assert len(shown) == 3
        return {one["rarity"]["tier"] for one in shown}

    assert tiers() == {"rare"}
    server.put(path(world), {"rarity_tiers": OWN})
    assert tiers() == {"uncommon"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"rarity_tiers": OWN | {"epic": 10}}, 422),
        ({"rarity_tiers": OWN | {"epic": 0.5}}, 422),
        ({"rarity_tiers": OWN | {"uncommon": 100.1}}, 422),
        ({"rarity_tiers": OWN | {"legendary": -1}}, 422),
        ({"rarity_tiers": OWN | {"legendary": 0.25}}, 422),
        ({"rarity_tiers": OWN | {"legendary": True}}, 422),
        ({"rarity_tiers": OWN | {"legendary": "1"}}, 422),
        ({"rarity_tiers": OWN | {"legendary": None}}, 422),
        ({"rarity_tiers": OWN | {"legendary": [1]}}, 422),
        ({"rarity_tiers": OWN | {"uncommon": 10**400}}, 422),
        ({"rarity_tiers": OWN | {"common": 100}}, 422),
        ({"rarity_tiers": {"legendary": 1}}, 422),
        ({"rarity_tiers": []}, 422),
        ({"rarity_tiers": [1, 5, 20, 50]}, 422),
        ({"rarity_tiers": "legendary"}, 422),
        ({"rarity_tiers": {}}, 422),
        ({}, 422),
        ({"tiers": OWN}, 400),
        ([], 400),
        (None, 400),
        (b'{"rarity_tiers": {"legendary": NaN}}', 422),
    ],
)
def test_tiers_that_can_t_be_are_refused_and_change_nothing(world: World, body: Any, status: int) -> None:
    version = Catalogue.objects.get().version
    answer = world.api().put(path(world), body)
    assert answer.status_code == status, answer.content
    row = Catalogue.objects.get()
    assert (row.rarity_tiers, row.version) == (None, version)


def test_tiers_need_the_scope_and_a_game_of_one_s_own(world: World) -> None:
    body = {"rarity_tiers": OWN}
    outsider = factories.api(factories.server_key(factories.studio()))
    assert outsider.get(path(world)).status_code == 404
    assert outsider.put(path(world), body).status_code == 404
    assert world.api().put(f"/games/{new_id()}/rarity-tiers", body).status_code == 404
    assert factories.api().get(path(world)).status_code == 401
    game = Achievement.objects.all()[0].game
    player = factories.api(factories.player_token(game, factories.player(game.studio)))
    assert player.put(path(world), body).status_code == 403
    studio = Achievement.objects.all()[0].game.studio
    reader = factories.api(factories.server_key(studio, scopes=["definitions:read"]))
    assert reader.get(path(world)).status_code == 200
    assert reader.put(path(world), body).status_code == 403
    assert Catalogue.objects.get(game_id=world.game.id).rarity_tiers is None


@given(st.lists(st.integers(0, 1000), min_size=4, max_size=4, unique=True).map(sorted))
def test_tiers_read_back_as_they_are_shown(tiers: list[int]) -> None:
    assert list(rules.clean_tiers(rules.shown_tiers(tiers))) == tiers
