"""Finding a studio's players by any id and by name, at the HTTP border."""

from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import finding
from accounts.models import Player
from tests import factories
from tests.accounts import joins
from tests.accounts.members import House
from tests.care.world import Desk

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk() -> Desk:
    return Desk()


def named(desk: Desk, query: str, *, by: str = "support", more: str = "") -> list[str]:
    answer = desk.house.get(f"players?q={quote(query)}{more}", by=by)
    assert answer.status_code == 200, answer.content
    return [line.person.external_id for line in answer.context["lines"]]


@pytest.mark.parametrize("query", ["p-1", "p-", "maren", "MARE", "enok", "ma", " p-1 "])
def test_a_player_is_found_by_a_beginning_of_an_id_or_a_part_of_a_name(desk: Desk, query: str) -> None:
    assert named(desk, query) == ["p-1"]


def test_an_id_that_begins_with_a_space_is_found(desk: Desk) -> None:
    factories.player(desk.house.studio, " p-1 ")
    assert named(desk, " p-1 ") == [" p-1 ", "p-1"]


def test_a_player_is_found_by_the_platforms_id(desk: Desk) -> None:
    assert named(desk, f"id:{desk.player.uuid}") == ["p-1"]
    assert named(desk, str(desk.player.uuid)) == ["p-1"]
    assert named(desk, str(desk.player.uuid).upper()) == ["p-1"]
    assert named(desk, f"id:{uuid4()}") == []


@pytest.mark.parametrize(
    "query",
    ["P-1", "-1", "no", "%", "_", "p%", "\\", "'", "p-1\x00", "p\n1", "x" * 500, "id:", "\U0010ffff", "🦊"],
)  # fmt: skip
def test_what_fits_nobody_finds_nobody(desk: Desk, query: str) -> None:
    assert named(desk, query) == []


@pytest.mark.parametrize(
    "name", ["100%", "under_score", "back\\slash", "Jörg Groß", "山田太郎", "a'b\"c", "<b>bold</b>"]
)
def test_every_name_is_found_as_it_is_written(desk: Desk, name: str) -> None:
    factories.player(desk.house.studio, "odd", display_name=name)
    assert named(desk, name) == ["odd"]
    assert named(desk, name[:2]) == ["odd"]


def test_one_letter_of_another_script_finds_the_beginning_of_a_name(desk: Desk) -> None:
    factories.player(desk.house.studio, "odd", display_name="山田太郎")
    assert named(desk, "山") == ["odd"]


def test_without_the_trigrams_a_name_is_found_by_its_beginning(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "NAME_PARTS", "no_such_index")
    finding._knows_parts.cache_clear()
    try:
        assert named(desk, "maren") == ["p-1"]
        assert named(desk, "enok") == []
    finally:
        finding._knows_parts.cache_clear()


def test_another_studio_s_players_are_found_by_nothing(desk: Desk) -> None:
    theirs = factories.player(desk.house.elsewhere, "theirs", display_name="marenok")
    for query in ("theirs", "the", f"id:{theirs.uuid}", str(theirs.uuid)):
        assert named(desk, query) == []
    assert named(desk, "marenok") == ["p-1"]
    answer = desk.house.client("outsider").get(f"/portal/{desk.house.elsewhere.uuid}/players?q=p-1")
    assert answer.context["lines"] == []


def test_one_whom_two_studios_name_is_shown_to_each_by_its_own_ids_only(desk: Desk) -> None:
    joins.join(desk.house.studio, "p-1", desk.house.elsewhere, "their-secret-id")
    assert named(desk, "marenok") == ["p-1"]
    assert named(desk, "their-secret-id") == []
    assert "their-secret-id" not in desk.house.get("players?q=marenok").text
    assert "their-secret-id" not in desk.see().text


def test_who_was_erased_is_not_found(desk: Desk) -> None:
    Player.objects.update(erased_at="2026-11-26T00:00:00Z")
    assert named(desk, "p-1") == named(desk, "marenok") == []
    assert desk.house.get(desk.path()).status_code == 404


