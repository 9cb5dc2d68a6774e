"""The search of the top bar in a browser: by keyboard, with suggestions, and with single keys turned off."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser import walking

pytestmark = pytest.mark.slow


@pytest.fixture(params=["1440", "390"])
def page(browser: Browser, said: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Sign in on a desktop, and on a phone."""
    width, height = walking.SIZES[request.param]
    context = browser.new_context(
        base_url=walking.printed(said, "Home"), viewport={"width": width, "height": height}
    )
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    walking.sign_in(opened, said)
    yield opened
    context.close()
    assert complaints == []


def test_the_search_is_reached_and_used_by_keyboard(page: Page) -> None:
    field = page.get_by_role("combobox", name="Search this studio")
    page.keyboard.press("/")
    expect(field).to_be_focused()
    page.keyboard.type("emberw")
    option = page.get_by_role("option").first
    expect(option).to_have_accessible_name("Emberwake")  # and no longer what was found for its first letters
    expect(field).to_have_attribute("aria-expanded", "true")
    page.keyboard.press("ArrowDown")
    expect(option).to_have_attribute("aria-selected", "true")
    expect(field).to_have_attribute("aria-activedescendant", str(option.get_attribute("id")))
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    page.keyboard.press("Escape")
    expect(option).to_be_hidden()
    expect(field).to_have_value("emberw")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search?q=emberw")
    expect(page.get_by_role("heading", name="Games")).to_be_visible()
    page.keyboard.press("/")
    with page.expect_response(lambda answer: answer.url.endswith("q=emberwa")):
        page.keyboard.type("emberwa")
    expect(option).to_be_visible()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_url("**/games/**")


def test_single_keys_lead_from_row_to_row_and_can_be_turned_off(page: Page) -> None:
    page.goto(f"{walking.GAME}/achievements")
    links = page.locator("#main tbody a.name-link")
    for key, row in (("j", 0), ("j", 1), ("k", 0), ("k", 0)):
        page.keyboard.press(key)
        expect(links.nth(row)).to_be_focused()
    page.locator(".menu > summary").last.click()
    page.get_by_role("button", name="Turn single-key shortcuts off").click()
    page.goto(f"{walking.STUDIO}/members")
    page.keyboard.press("/")
    expect(page.get_by_label("Search this studio")).not_to_be_focused()
    page.locator(".menu > summary").last.click()
    expect(page.get_by_role("button", name="Turn single-key shortcuts on")).to_be_visible()
