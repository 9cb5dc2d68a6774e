"""Every page, in both themes, on a desktop and a phone: what axe, the console and the network say of it.

`make pages` runs this; `make test` leaves it out, since it takes minutes.
"""

from collections.abc import Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Response

from tests.browser import walking

pytestmark = pytest.mark.slow
GRAVE = {"serious", "critical"}
FIRST_LOAD = 300 * 1024
_NETWORK = """() => performance.getEntries()
    .filter(entry => entry.entryType === "resource" || entry.entryType === "navigation")
    .reduce((sum, entry) => sum + entry.transferSize, 0)"""
LOOKS = [(theme, size) for theme in walking.THEMES for size in walking.SIZES]


@pytest.fixture(scope="module")
def every_page(browser: Browser, said: str) -> dict[str, str]:
    """Return all pages of somebody who is signed in."""
    context = browser.new_context(base_url=walking.printed(said, "Home"))
    page = context.new_page()
    walking.sign_in(page, said)
    found = walking.pages(page)
    context.close()
    assert len(found) > 15, found
    return found


@pytest.fixture
def context(browser: Browser, said: str, theme: str, size: str) -> Iterator[BrowserContext]:
    """Open a browser that has been nowhere yet."""
    width, height = walking.SIZES[size]
    opened = browser.new_context(
        base_url=walking.printed(said, "Home"),
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
    )
    yield opened
    opened.close()


def _look(page: Page, name: str, path: str) -> list[str]:
    """Return what is wrong with a page."""
    wrong: list[str] = []

    def said(message: str) -> None:
        wrong.append(f"{name}: the console says {message}")

    page.on("pageerror", lambda error: said(str(error)))
    page.on("console", lambda message: said(message.text) if message.type == "error" else None)
    answer = page.goto(path, wait_until="load")
    assert answer is not None
    wrong += _rules(name, answer)
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if width > 0:
        wrong.append(f"{name}: scrolls sideways by {width} px")
    for violation in Axe().run(page).response["violations"]:
        if violation["impact"] in GRAVE:
            where = ", ".join(" ".join(node["target"]) for node in violation["nodes"][:3])
            wrong.append(f"{name}: {violation['id']} at {where}: {violation['help']}")
    return wrong


def _rules(name: str, answer: Response) -> list[str]:
    policy = answer.headers.get("content-security-policy", "")
    if answer.status != 200:
        return [f"{name}: answers {answer.status}"]
    return [] if policy and "unsafe-inline" not in policy else [f"{name}: its policy is “{policy}”"]


@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_no_page_has_a_grave_fault(
    context: BrowserContext, said: str, every_page: dict[str, str], theme: str, size: str
) -> None:
    wrong = []
    for name, path in walking.SIGNED_OUT.items():
        page = context.new_page()
        wrong += _look(page, name, path)
        page.close()
    first = context.new_page()
    walking.sign_in(first, said)
    for name, path in every_page.items():
        page = context.new_page()
        wrong += _look(page, name, path)
        page.close()
    assert wrong == []


@pytest.mark.parametrize(("theme", "size"), LOOKS[:1])
def test_no_page_is_heavy_for_who_comes_first(
    browser: Browser, context: BrowserContext, said: str, every_page: dict[str, str], theme: str, size: str
) -> None:
    first = context.new_page()
    walking.sign_in(first, said)
    state = context.storage_state()
    heavy = {}
    for name, path in every_page.items():
        fresh = browser.new_context(base_url=walking.printed(said, "Home"), storage_state=state)
        page = fresh.new_page()
        page.goto(path, wait_until="networkidle")
        weight = page.evaluate(_NETWORK)
        assert weight > 0, name
        if weight > FIRST_LOAD:
            heavy[name] = weight
        fresh.close()
    assert heavy == {}
