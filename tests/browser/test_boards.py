"""A board's page in a browser: more rows by its links and by keys, and axe on a desktop and a phone."""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from tests.browser import walking

pytestmark = pytest.mark.slow
PLACES = "tr[data-place]"


@pytest.fixture(params=["1440", "390"])
def page(browser: Browser, said: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Open a browser of anybody."""
    width, height = walking.SIZES[request.param]
    context = browser.new_context(
        base_url=walking.printed(said, "Home"), viewport={"width": width, "height": height}
    )
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    yield opened
    context.close()
    assert complaints == []


def test_a_board_is_read_to_its_end_by_links_and_keys(page: Page) -> None:
    page.goto("/leaderboards/global")
    expect(page.locator("#board-state")).to_have_text("Live")
    expect(page.locator(PLACES)).to_have_count(47)  # behind the podium
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    expect(page.locator(PLACES).first).to_be_focused()
    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    assert [one["id"] for one in found if one["impact"] in ("serious", "critical")] == []
    while True:
        before = page.locator(PLACES).count()
        if not page.locator("[data-more]").count():
            break
        # Scrolling may have fetched the rest meanwhile.
        page.evaluate("() => document.querySelector('[data-more]')?.focus()")
        page.keyboard.press("Enter")
        expect(page.locator(PLACES)).not_to_have_count(before)
    expect(page.get_by_text("That is everybody.")).to_be_visible()
    places = page.locator(PLACES).evaluate_all("rows => rows.map((row) => Number(row.dataset.place))")
    assert places == list(range(3, 3 + len(places)))
