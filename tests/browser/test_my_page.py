"""A signed-in player's own page in a browser, while a game sends unlocks."""

import re
from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser import telling, walking
from tests.browser.conftest import WITHIN_MS, Laurel
from tests.browser.game_server import demo_server

pytestmark = pytest.mark.slow
PLAYER = "np-0042"
PARTS = re.compile(r"/me/fragment")


@pytest.fixture(scope="module")
def cookie(laurel: Laurel, said: str) -> str:
    """Return the session of whoever is that player."""
    return laurel.signed_in(PLAYER)["cookie"]


@pytest.fixture
def page(browser: Browser, said: str, cookie: str) -> Iterator[Page]:
    """Open a page in a browser that is signed in."""
    home = walking.printed(said, "Home")
    context = browser.new_context(base_url=home, viewport={"width": 1440, "height": 900})
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": home}])
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert complaints == []


def _open(page: Page, path: str = "/me/") -> None:
    page.goto(path)
    expect(page.locator("#sound")).to_be_visible(timeout=WITHIN_MS)


def test_where_there_is_no_web_socket_an_event_stream_tells(page: Page, said: str) -> None:
    page.add_init_script("delete window.WebSocket")
    _open(page)
    telling.is_live(page)
    telling.is_told(page, demo_server(said), PLAYER)


def test_a_toast_comes_on_other_pages_and_the_sound_is_off_until_it_is_chosen(page: Page, said: str) -> None:
    _open(page, "/me/inbox")
    sound = page.locator("#sound")
    expect(sound).to_have_attribute("aria-pressed", "false")
    sound.click()
    expect(sound).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("() => socket?.readyState === 1", timeout=WITHIN_MS)
    name, _ = demo_server(said).unlock_next(PLAYER)
    expect(page.locator("#said")).to_contain_text(name, timeout=WITHIN_MS)
    page.reload()
    expect(page.locator("#sound")).to_have_attribute("aria-pressed", "true", timeout=WITHIN_MS)


def test_a_menu_closes_by_escape_and_by_a_click_beside_it(page: Page) -> None:
    _open(page, "/games")
    page.locator("main a[href^='/games/']").first.click()
    menu = page.locator(".choice", has_text="Sort")
    menu.locator("summary").press("Enter")
    expect(menu.locator("a").first).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Escape")
    expect(menu.locator("a").first).to_be_hidden()
    expect(menu.locator("summary")).to_be_focused()
    menu.locator("summary").click()
    page.locator("h1").click()
    expect(menu.locator("a").first).to_be_hidden()


def test_the_curve_s_length_changes_in_place(page: Page) -> None:
    _open(page)
    page.get_by_role("link", name="90 days").click()
    expect(page.locator("#curve h2")).to_contain_text("90 days", timeout=WITHIN_MS)
    assert "span=90d" in page.url


def test_parts_that_were_not_answered_are_asked_for_again(page: Page) -> None:
    _open(page)
    page.route(PARTS, lambda route: route.abort(), times=1)
    page.route(PARTS, lambda route: route.fulfill(status=503, headers={"Retry-After": "1"}), times=1)
    page.get_by_role("link", name="90 days").click()
    expect(page.locator("#curve h2")).to_contain_text("90 days", timeout=WITHIN_MS)


def test_an_older_answer_that_comes_late_undoes_nothing(page: Page) -> None:
    _open(page)
    telling.is_live(page)
    page.wait_for_load_state("networkidle")
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(PARTS, hold, times=1)
    page.evaluate("() => look(0)")
    while not held:
        page.wait_for_timeout(50)
    page.get_by_role("link", name="90 days").click()
    page.wait_for_timeout(500)  # for a newer question, if one is asked beside the older
    with page.expect_response(
        lambda answer: PARTS.search(answer.url) is not None and "90d" not in answer.url
    ):
        held[0].continue_()
    page.wait_for_load_state("networkidle")
    expect(page.locator("#curve h2")).to_contain_text("90 days", timeout=WITHIN_MS)


def test_a_row_that_was_drawn_before_its_toast_is_marked_as_new(page: Page, said: str) -> None:
    _open(page)
    telling.is_live(page)
    page.evaluate(
        "() => { window.late = []; window.hear = socket.onmessage; socket.onmessage = m => late.push(m); }"
    )
    name, _ = demo_server(said).unlock_next(PLAYER)
    first = page.locator("[data-unlock]").first
    for _ in range(WITHIN_MS // 500):
        page.evaluate("() => look(0)")
        page.wait_for_timeout(500)
        if name in first.inner_text():
            break
    expect(first).not_to_contain_class("is-new")
    page.wait_for_function("() => late.some(m => m.data.includes('achievement.unlocked'))", timeout=WITHIN_MS)
    page.evaluate("() => { socket.onmessage = hear; late.forEach(m => hear(m)); }")
    expect(first).to_contain_class("is-new", timeout=WITHIN_MS)


def test_times_are_the_browser_s_until_a_zone_is_chosen(browser: Browser, said: str, cookie: str) -> None:
    home = walking.printed(said, "Home")
    context = browser.new_context(base_url=home, timezone_id="Asia/Tokyo")
    context.add_cookies([{"name": "sessionid", "value": cookie, "url": home}])
    page = context.new_page()
    for chosen, shown_in in (
        ("UTC", "Asia/Tokyo"),
        ("America/New_York", "America/New_York"),
        ("UTC", "Asia/Tokyo"),
    ):
        _open(page, "/me/settings")
        page.select_option("[name=profile-time_zone]", chosen)
        with page.expect_navigation():
            page.get_by_role("button", name="Save your profile").click()
        time = page.locator("main time").first
        at = datetime.fromisoformat(time.get_attribute("datetime") or "").astimezone(ZoneInfo(shown_in))
        expect(time).to_have_text(re.compile(f", {at:%H:%M}$"))
        assert (time.get_attribute("title") or "").endswith(" UTC")
    context.close()
