"""The players' pages, the front page and the parts that a live page fetches."""

import json
import re
import shlex
from datetime import timedelta
from html import unescape
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client
from django.utils import timezone

from accounts import selectors as accounts
from accounts import sessions
from accounts.models import Game, Player, PlayerSession, Studio, User
from achievements import plausibility
from achievements.models import AchievementCount, GamePlayers, Plausibility
from tests import factories

pytestmark = pytest.mark.django_db
BROWSER = {"Accept": "text/html"}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>{{ 7|add:7 }}"


@pytest.fixture
def studio() -> Studio:
    made = factories.studio()
    Studio.objects.filter(pk=made.pk).update(uuid=accounts.DEMO_STUDIO)
    return made


@pytest.fixture
def game(studio: Studio) -> Game:
    return factories.game(studio)


@pytest.fixture
def demo(studio: Studio, settings: Any) -> Player:
    settings.DEMO = True
    return factories.player(studio, accounts.DEMO_PLAYER, display_name="marenok", region="EU")


def _unlock(game: Game, key: str, player: str = accounts.DEMO_PLAYER) -> None:
    api = factories.api(factories.server_key(game.studio))
    answer = api.post(
        "/achievements/unlock", {"game_id": str(game.uuid), "player": player, "achievement": key}
    )
    assert answer.status_code == 202, answer.content


def _page(client: Client, path: str, status: int = 200) -> str:
    answer = client.get(path, headers=BROWSER)
    assert answer.status_code == status, answer.content[:500]
    return str(answer.content.decode())


def _live(page: str) -> dict[str, Any]:
    found = re.search(r'<script id="live" type="application/json">(.*?)</script>', page)
    assert found is not None
    told: dict[str, Any] = json.loads(found[1])
    return told


def test_the_demo_page_shows_totals_unlocks_ranks_games_and_achievements(
    client: Client, game: Game, demo: Player
) -> None:
    factories.achievement(game, "first-spark", name="First Spark", points=10)
    factories.achievement(game, "keeper", name="Keeper of the Reach", points=75)
    factories.achievement(game, "storm", name="Storm Debt", points=20)
    _unlock(game, "first-spark")
    _unlock(game, "keeper")
    page = _page(client, "/demo")
    assert re.search(r'data-total="points">\s*85\s*<', page)
    assert re.search(r'data-total="unlocked">\s*2\s*<', page)
    assert page.index("Latest unlocks") < page.index("Keeper of the Reach") < page.index("First Spark")
    assert re.search(r'data-board-score="85"', page)
    assert f"/players/{demo.uuid}/games/{game.uuid}" in page
    assert "2 of 3" in page
    assert "Storm Debt" in _page(client, f"/players/{demo.uuid}/games/{game.uuid}")


def test_a_rank_that_is_shared_is_marked_as_tied(client: Client, game: Game, demo: Player) -> None:
    factories.achievement(game, "a")
    factories.player(game.studio, "other")
    _unlock(game, "a", "other")
    _unlock(game, "a")
    assert re.search(r'class="rank num">\s*=1\b', _page(client, "/demo"))


def test_a_player_without_unlocks_sees_what_will_come(client: Client, game: Game, demo: Player) -> None:
    page = _page(client, "/demo")
    for words in (
        "No unlocks yet",
        "On no board yet",
        "No games yet",
        "The curve starts with the first unlock.",
    ):
        assert words in page
    assert "Keep playing" not in page


def test_a_game_without_achievements_says_so(client: Client, game: Game, demo: Player) -> None:
    assert "No achievements yet" in _page(client, f"/players/{demo.uuid}/games/{game.uuid}")


def test_hidden_achievements_leave_no_word_in_the_page(client: Client, game: Game, demo: Player) -> None:
    factories.achievement(game, "open")
    factories.achievement(
        game,
        "secret-key",
        name="Secret name",
        description="Secret text",
        points=77_777,
        hidden=True,
        icon_url="https://icons.example/secret.png",
    )
    _unlock(game, "open")
    for path in ("/demo", "/demo/fragment", "/", f"/players/{demo.uuid}/games/{game.uuid}"):
        page = _page(client, path).lower()
        assert "secret" not in page
        assert "77,777" not in page
        assert not re.search(r"\b77777\b", page)  # an id may hold the digits
    assert "Hidden achievement" in _page(client, f"/players/{demo.uuid}/games/{game.uuid}")


def test_a_hidden_achievement_is_shown_to_whom_has_it(client: Client, game: Game, demo: Player) -> None:
    factories.achievement(game, "secret-key", name="Secret name", hidden=True)
    _unlock(game, "secret-key")
    assert "Secret name" in _page(client, f"/players/{demo.uuid}/games/{game.uuid}")


