"""The players' pages of games: the list, a game for anybody and for its visitor, filters, sorts, masks."""

import gzip
import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Game
from achievements import plausibility
from achievements.models import AchievementTranslation, Plausibility
from core import public_pages
from tests import factories
from tests.achievements.player_pages import anybody, friends, held_by, order, page, unlock, visitor

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7|add:7 }}"
SECRET = {
    "name": "Veiled name",
    "description": "Veiled text",
    "points": 77_777,
    "hidden": True,
    "group": "veiled group",
    "icon_url": "https://icons.example/veiled.png",
}


@pytest.fixture(autouse=True)
def anew() -> None:
    public_pages.forget()


@pytest.fixture
def game() -> Game:
    return factories.game(title="Emberwake")


def path(game: Game, query: str = "") -> str:
    return f"/games/{game.uuid}{query}"


def titles(markup: str) -> list[str]:
    return re.findall(r"<h2[^>]*>\s*([A-Z][^<]+?)\s*<", markup)


def names(markup: str) -> list[str]:
    return [
        unescape(name) for name in re.findall(r'class="achievement-link"[^>]*><bdi[^>]*>(.*?)</bdi>', markup)
    ]


def test_the_list_shows_games_that_anybody_may_see_those_of_the_visitor_first(game: Game) -> None:
    factories.achievement(game, "a")
    crowded, draft, away = (factories.game(title=title) for title in ("Crowded", "Draft", "Away"))
    factories.achievement(crowded, "a")
    held_by(crowded, players=500)
    factories.achievement(draft, "a", state="draft")
    factories.achievement(away, "a")
    Game.objects.filter(pk=away.pk).update(archived_at=timezone.now())
    client, _ = visitor(game)
    unlock(game, "reader", "a")
    own, others = page(client, "/games"), page(anybody(), "/games")
    assert order(own, "Yours", "Emberwake", "1 of 1", "100%", "More games", "Crowded", "500 players")
    assert order(others, "All games", "Crowded", "Emberwake", "1 achievement")
    for markup in (own, others):
        assert "Draft" not in markup
        assert "Away" not in markup


def test_the_list_is_searched_and_paged_to_its_end() -> None:
    studio = factories.studio("Tidewater")
    for n in range(26):
        factories.achievement(factories.game(studio, title=f"Game <{n:02}>"), "a")
    client, seen = anybody(), []
    url = "/games?q=tidewater"
    while url:
        markup = page(client, url)
        seen += re.findall(r"Game &lt;(\d\d)&gt;</bdi>", markup)
        following = re.search(r'rel="next"\s+href="([^"]+)"', markup)
        url = unescape(following[1]) if following else ""
    assert seen == [f"{n:02}" for n in range(26)]
    assert "That is all of them." in markup
    assert page(client, "/games?q=<0").count("&lt;0") > 5
    assert "No game is called that" in page(client, "/games?q=%00")
    assert page(client, "/games?cursor=forged", 400)


def test_anybody_sees_a_game_without_what_is_personal(game: Game) -> None:
    for key in ("rare", "common"):
        factories.achievement(game, key)
    held_by(game, players=100, rare=3, common=80)
    markup = page(anybody(), path(game))
    assert order(markup, "Achievements", "<bdi>Common</bdi>", "80% of 100", "<bdi>Rare</bdi>", "3% of 100")
    for word in ("Timeline", "Friends", "Still out there", "csrf", "tile-badge"):
        assert word not in markup
    assert f'og:title" content="{game.title}"' in re.sub(r"\s+", " ", markup)


def test_a_visitor_sees_what_is_near_what_he_has_and_what_is_left(game: Game) -> None:
    for key, target in (("near", 10), ("nearer", 10), ("begun", 10)):
        factories.achievement(game, key, type="incremental", target=target)
    for key in ("old", "new", "rare", "common"):
        factories.achievement(game, key)
    factories.achievement(game, "veiled", **SECRET)
    client, _ = visitor(game)
    api = factories.api(factories.server_key(game.studio))
    for key, steps in (("near", 6), ("nearer", 9), ("begun", 1)):
        body = {"game_id": str(game.uuid), "player": "reader", "achievement": key, "steps": steps}
        assert api.post("/achievements/progress", body).status_code < 300
    now = timezone.now()
    for key, days in (("old", 9), ("new", 1)):
        unlock(game, "reader", key, at=(now - timedelta(days=days)).isoformat().replace("+00:00", "Z"))
    held_by(game, players=100, rare=3, common=80, begun=50)
    markup = page(client, path(game))
    assert titles(markup) == ["Almost yours", "Unlocked", "Still out there"]
    assert names(markup) == ["Nearer", "Near", "New", "Old", "Common", "Begun", "Rare"]
    assert markup.rindex("Hidden achievement") > markup.index("<bdi>Rare</bdi>")
    assert "<b>9</b> of 10" in markup
    assert "2 of 8" in markup


