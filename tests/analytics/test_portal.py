"""The portal's pages of a game's analytics: figures of a small game, what may be asked, and by whom."""

import json
import re
from typing import Any

import pytest
from django.test import Client

from analytics.models import ChosenFunnel
from analytics.templatetags import figures
from core.ids import new_id
from core.models import AuditEntry
from tests import factories
from tests.accounts.visitors import Visitor, member
from tests.analytics.world import World, words

pytestmark = pytest.mark.django_db(transaction=True)
WEEK = "?window=7d&until=2026-03-08"
TABS = ("", "/achievements", "/retention", "/funnel", "/leaderboards", "/stats")
FILES = (
    *("overview", "achievements", "retention", "funnel", "leaderboards"),
    *("regions", "quantiles", "bars", "completion"),
)


@pytest.fixture
def world() -> World:
    return World.create()


def root(world: World) -> str:
    return f"/portal/{world.studio.uuid}/games/{world.game.uuid}/analytics"


def look(who: Visitor, world: World, path: str, status: int = 200) -> str:
    answer = who.client.get(root(world) + path)
    assert answer.status_code == status, answer.content
    text: str = answer.text if not answer.streaming else b"".join(answer).decode()
    return text


def chart(html: str, name: str) -> Any:
    found = re.search(rf'<script id="{name}" type="application/json">(.*?)</script>', html)
    assert found is not None
    return json.loads(found[1])


def test_an_overview_says_how_the_game_does(world: World) -> None:
    page = look(member(world.studio, "analyst"), world, WEEK)
    text = words(page)
    assert "4 players ever" in text
    assert "Daily players 0.7 average of 7 days" in text
    assert "New players 4 100% of all who ever played" in text
    assert "Unlocks 6 per player: 1.5" in text
    drawn = chart(page, "line-data")
    assert drawn["series"][0] == {"label": "2 Mar – 8 Mar", "values": [2, 2, 1, 0, 0, 0, 0]}
    assert drawn["series"][1]["values"] == [0] * 7
    assert "Daily players fell from 2 to 0 within 2 Mar – 8 Mar; the most were 2 on 2 Mar." in page
    assert "EU 60%" in text
    assert "Move" not in text


def test_changes_are_good_or_bad_by_their_meaning(world: World) -> None:
    page = look(member(world.studio, "owner"), world, "?window=7d&until=2026-03-13")
    assert 'delta-bad">−80.0%' in page  # one day of a player against five
    alone = look(member(world.studio, "support"), world, "?window=7d&until=2026-03-13&compare=false")
    assert "80.0%" not in alone
    assert figures.change(5, 4) == '<span class="delta delta-good">+25.0%</span>'
    assert figures.change(3, 4, "less") == '<span class="delta delta-good">−25.0%</span>'
    assert figures.change(4, 4) == '<span class="delta">±0.0%</span>'
    assert figures.change(4, 0) == ""


def test_a_chart_has_its_table_without_a_script(world: World) -> None:
    page = look(member(world.studio, "owner"), world, f"{WEEK}&view=table")
    assert "data-chart" not in page
    rows = re.findall(r'<th scope="row" class="nowrap">(.*?)</th>\s*<td class="end">(.*?)</td>', page)
    assert rows[0] == ("8 Mar", "0")
    assert rows[-1] == ("2 Mar", "2")


def test_retention_shows_percents_and_what_is_not_over(world: World) -> None:
    page = look(member(world.studio, "owner"), world, f"/retention{WEEK}")
    text = words(page)
    assert "2 Mar 2 100 50 0 0" in text
    assert "All, average 4 100 25" in text
    assert "Came back: 25% after a day" in text
    assert "5 Mar" not in text  # nobody came first then
    assert (
        look(member(world.studio, "admin"), world, "/retention?window=7d").count("Nobody came for the first")
        == 1
    )


def test_achievements_are_sorted_by_links(world: World) -> None:
    owner = member(world.studio, "owner")

    def order(sort: str) -> list[str]:
        page = look(owner, world, f"/achievements{WEEK}&sort={sort}")
        return re.findall(r'<b class="cut" title="(.)">', page)

    assert order("") == order("unlocked") == order("nonsense") == ["A", "B", "C"]
    assert order("order") == ["A", "B", "C"]
    assert order("median") == ["A", "B", "C"]
    assert order("p90") == ["B", "C", "A"]
    page = look(owner, world, f"/achievements{WEEK}&sort=p90")
    assert 'aria-sort="ascending"' in page
    assert "n = 4" in page
    assert "sort=change" in page


def test_a_funnel_is_chosen_step_by_step_in_its_address(world: World) -> None:
    owner = member(world.studio, "owner")
    page = look(owner, world, "/funnel")
    assert [
        step[1]
        for step in re.findall(r'(funnel">|<li>)\s*<span class="line">\s*<b class="cut" title="(.)"', page)
    ] == [
        "A",
        "B",
        "C",
    ]
    assert "50%" in words(page)
    added = owner.client.get(root(world) + "/funnel?achievements=c,a&add=b")
    assert added["Location"].endswith("/funnel?achievements=c%2Ca%2Cb")
    text = look(owner, world, "/funnel?achievements=c,a,b")
    assert "achievements=a%2Cc%2Cb" in text  # a moved up
    assert "achievements=c%2Cb%2Ca" in text  # a moved down
    assert "achievements=a%2Cb" in text  # c removed
    assert "No published achievement" in look(owner, world, "/funnel?achievements=a,b&add=zz", 422)
    assert "It is a step already" in look(owner, world, "/funnel?achievements=a,b&add=A", 422)
    look(owner, world, "/funnel?achievements=a,zz", 404)
    look(owner, world, "/funnel?achievements=a,a", 400)


