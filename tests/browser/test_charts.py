"""Charts in a browser: they are drawn, follow the theme, tell what the cursor is at, and have their table."""

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import walking
from tests.browser.conftest import WITHIN_MS
from tests.browser.walking import GAME

pytestmark = pytest.mark.slow
# The most common colour of what is drawn with full strength and is no grey, as the grid is: the line's.
_LINE = """canvas => {
  const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const counted = {};
  for (let at = 0; at < data.length; at += 4) {
    if (data[at + 3] < 255) continue;
    const parts = [data[at], data[at + 1], data[at + 2]];
    if (Math.max(...parts) - Math.min(...parts) < 40) continue;
    const colour = `${data[at]},${data[at + 1]},${data[at + 2]}`;
    counted[colour] = (counted[colour] || 0) + 1;
  }
  return Object.entries(counted).sort((a, b) => b[1] - a[1])[0]?.[0];
}"""


@pytest.fixture
def page(browser: Browser, said: str) -> Iterator[Page]:
    """Sign in; whatever the console complains of fails the test."""
    context = browser.new_context(
        base_url=walking.printed(said, "Home"),
        viewport={"width": 1440, "height": 900},
        color_scheme="light",
    )
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    walking.sign_in(opened, said)
    yield opened
    context.close()
    assert complaints == []


def test_a_chart_is_drawn_and_follows_the_theme(page: Page) -> None:
    page.goto(f"{GAME}/analytics")
    canvas = page.locator(".chart canvas")
    expect(canvas).to_be_visible()
    assert canvas.evaluate(_LINE) == "13,118,80"
    page.locator("button[value=dark]").first.click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")
    expect(canvas).to_be_visible()
    assert canvas.evaluate(_LINE) == "75,209,150"
    page.locator(".chart").hover(position={"x": 600, "y": 120})
    expect(page.locator(".chart-said")).to_contain_text("30 days before")


def test_a_chart_gives_way_to_its_table(page: Page) -> None:
    page.goto(f"{GAME}/analytics?window=7d")
    page.get_by_role("link", name="Table", exact=True).click()
    expect(page.locator(".chart")).to_have_count(0)
    expect(page.locator("section[aria-labelledby=active] tbody tr")).to_have_count(7)


def test_histograms_and_curves_are_drawn(page: Page) -> None:
    page.goto(f"{GAME}/analytics/stats")
    for _ in range(WITHIN_MS // 2000):  # they are taken in the background
        if page.locator(".chart").count() == 3:
            break
        time.sleep(2)
        page.reload()
    expect(page.locator(".chart canvas")).to_have_count(3)
    expect(page.locator(".chart").first).to_have_attribute("aria-label", re.compile("Half of 200 players"))
