"""The achievement editor in a browser: a drawer over the list, a preview while typing, nothing lost by a key."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.conftest import WITHIN_MS
from tests.browser.walking import GAME

pytestmark = pytest.mark.slow


@pytest.fixture
def page(browser: Browser, said: str) -> Iterator[Page]:
    """Sign in as the demo's developer; whatever the console complains of fails the test."""
    home, login, password = (
        re.findall(rf"^{name} +(\S+)$", said, re.MULTILINE)[0] for name in ("Home", "Sign in as", "Password")
    )
    context = browser.new_context(base_url=home, viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    opened.set_default_timeout(WITHIN_MS)
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.goto("/account/login/")
    opened.fill("[name=login]", login)
    opened.fill("[name=password]", password)
    opened.press("[name=password]", "Enter")
    opened.wait_for_url("**/portal/**")
    yield opened
    context.close()
    assert complaints == []


def test_an_achievement_is_edited_in_a_drawer(page: Page) -> None:
    page.goto(f"{GAME}/achievements")
    page.get_by_role("link", name="Bellwether").click()
    drawer = page.get_by_role("dialog", name="Bellwether")
    expect(drawer).to_be_visible()
    expect(page).to_have_url(re.compile(r"/achievements/[0-9a-f-]{36}$"))

    drawer.get_by_label("Name", exact=True).fill("Bell, book and candle")
    expect(drawer.locator(".preview-stage .toast-name")).to_have_text("Bell, book and candle")
    drawer.get_by_role("button", name="Light").click()
    expect(drawer.locator("#preview-stage")).to_have_attribute("data-bs-theme", "light")

    asked: list[str] = []

    def stay(dialog: object) -> None:
        asked.append(dialog.message)  # type: ignore[attr-defined]
        dialog.dismiss()  # type: ignore[attr-defined]

    page.once("dialog", stay)
    page.keyboard.press("Escape")
    expect(drawer).to_be_visible()
    assert len(asked) == 1

    drawer.get_by_role("link", name="Unlocking").click()
    expect(drawer.get_by_label("Name", exact=True)).to_be_hidden()
    drawer.get_by_label("How it is unlocked").select_option("incremental")
    drawer.get_by_label("Target").fill("7")
    expect(drawer.locator(".preview-stage")).to_contain_text("5 of 7")

    expect(drawer.get_by_role("button", name="Publish 3 changes")).to_be_visible()
    drawer = page.get_by_role("dialog")
    drawer.get_by_role("button", name="Save draft").click()
    expect(drawer.get_by_text("Draft saved")).to_be_visible()
    drawer.get_by_role("button", name="Publish 3 changes").click()
    expect(drawer.get_by_role("heading", name="What happens to players")).to_be_visible()
    expect(drawer.locator(".diff ins").first).to_have_text("Bell, book and candle")
    drawer.get_by_role("button", name="Publish 3 changes").click()
    expect(drawer.get_by_text("The changes are published.")).to_be_visible()
    drawer.get_by_role("link", name="History").click()
    expect(drawer.locator(".past > li")).to_have_count(2)

    page.keyboard.press("Escape")
    expect(page).to_have_url(re.compile(r"/achievements$"))
    expect(page.get_by_role("link", name="Bell, book and candle")).to_be_visible()
