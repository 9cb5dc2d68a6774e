"""What analytics refuses in the API, and a game without anything."""

import pytest
from django.test import Client

from analytics.services import distributions
from tests import factories

pytestmark = pytest.mark.django_db
NAMES = ("overview", "achievements", "retention", "funnel", "leaderboards", "regions", "distributions")


@pytest.fixture(autouse=True)
def forgotten() -> None:
    factories.forget()


@pytest.mark.parametrize("name", NAMES)
def test_a_game_without_anything_has_figures_of_nothing(name: str) -> None:
    game = factories.game()
    api = factories.api(factories.server_key(game.studio))
    assert api.get(f"/games/{game.uuid}/analytics/{name}").status_code == 200
    assert api.get(f"/games/{game.uuid}/analytics/{name}?format=csv").status_code == 200
    if name not in ("funnel", "distributions"):
        assert api.get(f"/games/{game.uuid}/analytics/{name}?window=all").status_code == 200


@pytest.mark.parametrize("name", NAMES)
def test_only_who_may_read_analytics_of_the_game_does(name: str) -> None:
    game = factories.game()
    studio, other = game.studio, factories.game(game.studio, title="Zephyr")
    player = factories.player(studio, "p-1")
    path = f"/games/{game.uuid}/analytics/{name}"
    assert factories.api().get(path).status_code == 401
    assert factories.api(factories.server_key(studio, scopes=["players:read"])).get(path).status_code == 403
    assert factories.api(factories.player_token(game, player)).get(path).status_code == 403
    unscoped = {"Authorization": f"Bearer {factories.server_key(studio, scopes=['players:read'])}"}
    assert Client().head(f"/api/v1{path}", headers=unscoped).status_code == 403
    assert factories.api(factories.server_key(factories.studio())).get(path).status_code == 404
    assert factories.api(factories.server_key(studio, game=other)).get(path).status_code == 404
    assert factories.api(factories.server_key(studio, game=game)).get(path).status_code == 200
    api = factories.api(factories.server_key(studio))
    assert api.get(f"/games/nonsense/analytics/{name}").status_code == 404
    assert api.post(path, {}).status_code == 405


@pytest.mark.parametrize(
    "asked",
    [
        "overview?window=8d",
        "overview?window=",
        "overview?window=30d&window=7d",
        "overview?compare=1",
        "overview?until=2026-02-30",
        "overview?until=1979-12-31",
        "overview?until=9999-01-01",
        "overview?until=2026-03-08T00:00:00Z",
        "overview?format=xml",
        "overview?limit=3",
        "achievements?limit=0",
        "achievements?cursor=forged",
        "achievements?compare=true",
        "retention?window=30",
        "funnel?achievements=a",
        "funnel?achievements=a,a",
        "funnel?achievements=a,,b",
        "funnel?achievements=a,b,c,d,e,f,g,h,i",
        "funnel?window=7d",
        "distributions?table=all",
        "regions?until=%00",
    ],
)
def test_what_can_t_be_read_is_refused(asked: str) -> None:
    game = factories.game()
    answer = factories.api(factories.server_key(game.studio)).get(f"/games/{game.uuid}/analytics/{asked}")
    assert answer.status_code == 400, answer.content
    assert answer.json()["type"].endswith("/malformed-request")


def test_an_achievement_that_is_not_there_is_not_found() -> None:
    game = factories.game()
    factories.achievement(game, "a")
    api = factories.api(factories.server_key(game.studio))
    assert api.get(f"/games/{game.uuid}/analytics/funnel?achievements=a,zz").status_code == 404


def test_what_was_never_taken_says_so() -> None:
    game = factories.game()
    api = factories.api(factories.server_key(game.studio))
    path = f"/games/{game.uuid}/analytics/distributions"
    assert api.get(path).json()["as_of"] is None
    assert distributions.take_some() == 0