def test_unlocked_ones_stand_first_and_hidden_ones_last(client: Client, game: Game, demo: Player) -> None:
    rare, common = factories.achievement(game, "rare"), factories.achievement(game, "common")
    factories.achievement(game, "veiled", hidden=True)
    factories.achievement(game, "held")
    _unlock(game, "held")
    GamePlayers.objects.update_or_create(game=game, defaults={"players": 100})
    for one, unlocked in ((rare, 3), (common, 80)):
        AchievementCount.objects.update_or_create(achievement=one, defaults={"unlocked": unlocked})
    page = _page(client, f"/players/{demo.uuid}/games/{game.uuid}")
    places = [page.index(f"<bdi>{name}</bdi>") for name in ("Held", "Common", "Rare")]
    assert [*places, page.index("Hidden achievement")] == sorted([*places, page.index("Hidden achievement")])
    assert "3% of 100" in page
    assert "tier-epic" in page
    assert "80% of 100" in page
    assert "tier-common" in page


def test_what_is_looked_at_stands_apart_and_is_no_unlock(client: Client, game: Game, demo: Player) -> None:
    factories.achievement(game, "first-blood")
    Plausibility.objects.create(game=game, document=plausibility.nothing())
    factories.flagged_unlock(game, "finale", accounts.DEMO_PLAYER)
    _unlock(game, "first-blood")
    page = _page(client, f"/players/{demo.uuid}/games/{game.uuid}")
    assert page.index("Unlocked") < page.index("Being checked") < page.index("Finale")
    assert page.count("achievement-flagged") == 1


def test_a_rarity_of_fewer_than_20_players_is_not_told(client: Client, game: Game, demo: Player) -> None:
    factories.achievement(game, "held")
    _unlock(game, "held")
    page = _page(client, f"/players/{demo.uuid}/games/{game.uuid}")
    assert "Too new to tell" in page
    assert not re.search(r'class="achievement [^"]*tier-(?!none)', page)


def test_windows_that_are_closed_are_named(client: Client, game: Game, demo: Player) -> None:
    now = timezone.now()
    factories.achievement(game, "later", available_from=now + timedelta(days=3))
    factories.achievement(game, "over", available_until=now - timedelta(days=3))
    page = _page(client, f"/players/{demo.uuid}/games/{game.uuid}")
    assert "Returns <time" in page
    assert "Over since <time" in page


@pytest.mark.slow
def test_long_sections_are_cut_and_shown_whole_on_request(client: Client, game: Game, demo: Player) -> None:
    for n in range(125):
        factories.achievement(game, f"a{n}", name=f"Number {n} of many")
    path = f"/players/{demo.uuid}/games/{game.uuid}"
    assert _page(client, path).count("of many</bdi>") == 120
    assert "5 more are not shown." in _page(client, path)
    assert _page(client, f"{path}?all=1").count("of many</bdi>") == 125


def test_hostile_texts_are_shown_and_never_run(client: Client, studio: Studio, settings: Any) -> None:
    settings.DEMO = True
    game = factories.game(studio, title=HOSTILE)
    factories.player(
        studio, accounts.DEMO_PLAYER, display_name=HOSTILE[:128], avatar_url='https://x/"onload="a'
    )
    factories.achievement(game, HOSTILE, name=HOSTILE, description=HOSTILE, icon_url='https://x/"onerror="a')
    factories.achievement(game, f"{HOSTILE}2", name=HOSTILE)
    _unlock(game, HOSTILE)
    uuid = Player.objects.get().uuid
    for path in ("/", "/demo", "/demo/fragment", f"/players/{uuid}", f"/players/{uuid}/games/{game.uuid}"):
        page = _page(client, path)
        assert "<script>alert" not in page
        assert "<img src=x" not in page
        assert not re.search(r'<[^>]*\son[a-z]+="a', page)
        if path != "/":
            assert HOSTILE in unescape(page)


def test_pages_hold_no_style_and_no_script_of_their_own(client: Client, game: Game, demo: Player) -> None:
    factories.achievement(game, "held")
    _unlock(game, "held")
    paths = (
        "/",
        "/demo",
        "/demo/fragment",
        f"/players/{demo.uuid}",
        f"/players/{demo.uuid}/games/{game.uuid}",
    )
    for path in paths:
        page = _page(client, path)
        assert not re.search(r"<[^>]*\sstyle=|<style|<[^>]*\son[a-z]+=", page), path
        scripts = re.findall(r"<script([^>]*)>", page)
        assert all("src=" in one or 'type="application/json"' in one for one in scripts), path


@pytest.mark.parametrize("visibility", ["friends", "private"])
def test_a_player_who_is_not_public_is_not_found(client: Client, game: Game, visibility: str) -> None:
    player = factories.player(game.studio, "p-1", visibility=visibility)
    _page(client, f"/players/{player.uuid}", 404)
    _page(client, f"/players/{player.uuid}/games/{game.uuid}", 404)


def test_an_erased_or_unknown_player_is_not_found(client: Client, game: Game) -> None:
    player = factories.player(game.studio, "p-1")
    Player.objects.filter(pk=player.pk).update(erased_at=timezone.now())
    _page(client, f"/players/{player.uuid}", 404)
    _page(client, f"/players/{uuid4()}", 404)


