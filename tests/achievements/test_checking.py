"""What a game's achievements lack, by the API and in the portal."""

from typing import Any

import pytest
from PIL import Image

from accounts.models import Game, Role
from achievements.models import Achievement, Catalogue
from core.models import AuditEntry
from tests import factories
from tests.achievements.pictures import saved
from tests.achievements.test_icons import put
from tests.achievements.test_portal import pages, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def game() -> Game:
    made = factories.game()
    factories.achievement(made, "first-blood", name="First blood", description="x" * 101, points=10)
    factories.achievement(made, "draft", description="Wait.", state="draft")
    factories.achievement(made, "old", state="archived")
    return made


def rules(answer: Any) -> set[str]:
    return {one["rule"] for one in answer.json()["findings"]}


def test_the_api_tells_what_is_lacking(game: Game) -> None:
    api = factories.api(factories.server_key(game.studio, scopes=["definitions:read"]))
    answer = api.get(f"/games/{game.uuid}/achievements/lint")
    assert answer.status_code == 200
    said = answer.json()
    assert said["stores"] == ["xbox", "google-play", "steam", "epic"]
    assert sum(said["counts"].values()) == len(said["findings"])
    [long] = [one for one in said["findings"] if one["rule"] == "description-too-long"]
    assert long == {
        "rule": "description-too-long",
        "severity": "error",
        "detail": "A description has more than 100 characters (101 in the game's language): shorten it.",
        "stores": ["xbox"],
        "achievements": ["first-blood"],
    }
    assert all("old" not in one["achievements"] for one in said["findings"])
    assert "description-too-long" not in rules(
        api.get(f"/games/{game.uuid}/achievements/lint?stores=steam,epic")
    )
    for query in ("stores=psn", "stores=", "stores=xbox,", "store=xbox"):
        assert api.get(f"/games/{game.uuid}/achievements/lint?{query}").status_code == 400


def test_only_who_reads_the_game_s_definitions_is_told(game: Game) -> None:
    for who, status in (
        (factories.server_key(game.studio, scopes=["unlocks:write"]), 403),
        (factories.server_key(factories.studio()), 404),
        (factories.player_token(game, factories.player(game.studio)), 403),
        (None, 401),
    ):
        assert factories.api(who).get(f"/games/{game.uuid}/achievements/lint").status_code == status


def test_an_icon_that_fades_into_the_page_is_told_of(game: Game) -> None:
    api = factories.api(factories.server_key(game.studio))
    put(api, game, saved(Image.new("RGB", (64, 64), "white")))
    said = api.get(f"/games/{game.uuid}/achievements/lint").json()
    [faint] = [one for one in said["findings"] if one["rule"] == "icon-contrast"]
    assert (faint["achievements"], "light theme" in faint["detail"]) == (["first-blood"], True)
    [missing] = [one for one in said["findings"] if one["rule"] == "missing-icon"]
    assert missing["achievements"] == ["draft"]


def test_the_page_shows_it_with_ways_to_mend_it(game: Game) -> None:
    developer = visitor(game)
    page = developer.get(f"{pages(game)}/check")
    assert "A description has more than 100 characters" in page.text
    assert f'href="{pages(game)}?q=first-blood"' in page.text
    icon = f"{pages(game)}/{Achievement.objects.get(key='first-blood').uuid}/icon"
    assert f'href="{icon}"' in page.text
    assert f'href="{pages(game)}/check"' in developer.get(pages(game)).text
    assert icon not in visitor(game, Role.ANALYST).get(f"{pages(game)}/check").text
    assert "has no achievements yet" in developer.get(f"{pages(factories.game(game.studio))}/check").text


def test_what_is_another_studio_s_text_is_shown_and_not_run(game: Game) -> None:
    Achievement.objects.update(name="<script>alert(1)</script> 100%")
    page = visitor(game).get(f"{pages(game)}/check")
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;" in page.text


def test_a_page_about_many_achievements_stays_a_page(game: Game) -> None:
    Achievement.objects.bulk_create(
        Achievement(
            game=game, studio_id=game.studio_id, key=f"k-{n}", name=f"Name {n}", description="x" * 101
        )
        for n in range(200)
    )
    Catalogue.objects.update_or_create(game=game, defaults={"version": 2})
    page = visitor(game).get(f"{pages(game)}/check")
    about = page.text.partition("A description has more than 100 characters")[2].partition("</li>")[0]
    assert about.count("<a ") == 50
    assert "And 189 more" in about, about[-300:]
    assert "151 are not listed" in about


def test_the_stores_of_a_game_are_kept(game: Game) -> None:
    developer, analyst = visitor(game), visitor(game, Role.ANALYST)
    for act, store in (
        *[("leave", "xbox")] * 2,  # pressed twice, as by two people
        ("leave", "epic"),
        *[("choose", "xbox")] * 2,
        *[("choose", "psn"), ("leave", ""), ("store", "steam")],
    ):
        assert developer.post(f"{pages(game)}/check", {act: store}).status_code == 302
    assert Catalogue.objects.get(game=game).stores == ["xbox", "google-play", "steam"]
    assert analyst.post(f"{pages(game)}/check", {"leave": "xbox"}).status_code == 403
    assert visitor(factories.game()).post(f"{pages(game)}/check", {"leave": "xbox"}).status_code == 404
    api = factories.api(factories.server_key(game.studio))
    assert api.get(f"/games/{game.uuid}/achievements/lint").json()["stores"] == [
        "xbox",
        "google-play",
        "steam",
    ]
    assert "Epic Games Store" not in analyst.get(f"{pages(game)}/check").text
    assert [one.details for one in AuditEntry.objects.order_by("id")] == [
        {"stores": ["google-play", "steam", "epic"]},
        {"stores": ["google-play", "steam"]},
        {"stores": ["xbox", "google-play", "steam"]},
    ]
