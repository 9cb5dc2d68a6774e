"""A player's pages at the HTTP border: what of one studio's they show, and nothing of another's."""

from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import factories
from tests.accounts import joins
from tests.accounts.visitors import member
from tests.care.world import Desk

pytestmark = pytest.mark.django_db
TABS = ("", "/achievements", "/stats", "/ranks", "/sessions")
ROLES = {"owner": 200, "admin": 200, "developer": 200, "support": 200, "analyst": 403, "outsider": 404}


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.parametrize("tab", TABS)
def test_who_may_see_players_sees_each_page(desk: Desk, tab: str) -> None:
    assert desk.house.statuses("get", desk.path(tab)) == {**ROLES, "signed out": 302}


@pytest.mark.parametrize("tab", TABS)
def test_who_is_none_of_the_studio_s_is_not_there(desk: Desk, tab: str) -> None:
    theirs = factories.player(desk.house.elsewhere, "theirs")
    for player in (theirs.uuid, uuid4()):
        assert desk.house.get(f"players/{player}{tab}").status_code == 404
    other_game = factories.game(desk.house.elsewhere)
    for game in (other_game.uuid, uuid4(), "nonsense", "%00"):
        assert desk.house.get(desk.path(f"{tab}?game={game}")).status_code == 404
    assert desk.house.get(f"players/nonsense{tab}").status_code == 404


def test_the_head_says_who_it_is(desk: Desk) -> None:
    joins.join(desk.house.studio, "p-1", desk.house.studio, "epic:ab12")
    factories.ban(desk.house.studio, "p-1")
    page = desk.see().text
    for said in ("marenok", "EU", "p-1", "epic:ab12", "Banned", "public profile"):
        assert said in page, said


def test_who_was_joined_to_another_is_shown_as_the_other(desk: Desk) -> None:
    other = factories.player(desk.house.elsewhere, "theirs")
    joins.join(desk.house.studio, "p-1", desk.house.elsewhere, "theirs")
    gone, stays = sorted((other, desk.player), key=lambda one: type(one).objects.filter(pk=one.pk).exists())
    answer = desk.house.get(f"players/{gone.uuid}")
    assert answer["Location"] == desk.house.path(f"players/{stays.uuid}")
    stranger = factories.studio()
    visitor = member(stranger, "owner", "stranger@example.com")
    assert visitor.client.get(f"/portal/{stranger.uuid}/players/{gone.uuid}").status_code == 404


@pytest.mark.slow
def test_figures_are_this_studio_s_alone(desk: Desk) -> None:
    desk.unlock("a1", "a2")
    elsewhere = joins.declare(desk.house.elsewhere)
    joins.join(desk.house.studio, "p-1", desk.house.elsewhere, "theirs")
    joins.unlock(elsewhere, "theirs", "a5")
    for tab in TABS:
        context = desk.see(tab).context
        assert (context["points"], context["unlocked"]) == (30, 2), tab
        assert "theirs" not in desk.see(tab).text
    listed = desk.see("/achievements").context["rows"]
    assert {row.definition.key for row in listed if row.held} == {"a1", "a2"}
    assert sum(line.points for line in desk.house.get("players?q=p-1").context["lines"]) == 30


def test_a_game_narrows_all_of_it(desk: Desk) -> None:
    second = joins.declare(desk.house.studio)
    desk.unlock("a1")
    joins.unlock(second, "p-1", "a2")
    assert desk.see().context["points"] == 30
    narrowed = desk.see(f"?game={desk.game.uuid}").context
    assert (narrowed["points"], narrowed["unlocked"]) == (10, 1)
    assert [event.key for event in narrowed["events"] if event.key] == ["a1"]