FILTERED: list[tuple[str, list[str]]] = [
    ("?show=unlocked", ["Held"]),
    ("?show=locked", ["Cheap", "Other", "Dear"]),
    ("?show=hidden", []),
    ("?show=progress", []),
    ("?group=chapter%202", ["Other"]),
    ("?sort=rarity", ["Dear", "Other", "Cheap", "Held"]),
    ("?sort=points", ["Dear", "Other", "Held", "Cheap"]),
    ("?sort=newest", ["Held", "Other", "Dear", "Cheap"]),
    ("?sort=nearest", ["Cheap", "Other", "Dear", "Held"]),
    ("?show=locked&sort=points", ["Dear", "Other", "Cheap"]),
    ("?group=no+such+group", []),
]


def test_filters_and_sorts_make_one_list_of_the_sections(game: Game) -> None:
    factories.achievement(game, "cheap", points=5)
    factories.achievement(game, "dear", points=90)
    factories.achievement(game, "held", points=10)
    factories.achievement(game, "other", points=20, group="chapter 2")
    factories.achievement(game, "veiled", **SECRET)
    held_by(game, players=100, cheap=50, dear=1, held=90, other=20, veiled=60)
    client, _ = visitor(game)
    unlock(game, "reader", "held")
    for query, expected in FILTERED:
        markup = page(client, path(game, query))
        assert names(markup) == expected
        assert len(titles(markup)) == (1 if expected or "hidden" in query else 0)
        if "sort" in query and "show" not in query:  # its place tells nothing of what it is worth
            assert markup.rindex("Hidden achievement") > max(
                markup.index(f"<bdi>{name}</bdi>") for name in expected
            )
        assert "Veiled" not in markup.title()


@pytest.mark.parametrize(
    "query", ["?show=everything", "?sort=up", "?view=x", "?lang=xx-nope", "?all=2", "?view=friends"]
)
def test_what_an_address_does_not_know_leads_to_the_page_and_is_not_kept(game: Game, query: str) -> None:
    factories.achievement(game, "a")
    answer = anybody().get(path(game, query))
    assert (answer.status_code, answer["Location"]) == (302, path(game))


def test_a_hidden_achievement_leaves_no_word_in_any_page(game: Game) -> None:
    factories.achievement(game, "veiled-key", **SECRET)
    factories.achievement(game, "open")
    factories.achievement(game, "meta", type="meta", requires=["open", "veiled-key"])
    mine, _ = visitor(game)
    _, holder = visitor(game, "holder")
    unlock(game, "holder", "veiled-key", "open")
    queries = (
        "",
        "?sort=points",
        "?sort=newest",
        "?show=hidden",
        "?group=veiled+group",
        "?view=timeline",
        "?all=1",
    )
    paths = [path(game, query) for query in queries]
    paths += [path(game, f"/achievements/{key}") for key in ("open", "meta")]
    paths += ["/games", f"/players/{holder.uuid}/games/{game.uuid}"]
    for client in (anybody(), mine):
        for one in paths:
            answer = client.get(one, follow=True)
            assert answer.status_code == 200, one
            markup = re.sub(r"veiled(\+|%2b| )group", "", answer.content.decode().lower())
            assert "veiled" not in markup, one
            assert "77,777" not in markup, one
            assert not re.search(r"\b77777\b", markup), one  # an id may hold the digits
    assert "Hidden achievement" in page(mine, path(game, "/achievements/meta"))


def test_who_has_a_hidden_one_sees_it_and_its_address(game: Game) -> None:
    factories.achievement(game, "veiled-key", **SECRET)
    client, me = visitor(game)
    _, other = visitor(game, "other")
    unlock(game, "reader", "veiled-key")
    unlock(game, "other", "veiled-key")
    for one in (
        path(game),
        path(game, "/achievements/veiled-key"),
        f"/players/{other.uuid}/games/{game.uuid}",
    ):
        assert "Veiled name" in page(client, one)
    assert "Veiled" not in page(anybody(), f"/players/{me.uuid}/games/{game.uuid}")


def test_what_is_checked_of_somebody_is_nobody_elses_business(game: Game) -> None:
    Plausibility.objects.create(game=game, document=plausibility.nothing())
    factories.flagged_unlock(game, "finale", "reader")
    client, me = visitor(game)
    assert "Being checked" in page(client, path(game))
    assert "Being checked" not in page(anybody(), f"/players/{me.uuid}/games/{game.uuid}")


