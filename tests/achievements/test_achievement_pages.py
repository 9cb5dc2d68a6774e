"""The players' page of an achievement: who has it, why it is locked, what it takes, and reports."""

import re
from datetime import UTC, date, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import Game, Player
from achievements.models import Achievement, PlayerReport
from achievements.selectors import cards, definitions, holders
from achievements.selectors.company import Month
from analytics.models import AchievementDay, GameMonth
from core import public_pages
from social.models import Block
from tests import factories
from tests.achievements.player_pages import anybody, friends, held_by, order, page, unlock, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def anew() -> None:
    public_pages.forget()


@pytest.fixture
def game() -> Game:
    return factories.game(title="Emberwake")


def path(game: Game, key: str) -> str:
    return f"/games/{game.uuid}/achievements/{quote(key)}"


def test_any_key_has_a_page_that_the_games_page_leads_to(game: Game) -> None:
    keys = [
        "a/b c?d#e%f",
        "纵横捭阖/دفاع",
        "ü" * 128,
        "..",
        "a//b",
        "/lead",
        "./x",
        "3",
        "'\"<&",
        "report",
        "a;b,c\\d",
    ]
    for key in keys:
        factories.achievement(game, key, name=f"Called {key}")
    markup = page(anybody(), f"/games/{game.uuid}")
    addresses = [unescape(one) for one in re.findall(r'class="achievement-link"\s+href="([^"]+)"', markup)]
    assert len(addresses) == len(keys)
    for address in addresses:
        assert not {"", ".", ".."} & set(address.split("?")[0].split("/")[1:])
        found = re.search(r'<h1 id="achievement"[^>]*>\s*<bdi>Called (.*?)</bdi>', page(anybody(), address))
        assert found is not None
        keys.remove(unescape(found[1]))
    assert keys == []


def test_what_was_archived_says_so_to_who_lacks_it_and_stays_for_who_has_it(game: Game) -> None:
    for key, more in (("kept", {}), ("secret", {"hidden": True}), ("draft", {})):
        factories.achievement(game, key, **more)
    unlock(game, "anna", "kept")
    Achievement.objects.filter(game=game).exclude(key="draft").update(state="archived")
    Achievement.objects.filter(game=game, key="draft").update(state="draft")
    definitions.forget_catalogues()
    told = {key: anybody().get(path(game, key)) for key in ("kept", "secret", "draft", "nothing")}
    statuses = {key: answer.status_code for key, answer in told.items()}
    assert statuses == {"kept": 410, "secret": 404, "draft": 404, "nothing": 404}
    assert f'href="/games/{game.uuid}"' in told["kept"].content.decode()
    assert "Kept" not in told["kept"].content.decode(), "its name is for who has it"
    assert visitor(game, "anna")[0].get(path(game, "kept")).status_code == 200
    assert visitor(game, "ben")[0].get(path(game, "kept")).status_code == 410


def test_a_key_that_looks_like_an_id_does_not_stand_for_another_one(game: Game) -> None:
    veiled = factories.achievement(game, "veiled", hidden=True)
    factories.achievement(game, str(veiled.uuid), name="Odd key")
    assert "Odd key" in page(anybody(), path(game, str(veiled.uuid)))
    other = factories.achievement(game, "other", hidden=True)
    page(anybody(), path(game, str(other.uuid)), 404)


def test_holders_are_named_as_far_as_they_may_be_seen(game: Game) -> None:
    factories.achievement(game, "a")
    client, me = visitor(game, display_name="Reader")
    now = timezone.now()
    people = [("first", "private"), ("second", "public"), ("third", "friends"), ("fourth", "public")]
    people += [("blocked", "public"), ("banned", "public")]
    made: dict[str, Player] = {}
    for n, (name, visibility) in enumerate(people):
        made[name] = factories.player(game.studio, name, display_name=f"The {name}", visibility=visibility)
        at = (now - timedelta(days=9 - n)).isoformat().replace("+00:00", "Z")
        unlock(game, name, "a", at=at)
    friends(me, made["third"])
    Block.objects.create(player_id=made["blocked"].pk, blocked_id=me.pk, created_at=now)
    factories.ban(game.studio, "banned")
    held_by(game, players=50, a=15)
    public, own = page(anybody(), path(game, "a")), page(client, path(game, "a"))
    assert order(
        public, "Who has it", "15 players", "First", "The second", "2nd,", "The fourth", "and 12 more"
    )
    assert order(
        own, "Among your friends", "The third", "Who has it", "The second", "The third", "and 12 more"
    )
    for name in ("The first", "The third", "The banned"):
        assert name not in public
    for name in ("The first", "The blocked", "The banned"):
        assert name not in own
    assert f"/players/{made['second'].uuid}" in public


