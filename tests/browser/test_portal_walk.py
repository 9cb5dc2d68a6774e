"""A newcomer's walk through the portal: from signing up to the first unlock, which the page notices, and its audit."""

import json
import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import walking
from tests.browser.conftest import Laurel
from tests.browser.game_server import Api

pytestmark = pytest.mark.slow
EMAIL, PASSWORD = "newcomer@example.com", "a-walk-in-the-park"


@pytest.fixture
def page(browser: Browser, said: str) -> Iterator[Page]:
    """Open the front page; whatever the console complains of fails the test, but for refusals that are meant."""
    found = re.search(r"^Home +(\S+)$", said, re.MULTILINE)
    assert found is not None
    context = browser.new_context(base_url=found[1], viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.goto("/portal/")
    yield opened
    context.close()
    assert complaints == []


def _unlock(page: Page, key: str) -> dict[str, object]:
    """Send the request that the page shows, as a game server would."""
    shown = page.locator("#first-request").inner_text()
    body = re.search(r"'(\{.*\})'", shown)
    assert body is not None
    answer = Api(page.url, key).do("POST", "/achievements/unlock", json.loads(body[1]), among=(202,))
    assert isinstance(answer, dict)
    return answer


def test_a_newcomer_gets_from_signing_up_to_the_first_unlock(page: Page, laurel: Laurel) -> None:
    page.goto("/account/signup/")
    page.get_by_label("Email").fill(EMAIL)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_label("To make games").check()
    page.locator("form.form button[type=submit]").first.click()
    page.goto(walking.link_in_mail(laurel.folder, EMAIL, r"http://\S+/account/confirm-email/\S+/"))
    page.locator("form.form button[type=submit]").first.click()
    if page.locator("[name=login]").count():
        page.get_by_label("Email").fill(EMAIL)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/portal/new")
    page.get_by_label("Name").fill("Tidewright Works")
    page.get_by_role("button", name="Make the studio").click()

    page.get_by_role("link", name="Create a game").click()
    page.get_by_label("Title").fill("Tidewright")
    page.locator("main form button[type=submit]").last.click()
    page.get_by_role("navigation", name="Studio").get_by_role("link", name="Home").click()
    page.get_by_role("button", name="Make “First light”").click()
    page.get_by_role("link", name="Make a key").click()
    page.get_by_label("Name", exact=True).fill("game server")
    page.locator("main form button[type=submit]").last.click()
    key = page.locator("#new-key").inner_text()
    page.get_by_role("navigation", name="Studio").get_by_role("link", name="Home").click()

    expect(page.get_by_text("Listening for your first unlock")).to_be_visible()
    assert _unlock(page, key)["status"] == "unlocked"
    expect(page.get_by_text("Your first unlock has arrived")).to_be_visible()

    page.get_by_role("link", name="Audit log").click()
    for deed in ("Made an API key", "Made an achievement", "Made a game"):
        expect(page.get_by_text(deed).last).to_be_visible()
    page.get_by_role("link", name="Achievements").click()
    expect(page.get_by_text("First light")).to_be_visible()


@pytest.mark.parametrize("width", [1440, 390])
def test_no_page_of_the_portal_scrolls_sideways(browser: Browser, said: str, width: int) -> None:
    printed = dict(re.findall(r"^(Home|Sign in as|Password) +(\S+)$", said, re.M))
    context = browser.new_context(base_url=printed["Home"], viewport={"width": width, "height": 844})
    page = context.new_page()
    page.goto("/portal/")
    page.get_by_label("Email").fill(printed["Sign in as"])
    page.get_by_label("Password").fill(printed["Password"])
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/portal/*/")
    led = page.eval_on_selector_all(".rail a[href^='/portal/']", "links => links.map(link => link.href)")
    assert len(led) > 6
    for path in dict.fromkeys(led):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
    context.close()
