"""GET /players/{player}/achievements at the HTTP border."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Game, Player, Studio
from achievements.models import Achievement, AchievementTranslation
from tests import factories
from tests.factories import Api

pytestmark = pytest.mark.django_db


@pytest.fixture
def studio() -> Studio:
    return factories.studio()


@pytest.fixture
def game(studio: Studio) -> Game:
    made = factories.game(studio)
    first = factories.achievement(made, "first-blood", sort_order=1)
    AchievementTranslation.objects.create(achievement=first, language="pt", name="Primeiro sangue")
    factories.achievement(
        made, "secret", hidden=True, points=50, icon_url="https://x.example/a", sort_order=2
    )
    factories.achievement(made, "draft", state="draft", sort_order=3)
    factories.achievement(made, "archived", state="archived", sort_order=4)
    return made


@pytest.fixture
def player(studio: Studio) -> Player:
    return factories.player(studio)


@pytest.fixture
def server(studio: Studio) -> Api:
    return factories.api(factories.server_key(studio))


@pytest.fixture
def me(game: Game, player: Player) -> Api:
    return factories.api(factories.player_token(game, player))


def unlock(server: Api, game: Game, key: str) -> None:
    sent = {"game_id": str(game.uuid), "player": "p-1", "achievement": key}
    assert server.post("/achievements/unlock", sent).status_code == 202


def listed(caller: Api, game: Game, player: str = "p-1", more: str = "") -> list[dict[str, Any]]:
    answer = caller.get(f"/players/{player}/achievements?game_id={game.uuid}{more}")
    assert answer.status_code == 200, answer.json()
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def test_every_published_achievement_is_listed_with_what_the_player_has(
    server: Api, game: Game, player: Player
) -> None:
    unlock(server, game, "first-blood")
    first, secret = listed(server, game)
    assert (first["key"], first["unlocked"]) == ("first-blood", True)
    assert first["unlocked_at"].endswith("Z")
    assert (secret["key"], secret["unlocked"], secret["unlocked_at"]) == ("secret", False, None)


def test_a_hidden_one_that_is_locked_tells_the_player_nothing(
    server: Api, me: Api, game: Game, player: Player
) -> None:
    _, secret = listed(me, game, "me")
    assert secret["hidden"] is True
    hidden = {"key", "name", "description", "points"}
    assert {name: secret[name] for name in hidden} == dict.fromkeys(hidden)
    assert "secret" not in str(secret)
    assert "x.example" not in str(secret)
    assert listed(server, game)[1]["key"] == "secret"
    unlock(server, game, "secret")
    assert listed(me, game, "me")[1]["points"] == 50


def test_an_archived_one_stays_with_who_has_it(server: Api, me: Api, game: Game, player: Player) -> None:
    Achievement.objects.filter(game=game, key="archived").update(state="published")
    factories.forget()
    unlock(server, game, "archived")
    Achievement.objects.filter(game=game, key="archived").update(state="archived")
    factories.forget()
    assert [one["key"] for one in listed(server, game)] == ["first-blood", "secret", "archived"]


def test_a_language_falls_back_step_by_step(server: Api, game: Game, player: Player) -> None:
    for language, name in (("pt-BR", "Primeiro sangue"), ("pt", "Primeiro sangue"), ("de", "First-Blood")):
        assert listed(server, game, more=f"&lang={language}")[0]["name"] == name
    for unknown in ("tlh", "tlh-Latn-x-mine", "x-mine", "i-klingon", "en-US-u-hc-h12"):
        assert listed(server, game, more=f"&lang={unknown}")[0]["name"] == "First-Blood"
    assert listed(server, game, more="&lang=pt-BR-u-hc-h12-x-a")[0]["name"] == "Primeiro sangue"
    for wrong in ("x" * 50, "../", "", "pt--BR", "pt-u", "pt-BR-", "\u0440\u0443"):
        answer = server.get(f"/players/p-1/achievements?game_id={game.uuid}&lang={wrong}")
        assert answer.status_code == 400


def test_an_answer_is_private_and_not_sent_twice(server: Api, game: Game, player: Player) -> None:
    path = f"/players/p-1/achievements?game_id={game.uuid}"
    answer = server.get(path)
    assert answer["Cache-Control"].startswith("private")
    assert server.get(path, If_None_Match=answer["ETag"]).status_code == 304
    unlock(server, game, "first-blood")
    assert server.get(path, If_None_Match=answer["ETag"]).status_code == 200


def test_a_page_costs_the_same_queries_however_long_it_is(server: Api, game: Game, player: Player) -> None:
    def queries() -> int:
        factories.forget()
        with CaptureQueriesContext(connection) as captured:
            listed(server, game)
        return len(captured)

    few = queries()
    for number in range(60):
        factories.achievement(game, f"a{number}")
    assert queries() == few


def test_pages_join_without_gap_or_repeat(server: Api, game: Game, player: Player) -> None:
    for number in range(5):
        factories.achievement(game, f"a{number}", sort_order=number)
    factories.forget()
    whole = [one["key"] for one in listed(server, game)]
    found, cursor = [], ""
    while True:
        answer = server.get(f"/players/p-1/achievements?game_id={game.uuid}&limit=2{cursor}").json()
        found += [one["key"] for one in answer["results"]]
        if not answer["has_next_page"]:
            break
        cursor = f"&cursor={answer['next_cursor']}"
    assert found == whole


def test_unknown_players_and_games_are_not_found(server: Api, game: Game, player: Player) -> None:
    for path in (
        f"/players/nobody/achievements?game_id={game.uuid}",
        f"/players/p-1/achievements?game_id={factories.game().uuid}",
        "/players/p-1/achievements?game_id=abc",
    ):
        assert server.get(path).status_code == 404, path
    assert server.get("/players/p-1/achievements").json()["errors"][0]["pointer"] == "/game_id"
    assert server.get(f"/players/p-1/achievements?game_id={game.uuid}&x=1").status_code == 400
