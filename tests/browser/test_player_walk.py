"""Two players' walk: they sign up, link what they play, are told of an unlock, meet, compare, hide and block."""

import html
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser import telling, walking
from tests.browser.conftest import Laurel
from tests.browser.game_server import GAME, Api, demo_server
from tests.patience import SHIPPED

pytestmark = pytest.mark.slow
PASSWORD = "the-lamp-by-the-harbour"
# What consoles may complain of: what is asked for though it is not there, `live` while it was killed.
MEANT = ("404 (Not Found)", "WebSocket connection", "ERR_CONNECTION_REFUSED")


@dataclass(frozen=True)
class Player:
    """Somebody in a browser of his own: what games call him, and the name that he chose."""

    page: Page
    external_id: str
    name: str
    address: str

    @property
    def id(self) -> str:
        """His public id."""
        return self.address.rsplit("/", 1)[1]


@dataclass(frozen=True)
class Two:
    """Two players, and somebody who knows neither."""

    anna: Player
    ben: Player
    outsider: Player


def _opened(browser: Browser, said: str) -> BrowserContext:
    return browser.new_context(
        base_url=walking.printed(said, "Home"), viewport={"width": 1440, "height": 900}
    )


def _signed_up(page: Page, laurel: Laurel, name: str) -> None:
    """Sign up to play, prove the address, and choose a name."""
    email = f"{name.split(maxsplit=1)[0].lower()}@walk.example"
    page.goto("/me/")
    page.get_by_role("link", name="Sign up", exact=True).click()
    walking.sign_up(page, laurel.folder, email, PASSWORD)
    page.wait_for_url("**/me/")
    page.goto("/me/settings")
    page.fill("[name=profile-display_name]", name)
    page.get_by_role("button", name="Save your profile").click()
    expect(page.locator("[name=profile-display_name]")).to_have_value(name)


def _linked(page: Page, api: Api, external_id: str) -> None:
    """Type the code that the game shows, as the studio's API gave it to the game."""
    code = api.do("POST", f"/players/{external_id}/link-code", {}, among=(HTTPStatus.CREATED,))["code"]
    walking.link(page, code)
    page.goto("/me/settings")
    expect(page.locator("#games")).to_contain_text(external_id)


def _player(browser: Browser, laurel: Laurel, said: str, external_id: str, name: str) -> Player:
    page = _opened(browser, said).new_page()
    _signed_up(page, laurel, name)
    _linked(page, demo_server(said), external_id)
    address = page.get_by_role("link", name="See your page").get_attribute("href")
    assert address is not None
    return Player(page, external_id, name, address)


@pytest.fixture(scope="module")
def two(browser: Browser, laurel: Laurel, said: str) -> Iterator[Two]:
    """Sign three up; whatever their consoles complain of fails the tests, but for refusals that are meant."""
    made = [
        _player(browser, laurel, said, external_id, name)
        for external_id, name in (
            ("np-0101", "Anna Lind"),
            ("np-0102", "Ben Okoro"),
            ("np-0103", "Cleo Marsh"),
        )
    ]
    complaints: list[str] = []
    for one in made:
        one.page.on("pageerror", lambda error: complaints.append(str(error)))
        one.page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    yield Two(*made)
    for one in made:
        one.page.context.close()
    assert [one for one in complaints if not any(meant in one for meant in MEANT)] == []


def test_an_open_dashboard_tells_of_unlocks_and_again_after_live_was_killed(
    two: Two, laurel: Laurel, said: str
) -> None:
    page, api = two.anna.page, demo_server(said)
    page.goto("/me/")
    telling.is_live(page)
    page.evaluate("() => { window.same = true; }")
    telling.is_told(page, api, two.anna.external_id)
    telling.is_told_after_live_was_killed(page, api, two.anna.external_id, laurel)
    assert page.evaluate("() => window.same")


def test_two_players_become_friends_and_compare(two: Two) -> None:
    anna, ben = two.anna, two.ben
    anna.page.goto(ben.address)
    anna.page.get_by_role("button", name="Add friend").click()
    expect(anna.page.get_by_text("The request is sent.")).to_be_visible()
    ben.page.goto("/me/friends")
    ben.page.get_by_role("button", name="Accept").click()
    expect(ben.page.locator(".rows-friends")).to_contain_text(anna.name)
    anna.page.goto(ben.address)
    expect(anna.page.get_by_text("Your friend")).to_be_visible()
    anna.page.get_by_role("link", name="Compare with you").click()
    expect(anna.page.locator(".versus")).to_contain_text(ben.name)
    anna.page.goto(f"/players/{anna.id}/compare/{ben.id}?game={GAME}")
    expect(anna.page.locator("#main")).to_contain_text("ahead by")
    anna.page.goto("/me/")
    expect(anna.page.locator("[data-live=news]")).to_contain_text(ben.name)