def test_a_visitor_reads_first_what_is_missing(game: Game) -> None:
    factories.stat(game, "kills", name="Foes <beaten>")
    factories.stat(game, "deaths", name="Falls")
    goal = {"all": [{"stat": "kills", "at_least": 5}, {"stat": "deaths", "at_least": 1}]}
    factories.achievement(game, "both", type="incremental", goal=goal)
    factories.achievement(game, "steps", type="incremental", target=30)
    factories.achievement(game, "plain")
    factories.achievement(game, "later", available_from=datetime(2099, 12, 1, tzinfo=UTC))
    client, _ = visitor(game)
    api = factories.api(factories.server_key(game.studio))
    definitions.forget_catalogues()
    body = {"game_id": str(game.uuid), "player": "reader"}
    assert api.post("/achievements/progress", body | {"achievement": "steps", "steps": 28}).status_code < 300
    event = "0198f2c4-6f1e-7000-8000-000000000001"
    stats = {"kills": {"add": 3}}
    assert api.post("/stats/report", body | {"event_id": event, "stats": stats}).status_code == 202
    assert order(page(client, path(game, "steps")), "Why it is locked", "2 to go.", "28 of 30")
    both = page(client, path(game, "both"))
    assert order(both, "2 conditions are open.", "All of these", "Foes <beaten>", "3 of 5", "Falls", "0 of 1")
    assert event not in both
    assert "The game has not reported it." in page(client, path(game, "plain"))
    assert order(
        page(client, path(game, "later")), "Returns", "can't be unlocked yet.", "It returns on 1 Dec 2099."
    )
    assert "Why it is locked" not in page(anybody(), path(game, "steps"))
    unlock(game, "reader", "plain")
    mine = page(client, path(game, "plain"))
    assert "Why it is locked" not in mine
    assert "did not unlock" not in mine


def test_what_an_achievement_takes_stands_with_its_state_and_neighbours_pass_hidden_ones_by(
    game: Game,
) -> None:
    factories.achievement(game, "one", name="Number one", sort_order=1)
    factories.achievement(game, "veiled", name="Veiled", hidden=True, sort_order=2)
    factories.achievement(game, "draft", name="Draft", state="draft", sort_order=3)
    factories.achievement(game, "three", name="Number three", sort_order=4)
    requires = ["one", "veiled", "draft", "three"]
    factories.achievement(game, "meta", type="meta", requires=requires, requires_count=2, sort_order=5)
    client, _ = visitor(game)
    unlock(game, "reader", "one")
    markup = page(client, path(game, "meta"))
    assert order(
        markup,
        "1 to go.",
        "What it takes",
        "any 2 of",
        "Number one",
        "Unlocked",
        "Hidden achievement",
        "Locked",
    )
    for word in ("Veiled", "veiled", "Draft"):
        assert word not in markup
    three = page(client, path(game, "three"))
    assert re.search(r'rel="prev"\s+href="[^"]*/one"', three)
    assert re.search(r'rel="next"\s+href="[^"]*/meta"', three)


def test_a_visitor_reports_what_did_not_unlock_and_reads_the_answer_there(game: Game) -> None:
    factories.achievement(game, "lost")
    client, _ = visitor(game)
    markup = page(client, path(game, "lost"))
    assert "This did not unlock?" in markup
    sent = client.post(path(game, "lost"), {"message": "I did it.\r\nTwice <b>."})
    assert (sent.status_code, sent["Location"]) == (302, f"{path(game, 'lost')}#report")
    assert "private" in sent["Cache-Control"]
    row = PlayerReport.objects.get()
    assert (row.message, row.trace["why_locked"]) == (
        "I did it.\nTwice <b>.",
        ["The game has not reported it."],
    )
    markup = page(client, path(game, "lost"))
    assert order(markup, "Your report is sent.", "What you reported", "Open")
    assert "Twice &lt;b&gt;." in markup
    again = client.post(path(game, "lost"), {"message": ""})
    assert again.status_code == 409
    assert "it is not answered yet" in again.content.decode()
    refused = client.post(path(game, "lost"), {"message": "a\u202eb"})
    assert refused.status_code == 422
    assert PlayerReport.objects.count() == 1