def test_a_page_for_anybody_is_kept_and_asks_nothing(game: Game, django_assert_num_queries: Any) -> None:
    factories.achievement(game, "a")
    client = anybody()
    for one in (path(game), "/games", path(game, "/achievements/a")):
        first = client.get(one)
        with django_assert_num_queries(0):
            again = client.get(one, headers={"If-None-Match": first["ETag"]})
        assert (again.status_code, again.content) == (304, b"")
        is_withdrawn = one.endswith("/achievements/a")  # who has it may be seen no more at any time
        assert first["Cache-Control"].startswith(
            "public, max-age=0" if is_withdrawn else "public, s-maxage=30"
        )
    own, _ = visitor(game)
    assert own.get(path(game))["Cache-Control"] == "private, no-store"


@pytest.mark.slow
def test_five_hundred_achievements_stay_light_and_are_shown_whole_on_request(game: Game) -> None:
    factories.achievements(game, {f"a-{n:03}": 10 for n in range(500)})
    held_by(game, players=100, **{f"a-{n:03}": n % 100 for n in range(500)})
    client, _ = visitor(game)
    unlock(game, "reader", *(f"a-{n:03}" for n in range(60)))
    markup = page(client, path(game))
    assert len(names(markup)) == 96
    assert order(markup, "12 more are not shown.", "Show all 60", "392 more are not shown.", "Show all 440")
    assert len(markup.encode()) < 300 * 1024
    whole = page(client, path(game, "?all=1"))
    assert len(names(whole)) == 500
    assert len(gzip.compress(whole.encode())) < 100 * 1024
    assert len(names(page(client, path(game, "?sort=rarity&all=1")))) == 500