def test_a_funnel_is_kept_for_the_game_and_forgotten(world: World) -> None:
    developer = member(world.studio, "developer")
    keep = root(world) + "/funnel/keep"
    for _ in range(2):
        assert developer.client.post(keep, {"achievements": "c,a"}).status_code == 302
    entry = AuditEntry.objects.get(action="analytics.funnel")
    assert (entry.actor, entry.details) == (f"user:{developer.email}", {"achievements": ["c", "a"]})
    said = world.api().get(world.path("funnel")).json()["steps"]
    assert [one["key"] for one in said] == ["c", "a"]
    assert "This game's own" in look(developer, world, "/funnel").replace("&#x27;", "'")
    assert developer.client.post(keep, {"achievements": "c,zz"}).status_code == 404
    assert ChosenFunnel.objects.count() == 1
    assert developer.client.post(keep).status_code == 302
    assert ChosenFunnel.objects.count() == 0
    assert AuditEntry.objects.filter(action="analytics.funnel").count() == 2


def test_who_may_not_write_keeps_no_funnel(world: World) -> None:
    analyst, outsider = member(world.studio, "analyst"), member(factories.studio(), "owner")
    keep = root(world) + "/funnel/keep"
    assert analyst.client.post(keep, {"achievements": "c,a"}).status_code == 403
    assert outsider.client.post(keep, {"achievements": "c,a"}).status_code == 404
    assert "Keep these steps" not in look(analyst, world, "/funnel?achievements=c,a")
    assert not ChosenFunnel.objects.exists()


def test_stats_show_how_values_are_spread(world: World) -> None:
    factories.stat(world.game, "kills")
    for player, kills in (("p-1", 3), ("p-2", 5), ("p-3", 9)):
        body = {
            "game_id": str(world.game.uuid),
            "player": player,
            "stats": {"kills": {"add": kills}},
            "event_id": str(new_id()),
        }
        assert world.api().post("/stats/report", body).status_code == 202
    world.count()
    page = look(member(world.studio, "owner"), world, "/stats")
    assert chart(page, "values-data")["marks"][1] == {"label": "p50", "at": 5}
    assert chart(page, "completion-data")["series"][0]["values"] == [100, 100, 75, 25]
    assert "Half of 4 players have 2 achievements or more; 1 have the most, 3." in page
    assert "No playtime is known." in page
    assert "n = 3" in page


def test_every_table_is_a_file(world: World) -> None:
    analyst = member(world.studio, "analyst")
    for name in FILES:
        lines = look(analyst, world, f"/{name}.csv{WEEK}").splitlines()
        assert "," in lines[0]
        assert len(lines) > 1 or name in ("leaderboards", "quantiles", "bars")


def test_a_table_that_is_not_there_is_not_found(world: World) -> None:
    look(member(world.studio, "owner"), world, "/secrets.csv", 404)


def test_what_can_t_be_read_is_refused(world: World) -> None:
    owner = member(world.studio, "owner")
    for asked in ("?window=8d", "?until=2026-02-30", "?compare=maybe", "?until=2999-01-01"):
        look(owner, world, asked, 400)
    for asked in ("?window=&until=", "?sort=%00&page=x&view=%3Cb%3E", "?strange=1", "?window=all"):
        look(owner, world, asked)


def test_a_game_without_anything_is_not_broken() -> None:
    factories.forget()
    game = factories.game()
    owner = member(game.studio, "owner")
    for tab in TABS:
        for query in ("", "?window=all", "?window=365d"):
            page = owner.client.get(f"/portal/{game.studio.uuid}/games/{game.uuid}/analytics{tab}{query}")
            assert page.status_code == 200
            assert "empty-state" in page.text


def test_pages_cost_as_many_queries_for_long_windows_as_for_short_ones(
    world: World, django_assert_max_num_queries: Any
) -> None:
    owner = member(world.studio, "owner")
    look(owner, world, "")
    for tab, most in zip(TABS, (34, 20, 14, 20, 14, 14), strict=True):
        with django_assert_max_num_queries(most):
            look(owner, world, tab + "?window=90d")


def test_who_is_not_signed_in_is_led_there_and_back(world: World) -> None:
    answer = Client(headers={"Accept": "text/html"}).get(root(world))
    assert answer["Location"] == f"/account/login/?next={root(world)}"


def test_names_are_shown_as_text(world: World) -> None:
    factories.achievement(world.game, "x", name="<script>alert(1)</script>")
    factories.forget()
    owner = member(world.studio, "owner")
    for tab in TABS:
        assert "<script>alert" not in look(owner, world, tab)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "under 1 min"),
        (240, "4 min"),
        (7500, "2 h 05"),
        (86_400, "24 h"),
        (171 * 3600, "171 h"),
        (30 * 86_400, "30 days"),
        (None, "–"),
    ],
)
def test_durations_are_written_shortly(seconds: float | None, text: str) -> None:
    assert figures.duration(seconds) == text