def test_only_who_may_reports_and_with_a_token_of_his_own_page(game: Game) -> None:
    factories.achievement(game, "lost")
    factories.achievement(game, "veiled", hidden=True)
    factories.achievement(game, "held")
    client, me = visitor(game)
    unlock(game, "reader", "held")
    outsider, _ = visitor(factories.game(), "outsider")
    assert anybody().post(path(game, "lost"), {}).status_code == 404
    assert outsider.post(path(game, "lost"), {}).status_code == 404  # the studio does not know him
    assert "This did not unlock?" not in page(outsider, path(game, "lost"))
    for key in ("veiled", "held"):
        assert client.post(path(game, key), {}).status_code == 404
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(me.account.user)
    assert strict.post(path(game, "lost"), {}).status_code == 403
    assert not PlayerReport.objects.exists()


def test_other_sites_are_told_what_a_link_leads_to(game: Game, settings: Any) -> None:
    settings.PUBLIC_URL = "https://laurel.example"
    factories.achievement(
        game, "a", name='First "blood"', description="Win <one>.", icon_url="https://i.example/a.png"
    )
    held_by(game, players=100, a=3)
    markup = re.sub(r"\s+", " ", page(anybody(), path(game, "a")))
    assert f'<link rel="canonical" href="https://laurel.example{path(game, "a")}">' in markup
    assert 'og:title" content="First &quot;blood&quot; – Emberwake"' in markup
    assert 'og:description" content="Win &lt;one&gt;. 3% of 100 players have it."' in markup
    assert 'og:image" content="https://i.example/a.png"' in markup


def test_rarity_over_time_is_drawn_from_what_analytics_keeps(game: Game) -> None:
    one = factories.achievement(game, "a")
    for month, new in ((date(2026, 8, 1), 40), (date(2026, 9, 1), 60)):
        GameMonth.objects.create(
            game_id=game.pk, at=month, active=new, new=new, unlocks=0, points=0, playtime_ms=0
        )
    for day, unlocks in ((date(2026, 8, 3), 4), (date(2026, 9, 9), 6)):
        AchievementDay.objects.create(game_id=game.pk, achievement_id=one.pk, day=day, unlocks=unlocks)
    held_by(game, players=100, a=12)
    markup = page(anybody(), path(game, "a"))
    assert order(
        markup, "How rare it is", "12% of 100", "As a table", "Aug 2026", "10%", "Sep 2026", "Today", "12%"
    )
    held_by(game, players=10, a=1)
    public_pages.forget()
    assert "As a table" not in page(anybody(), path(game, "a"))


def test_a_curve_needs_enough_players_and_never_passes_all_of_them() -> None:
    today = date(2026, 11, 26)
    few, many = Month(date(2026, 8, 1), 3, 19), Month(date(2026, 10, 1), 90, 1)
    assert holders.rarity_curve([few], percent=50.0, today=today) is None
    drawn = holders.rarity_curve([few, many], percent=99.9, today=today)
    assert drawn is not None
    assert drawn.days == ((date(2026, 10, 1), 1000), (today, 999))
    assert holders.rarity_curve([few, many], percent=None, today=today) is None
    assert holders.rarity_curve([], percent=3.0, today=today) is None


def test_a_place_among_sorted_ones_tells_nothing_of_hidden_ones() -> None:
    rarity = cards.Rarity(None, 0, None)
    made = [
        cards.AchievementCard("hidden", rarity),
        cards.AchievementCard("plain", rarity, key="a", points=1),
    ]
    for sort in cards.SORTS:
        assert [card.state for card in cards.in_order(made, sort)] == ["plain", "hidden"]
