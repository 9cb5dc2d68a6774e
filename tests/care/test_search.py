"""One search over a studio: what is found, by whom, and at what price."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.roles import MAY
from care.places import PLACES
from tests import factories
from tests.care.world import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return Desk()


def found(desk: Desk, query: str, *, by: str = "owner") -> dict[str, list[str]]:
    answer = desk.house.get(f"search?{query}", by=by)
    assert answer.status_code == 200
    return {group.name: [hit.title for hit in group.hits] for group in answer.context["groups"]}


def test_everything_of_a_studio_is_found_by_id_key_or_name(desk: Desk) -> None:
    factories.leaderboard(desk.house.game, "daily-run")
    elsewhere = factories.game(desk.house.elsewhere, title="Emberwake too")
    factories.achievement(elsewhere, "hundred")
    factories.player(desk.house.elsewhere, "p-1-elsewhere", display_name="theirs")
    assert found(desk, "q=P-1") == {}
    for query in ("p-1", "MAREN", str(desk.player.uuid)):
        assert found(desk, f"q={query}")["players"] == ["marenok"], query
    assert found(desk, "q=hundred") == {"achievements": ["Hundred"]}
    assert found(desk, "q=tota") == {"stats": ["Total"]}
    assert found(desk, "q=DAILY") == {"leaderboards": ["Daily-Run"]}
    assert found(desk, "q=emberW")["games"] == ["Emberwake"] * 2
    assert found(desk, "q=web") == {"pages": ["Webhooks"]}
    assert "Webhooks" in found(desk, "q=web&in=pages")["pages"]


def test_a_group_shows_a_few_and_leads_to_the_rest(desk: Desk) -> None:
    for number in range(7):
        factories.achievement(desk.house.game, f"dragon-{number}")
    page = desk.house.get("search?q=dragon")
    (group,) = page.context["groups"]
    assert (len(group.hits), group.more) == (5, desk.house.path("search") + "?q=dragon&in=achievements")
    assert len(found(desk, "q=dragon&in=achievements")["achievements"]) == 7


def test_what_a_role_may_not_use_is_not_found(desk: Desk) -> None:
    assert "players" not in found(desk, "q=marenok", by="analyst")
    assert found(desk, "q=api keys", by="support") == {}
    (hit,) = desk.house.get("search?q=hundred", by="analyst").context["groups"][0].hits
    assert desk.house.get(hit.url.removeprefix(desk.house.path()), by="analyst").status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("role", MAY)
def test_every_page_that_the_rail_leads_to_is_found_by_its_name(desk: Desk, role: str) -> None:
    page = desk.house.get("", by=role).text
    rail = page[page.index('<nav aria-label="Studio">') : page.index("</aside>")]
    led = {url.partition("?")[0] for url in re.findall(r'href="(/portal/[^"]+)"', rail)} - {"/portal/new"}
    hits = {
        hit.url.partition("?")[0]
        for place in PLACES
        for group in desk.house.get(f"search?in=pages&q={place.label}", by=role).context["groups"]
        for hit in group.hits
    }
    switched = {url for url in led if re.search(r"/games/[0-9a-f-]+/$", url)}
    assert led - switched <= hits
    for url in hits:
        assert desk.house.client(role).get(url).status_code == 200, url


def test_strange_questions_are_answered_with_nothing(desk: Desk) -> None:
    for query in ("q=", "q=%00", f"q={'x' * 200}", "q=%25", "q=zzz&in=nonsense", "in=players"):
        assert found(desk, query) == {}, query
    assert desk.house.get("search?q=%3Cscript%3E").text.count("<script>") == 0


def test_it_costs_the_same_whatever_is_found(desk: Desk) -> None:
    def queries(query: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            desk.house.get(f"search/suggestions?q={query}")
        return len(asked)

    queries("a")  # what is kept in the process is there from now on
    few = queries("total")
    for number in range(6):
        factories.achievement(desk.house.game, f"total-{number}")
        factories.player(desk.house.studio, f"total-{number}")
        factories.stat(factories.game(desk.house.studio), f"total-{number}")
    assert queries("total") == few


def test_suggestions_are_options_that_lead_on(desk: Desk) -> None:
    said: Any = desk.house.get("search/suggestions?q=hund").text
    assert 'role="option"' in said
    assert "<html" not in said
    assert desk.house.get("search/suggestions?q=nobody-at-all").text.strip() == ""