def test_a_search_goes_on_where_it_ended_and_names_everybody_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("care.portal.finding.MOST_FOUND", 3)
    for number in range(7):
        factories.player(desk.house.studio, f"q-{number}")
    seen: list[str] = []
    more = ""
    for _ in range(5):
        answer = desk.house.get(f"players?q=q-{more}", by="support")
        seen += [line.person.external_id for line in answer.context["lines"]]
        if not answer.context["older"]:
            break
        more = f"&cursor={quote(answer.context['older'])}"
    assert seen == [f"q-{number}" for number in reversed(range(7))]
    assert desk.house.get(f"players?q=other{more}").status_code == 400  # a cursor of another search
    assert desk.house.get("players?q=q-&cursor=forged").status_code == 400


def test_what_fits_too_many_says_so_and_finds_a_whole_id_all_the_same(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MOST_BY_ID", 2)
    monkeypatch.setattr(finding, "MOST_BY_NAME", 2)
    monkeypatch.setattr(finding, "FEW_PLAYERS", 2)
    for name in ("q-1", "q-2", "q-3"):
        factories.player(desk.house.studio, name, display_name="Everyman")
    answer = desk.house.get("players?q=q-")
    assert (answer.context["is_cut"], len(answer.context["lines"])) == (True, 2)
    assert "Too many fit" in answer.text
    assert "q-3" in named(desk, "q-3")
    assert desk.house.get("players?q=Every").context["is_cut"]
    assert not desk.house.get("players?q=p-1").context["is_cut"]


def test_many_of_a_name_elsewhere_hide_nobody_and_do_not_show(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finding, "MOST_BY_NAME", 2)
    for number in range(3):
        factories.player(desk.house.elsewhere, f"e-{number}", display_name="Aa marenok")
        factories.player(desk.house.elsewhere, f"f-{number}", display_name="Nowhereman")
    factories.player(desk.house.studio, "p-2", display_name="aa mine")
    for query, found in (("marenok", ["p-1"]), ("aa", ["p-2"]), ("nowhere", [])):
        assert named(desk, query) == found
        assert not desk.house.get(f"players?q={query}").context["is_cut"]
    assert "found-players" not in desk.house.get("search?q=nowhere").text


def test_without_a_search_it_is_told_who_unlocked_last(desk: Desk) -> None:
    desk.unlock("a0", player="early")
    desk.unlock("a1", player="late")
    desk.unlock("a1", "a2", player="early")
    answer = desk.house.get("players", by="support")
    assert [line.person.external_id for line in answer.context["lines"]] == ["early", "late"]
    other = desk.house.game
    assert desk.house.get(f"players?game={other.uuid}").context["lines"] == []
    assert [
        line.person.external_id for line in desk.house.get(f"players?game={desk.game.uuid}").context["lines"]
    ] == ["early", "late"]


def test_a_list_costs_as_many_queries_for_many_as_for_one(desk: Desk, django_assert_num_queries: Any) -> None:
    desk.house.get("players")  # the session and what is kept of games are there by now
    with CaptureQueriesContext(connection) as captured:
        assert len(named(desk, "p-1", by="owner")) == 1
    one = len(captured)  # now: the next request begins another log
    for number in range(20):
        factories.player(desk.house.studio, f"p-1{number:02}")
        desk.unlock("a0", player=f"p-1{number:02}")
    with django_assert_num_queries(one):
        assert len(named(desk, "p-1", by="owner")) == 21


def test_who_may_see_players_may_find_them() -> None:
    house = House()
    seen = house.statuses("get", "players?q=p-1")
    assert seen == {
        "owner": 200,
        "admin": 200,
        "developer": 200,
        "support": 200,
        "analyst": 403,
        "outsider": 404,
        "signed out": 302,
    }


def test_names_are_shown_as_text(desk: Desk) -> None:
    factories.player(
        desk.house.studio, "<script>alert(1)</script>", display_name="<img src=x onerror=alert(2)>"
    )
    page = desk.house.get("players?q=%3Cimg").text
    assert "&lt;img src=x" in page
    assert "<img src=x" not in page
    assert "<script>alert" not in page