def test_another_players_page_is_not_live_and_offers_nothing_to_try(client: Client, game: Game) -> None:
    player = factories.player(game.studio, "p-1", display_name="Juno")
    page = _page(client, f"/players/{player.uuid}")
    assert "Juno" in page
    assert 'id="live"' not in page
    assert "live.js" not in page
    assert "curl" not in page


def test_there_is_no_demo_unless_it_is_on(client: Client, game: Game, demo: Player, settings: Any) -> None:
    settings.DEMO = False
    for path in ("/demo", "/demo/fragment"):
        _page(client, path, 404)
    assert client.post("/demo/session").status_code == 404
    assert "/demo" not in _page(client, "/")


def test_the_front_page_leads_to_the_demo_the_documentation_and_the_admin(
    client: Client, game: Game, demo: Player
) -> None:
    factories.achievement(game, "it's", name="It is")
    factories.achievement(game, "held")
    _unlock(game, "held")
    page = _page(client, "/")
    for address in ("/demo", "/api/v1/docs", "/admin/", "/problems"):
        assert f'href="{address}"' in page
    assert "Authorization: Bearer $LAUREL_KEY" in unescape(page)


def test_the_command_to_try_unlocks_the_next_achievement(client: Client, game: Game, demo: Player) -> None:
    factories.achievement(game, "held")
    factories.achievement(game, "hidden", hidden=True, sort_order=1)
    factories.achievement(game, "it's “next”", name="Next one", sort_order=2)
    _unlock(game, "held")
    shown = re.search(r"--json <i>(.*?)</i>", _page(client, "/demo"), re.DOTALL)
    assert shown is not None
    body = json.loads(_as_shell_reads(unescape(shown[1])))
    assert body["achievement"] == "it's “next”"
    answer = factories.api(factories.server_key(game.studio)).post("/achievements/unlock", body)
    assert answer.status_code == 202
    assert "Everything is unlocked" in _page(client, "/demo")


def _as_shell_reads(text: str) -> str:
    (word,) = shlex.split(text)
    return word


def test_the_live_parts_follow_an_unlock_and_are_kept_nowhere(
    client: Client, game: Game, demo: Player
) -> None:
    factories.achievement(game, "one", points=30)
    factories.achievement(game, "two", points=12)
    _unlock(game, "one")
    whole = set(re.findall(r'data-live="([a-z]+)"', _page(client, "/demo")))
    _unlock(game, "two")
    answer = client.get("/demo/fragment")
    part = answer.content.decode()
    assert set(re.findall(r'data-live="([a-z]+)"', part)) == whole
    assert re.search(r'data-total="points">\s*42\s*<', part)
    assert re.search(r'data-board-score="42"', part)
    assert "<html" not in part
    assert set(answer["Cache-Control"].split(", ")) == {"private", "no-store"}


def test_the_page_tells_its_script_where_to_listen(client: Client, game: Game, demo: Player) -> None:
    factories.achievement(game, "one")
    _unlock(game, "one")
    told = _live(_page(client, "/demo"))
    assert told["websocket"].endswith("/ws/v1/live")
    assert told["game_url"].endswith("/games/{game}")
    answer = Client(enforce_csrf_checks=True).post(told["session_url"], headers={"X-CSRFToken": told["csrf"]})
    assert answer.status_code == 403  # the token belongs to the browser that has the cookie
    strict = Client(enforce_csrf_checks=True)
    told = _live(strict.get("/demo").content.decode())
    for _ in range(2):  # once more, and it is the same session
        answer = strict.post(told["session_url"], headers={"X-CSRFToken": told["csrf"]})
        assert answer.status_code == 204
        assert "no-store" in answer["Cache-Control"]
    held = sessions.holder(strict.cookies["laurel_player"].value, at=timezone.now())
    assert held is not None
    assert held.player_id == demo.pk
    assert PlayerSession.objects.count() == 1


def test_a_page_takes_a_fixed_number_of_queries(
    client: Client, studio: Studio, demo: Player, django_assert_max_num_queries: Any
) -> None:
    for number in range(3):
        game = factories.game(studio, title=f"Game {number}")
        for key in range(4):
            factories.achievement(game, f"a{key}")
        _unlock(game, "a0")
    with django_assert_max_num_queries(30):
        _page(client, f"/players/{demo.uuid}")


def test_ids_that_are_no_ids_are_not_found(client: Client) -> None:
    _page(client, "/players/none", 404)
    _page(client, f"/players/{UUID(int=1)}/games/{UUID(int=2)}", 404)


def test_the_front_page_leads_players_in() -> None:
    front = _page(Client(), "/")
    for address in ("/games", "/leaderboards", "/me/", "/account/login/?next=/me/"):
        assert f'href="{address}"' in front
    signed_in = Client()
    signed_in.force_login(User.objects.create_user("reader@player.example"))
    assert "Your page" in _page(signed_in, "/")