def test_who_is_private_is_not_found_by_outsiders_anywhere(two: Two, browser: Browser, said: str) -> None:
    ben, outsider = two.ben, two.outsider
    api = demo_server(said)
    anybody = _opened(browser, said)
    _chooses(ben.page, "public")
    named, _ = api.unlock_next(ben.external_id)
    everywhere = {"profile", "game", "compare", "search", "holders", "board"}
    assert _places_that_name(two, named, anybody) == everywhere
    _chooses(ben.page, "private")
    time.sleep(SHIPPED["core.memo.KEPT_S"])
    assert _places_that_name(two, named, anybody) == set()
    for session in (anybody, outsider.page.context):
        for rest in ("", f"/games/{GAME}", "/card.png", "/badge.svg", "/feed.atom"):
            answer = walking.asked(session.request, f"{ben.address}{rest}")
            assert answer.status == HTTPStatus.NOT_FOUND, rest
            assert ben.name not in answer.text()
    two.anna.page.goto("/me/")
    expect(two.anna.page.locator("[data-live=news]")).not_to_contain_text(ben.name)
    _chooses(ben.page, "friends")
    assert _places_that_name(two, named, anybody) == set()
    anybody.close()
    two.anna.page.goto(ben.address)
    expect(two.anna.page.get_by_text("Your friend")).to_be_visible()


def test_who_is_blocked_sees_nothing_and_is_not_told(two: Two) -> None:
    anna, ben = two.anna, two.ben
    _chooses(ben.page, "public")
    ben.page.goto(anna.address)
    ben.page.get_by_label("More", exact=True).click()
    ben.page.get_by_role("button", name="Block").click()
    expect(ben.page.get_by_text("you see nothing of each other")).to_be_visible()
    for one, other in ((anna, ben), (ben, anna)):
        for path in (other.address, f"/players/{one.id}/compare/{other.id}"):
            answer = one.page.goto(path)
            assert answer is not None
            assert answer.status == HTTPStatus.NOT_FOUND
        one.page.goto("/me/friends")
        expect(one.page.locator("#friends")).to_be_visible()
        expect(one.page.locator(".rows-friends")).to_have_count(0)
    anna.page.goto("/me/inbox")
    expect(anna.page.locator("main")).not_to_contain_text("blocked")


def _chooses(page: Page, visibility: str) -> None:
    page.goto("/me/settings")
    for part in ("visibility", "games_visibility", "feed_visibility"):
        page.select_option(f"[name=privacy-{part}]", "public")
    page.select_option("[name=privacy-visibility]", visibility)
    page.get_by_role("button", name="Save who sees what").click()
    expect(page.locator("[name=privacy-visibility]")).to_have_value(visibility)


def _places_that_name(two: Two, unlocked: str, anybody: BrowserContext) -> set[str]:
    """Return where outsiders read the name of the one who unlocked something last."""
    ben, outsider = two.ben, two.outsider
    places = {
        "profile": ben.address,
        "game": f"{ben.address}/games/{GAME}",
        "compare": f"/players/{outsider.id}/compare/{ben.id}",
        "search": f"/search?q={ben.name.split()[0]}",
    }
    read = {name: _read(outsider.page, path) for name, path in places.items()}
    read["board"] = _whole_board(anybody)
    outsider.page.goto(f"/games/{GAME}?all=1")
    outsider.page.get_by_role("link", name=unlocked).first.click()
    read["holders"] = outsider.page.locator("main").inner_text()
    return {name for name, text in read.items() if ben.name in text}


def _read(page: Page, path: str) -> str:
    page.goto(path)
    return page.locator("main").inner_text()


def _whole_board(anybody: BrowserContext) -> str:
    """Return a board's pages, one after the other, as somebody who is not signed in gets them."""
    path: str | None = f"/games/{GAME}/leaderboards/points"
    read = ""
    while path:
        text = walking.asked(anybody.request, path).text()
        link = re.search(r'data-more\s+href="([^"]+)"', text)
        path, read = html.unescape(link[1]) if link else None, read + text
    assert "That is everybody." in read
    return read