def _queries(client: Client, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(
        connection,
    ) as found:
        assert client.get(url).status_code == 200
    return len(found)


def test_a_page_takes_as_many_queries_however_much_there_is(game: Game) -> None:
    client, me = visitor(game)
    factories.achievement(game, "a-0", type="incremental", target=9)
    factories.achievement(game, "meta", type="meta", requires=["a-0", "a-1"])
    factories.achievement(game, "a-1")
    pages = (
        "",
        "?sort=rarity",
        "?view=boards",
        "?view=timeline",
        "?view=friends",
        "/achievements/a-1",
        "/achievements/meta",
    )
    _befriend(game, me, 1)
    unlock(game, "reader", "a-1")
    few = [_queries(client, path(game, one)) for one in pages]
    factories.achievements(game, {f"b-{n}": 10 for n in range(60)})
    _befriend(game, me, 6)
    unlock(game, "reader", *(f"b-{n}" for n in range(20)))
    many = [_queries(client, path(game, one)) for one in pages]
    assert many == few
    assert max(few) <= 26


def _befriend(game: Game, me: Any, count: int) -> None:
    for n in range(count):
        friend = factories.player(game.studio, f"friend-{count}-{n}", display_name=f"Friend {n}")
        friends(me, friend)
        unlock(game, f"friend-{count}-{n}", "a-1")


def test_friends_who_play_stand_with_what_they_have_and_private_ones_nowhere(game: Game) -> None:
    factories.achievement(game, "a", points=10)
    factories.achievement(game, "b", points=20)
    client, me = visitor(game)
    for name, visibility, keys in (
        ("less", "friends", ["a"]),
        ("more", "public", ["a", "b"]),
        ("none", "public", []),
    ):
        friends(me, factories.player(game.studio, name, display_name=f"Friend {name}", visibility=visibility))
        unlock(game, name, *keys)
    friends(me, factories.player(game.studio, "veiled", display_name="Friend veiled", visibility="private"))
    factories.player(game.studio, "stranger", display_name="Stranger")
    unlock(game, "veiled", "a")
    unlock(game, "stranger", "a")
    markup = page(client, path(game, "?view=friends"))
    assert order(markup, "2 friends play", "Friend more", "2 of 2", "Friend less", "1 of 2")
    for name in ("Friend none", "Friend veiled", "Stranger"):
        assert name not in markup


def test_boards_tell_the_visitors_place(game: Game) -> None:
    factories.achievement(game, "a", points=10)
    factories.leaderboard(game, "laps", name="Best <lap>", sort="asc")
    client, _ = visitor(game)
    factories.player(game.studio, "other")
    unlock(game, "reader", "a")
    unlock(game, "other", "a")
    markup = page(client, path(game, "?view=boards"))
    assert order(
        markup, "Points", "All time · Highest first", "=1", "of 2 · 10", "Best <lap>", "Lowest first"
    )
    assert "Not on it yet" in markup
    assert "Not on it yet" not in page(anybody(), path(game, "?view=boards"))


def test_the_timeline_goes_back_to_where_it_began(game: Game) -> None:
    factories.achievements(game, {f"a-{n:02}": 10 for n in range(55)})
    client, _ = visitor(game)
    unlock(game, "reader", *(f"a-{n:02}" for n in range(55)))
    first = page(client, path(game, "?view=timeline"))
    more = re.search(r'rel="next"\s+href="([^"]+)"', first)
    assert more is not None
    second = page(client, unescape(more[1]))
    shown = [re.findall(r"<bdi>(A-\d\d)</bdi>", one) for one in (first, second)]
    assert [len(one) for one in shown] == [50, 5]
    assert len({*shown[0], *shown[1]}) == 55
    assert "That is where it began." in second


def test_texts_come_in_the_language_that_is_asked_for_or_read(game: Game) -> None:
    one = factories.achievement(game, "a", name="First blood", description="Win.")
    AchievementTranslation.objects.create(achievement=one, language="de", name="Erstes Blut", description="")
    AchievementTranslation.objects.create(achievement=one, language="ar", name="أول دم", description="اربح.")
    german = page(anybody(), path(game, "?lang=de-AT"))
    assert '<bdi lang="de">Erstes Blut</bdi>' in german
    assert "Win." in german
    assert f"/games/{game.uuid}/achievements/a?lang=de-AT" in german
    assert 'dir="auto"' in german
    assert 'lang="ar"' in page(anybody(), path(game, "/achievements/a?lang=ar"))
    assert "First blood" in page(anybody(), path(game))
    client, _ = visitor(game)
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "fr, de-DE;q=0.8"
    assert "Erstes Blut" in page(client, path(game))
    assert "First blood" in page(client, path(game, "?lang=original"))
    chosen, _ = visitor(game, "chooser", language="ar")
    chosen.defaults["HTTP_ACCEPT_LANGUAGE"] = "de"
    for where in ("", "/achievements/a"):
        assert "أول دم" in page(chosen, path(game, where)), "what was chosen goes before what a browser says"


def test_what_a_studio_writes_is_shown_and_never_run(settings: Any) -> None:
    game = factories.game(factories.studio(HOSTILE[:80]), title=HOSTILE)
    key = HOSTILE[:128]
    one = factories.achievement(
        game, key, name=HOSTILE, description=HOSTILE, group=HOSTILE, icon_url='https://x/"onerror="a'
    )
    factories.achievement(game, "meta", type="meta", requires=[key])
    AchievementTranslation.objects.create(achievement=one, language="de", name=HOSTILE, description=HOSTILE)
    factories.leaderboard(game, HOSTILE[:100], name=HOSTILE)
    client, me = visitor(game, display_name=HOSTILE[:128])
    friend = factories.player(game.studio, "f", display_name=HOSTILE[:128])
    friends(me, friend)
    unlock(game, "f", key)
    address = f"/achievements/{quote(key)}"
    for query in (
        "",
        "?view=boards",
        "?view=friends",
        "?group=" + quote(HOSTILE),
        "?lang=de",
        address,
        "/achievements/meta",
    ):
        for who in (client, anybody()):
            answer = who.get(path(game, query), follow=True)
            assert answer.status_code == 200
            markup = answer.content.decode()
            assert "<script>alert" not in markup
            assert "<img src=x" not in markup
            assert not re.search(r'<[^>]*\son[a-z]+="a', markup)
            assert not re.search(r"<[^>]*\sstyle=|<style|<script(?![^>]*(?:src=|application/json))", markup)
            assert HOSTILE in unescape(markup)


def test_drafts_and_games_that_are_put_away_are_not_there(game: Game) -> None:
    factories.achievement(game, "draft", state="draft")
    client, _ = visitor(game)
    for who in (client, anybody()):
        page(who, path(game), 404)
        page(who, path(game, "/achievements/draft"), 404)
    factories.achievement(game, "a")
    factories.achievement(game, "gone", state="archived")
    page(client, path(game))
    for key, status in (("draft", 404), ("gone", 410), ("nothing", 404)):
        page(client, path(game, f"/achievements/{key}"), status)
    Game.objects.filter(pk=game.pk).update(archived_at=timezone.now())
    for who in (client, anybody()):
        page(who, path(game), 404)
        page(who, path(game, "/achievements/a"), 404)