def test_achievements_say_how_far_they_are(desk: Desk) -> None:
    desk.unlock("a1")
    joins.advance(desk.game, "p-1", 3)
    joins.report(desk.game, "p-1", total=40)
    rows = {
        row.definition.key: row for row in desk.see(f"/achievements?game={desk.game.uuid}").context["rows"]
    }
    assert next(iter(rows)) == "a1"  # what he has comes first
    assert (rows["steps"].steps, rows["steps"].target) == (3, 10)
    assert (rows["hundred"].steps, rows["hundred"].target) == (40, 100)
    locked = desk.see(f"/achievements?which=locked&game={desk.game.uuid}").context
    assert "a1" not in [row.definition.key for row in locked["rows"]]
    found = desk.see("/achievements?q=STEP").context
    assert [row.definition.key for row in found["rows"]] == ["steps"]


def test_long_lists_of_achievements_come_in_pages(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("care.portal.profile.A_PAGE", 4)
    seen: list[str] = []
    for page in (1, 2, 3):
        context = desk.see(f"/achievements?game={desk.game.uuid}&page={page}").context
        seen += [row.definition.key for row in context["rows"]]
    assert len(seen) == len(set(seen)) == 10
    for odd in ("0", "-1", "x", "99999", "٣", "9999"):
        desk.see(f"/achievements?page={odd}")


def test_stats_ranks_and_sessions_are_shown(desk: Desk) -> None:
    desk.unlock("a1")
    joins.report(desk.game, "p-1", total=12, max=7)
    joins.submit(desk.game, "p-1", best=500)
    joins.play(desk.game, "p-1")
    stats = {row.key: row for row in desk.see("/stats").context["rows"]}
    assert (stats["total"].value, stats["last"].value) == (12, None)
    ranks = desk.see("/ranks").context
    stands = {row.board: (row.score, row.rank, row.is_off) for row in ranks["stands"]}
    assert stands["points"] == (10, 1, False)
    assert stands["best"] == (500, 1, False)
    assert {row.period for row in ranks["scores"] if row.board == "best"} >= {"all"}
    assert [one.sessions for one, _ in desk.see("/sessions").context["rows"]] == [1]


@pytest.mark.django_db(transaction=True)  # a listener takes him off, and hears what is committed
def test_who_is_off_the_boards_is_shown_so(desk: Desk) -> None:
    desk.unlock("a1")
    joins.submit(desk.game, "p-1", best=500)
    desk.house.post(desk.path("/exclude"), {"to": "on", "reason": "Cheats."})
    joins.drain()
    answer = desk.see("/ranks")
    assert {row.is_off for row in answer.context["stands"]} == {True}
    assert "Not shown" in answer.text


def test_a_studio_without_games_has_pages_of_its_players() -> None:
    desk = Desk()
    lonely = factories.studio()
    player = factories.player(lonely, "alone")
    for tab in TABS:
        path = f"/portal/{lonely.uuid}/players/{player.uuid}{tab}"
        assert desk.house.client("owner").get(path).status_code == 404
    visitor = member(lonely, "support")
    for tab in TABS:
        assert visitor.client.get(f"/portal/{lonely.uuid}/players/{player.uuid}{tab}").status_code == 200


@pytest.mark.slow
@pytest.mark.parametrize("tab", [*TABS, "/achievements?why=goal", "?why=both"])
def test_a_page_costs_as_many_queries_for_much_as_for_little(
    desk: Desk, tab: str, django_assert_num_queries: Any
) -> None:
    def fill(name: str, count: int) -> None:
        for number in range(count):
            game = joins.declare(desk.house.studio)
            for key in ("a0", "a1", "a3"):
                joins.unlock(game, name, key)
            joins.report(game, name, total=number + 1)
            joins.play(game, name)

    desk.unlock("a0", "a1")
    joins.report(desk.game, "p-1", total=1)
    joins.play(desk.game, "p-1")
    fill("p-1", 1)
    address = desk.path(f"{tab}{'&' if '?' in tab else '?'}game={desk.game.uuid}")
    desk.house.get(address)
    with CaptureQueriesContext(connection) as captured:
        assert desk.house.get(address).status_code == 200
    little = len(captured)  # now: the next request begins another log
    fill("p-1", 5)
    desk.house.get(address)
    with django_assert_num_queries(little):
        assert desk.house.get(address).status_code == 200
