"""The table of achievements in a browser: moved by keys and by dragging, said aloud, and kept."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import walking

pytestmark = pytest.mark.slow
TABLE = f"{walking.GAME}/achievements"


@pytest.fixture
def page(browser: Browser, said: str) -> Iterator[Page]:
    """Sign in as the demo's developer and open the table."""
    context = browser.new_context(
        base_url=walking.printed(said, "Home"), viewport={"width": 1440, "height": 900}
    )
    opened = context.new_page()
    walking.sign_in(opened, said)
    opened.goto(TABLE)
    yield opened
    context.close()


def names(page: Page) -> list[str]:
    """Return the first names of the table."""
    return page.locator("[data-row] th b").all_inner_texts()[:4]


def test_keys_and_the_pointer_move_a_row_and_it_stays_there(page: Page) -> None:
    a, b, c, d = names(page)
    said = page.locator("#order-said")
    page.locator("[data-handle]").nth(2).focus()
    page.keyboard.press("Space")
    expect(said).to_contain_text("Lifted. Number 3 of")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(said).to_contain_text("Number 1 of")
    page.keyboard.press("Space")
    expect(said).to_contain_text(f"{c} is number 1 of")
    page.reload()
    assert names(page) == [c, a, b, d]

    page.locator("[data-handle]").nth(1).focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Escape")
    expect(said).to_contain_text("back where it was")
    assert names(page) == [c, a, b, d]

    first, third = (page.locator("[data-handle]").nth(place).bounding_box() for place in (0, 2))
    assert first is not None
    assert third is not None
    page.mouse.move(first["x"] + 5, first["y"] + 5)
    page.mouse.down()
    page.mouse.move(third["x"] + 5, third["y"] + third["height"], steps=12)
    page.mouse.up()
    expect(said).to_contain_text(f"{c} is number 3 of")
    page.reload()
    assert names(page) == [a, b, c, d]
