"""Every page, in both themes, on a desktop and a phone: what axe, the console and the network say of it.

`make pages` runs this; `make test` leaves it out, since it takes minutes.
"""

import os
from concurrent.futures import ThreadPoolExecutor
from typing import Final

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, StorageState

from tests.browser import lived_in, walking
from tests.browser.conftest import Laurel, another_browser

pytestmark = pytest.mark.slow
GRAVE = {"serious", "critical"}
FIRST_LOAD = 300 * 1024
# Fonts for names of other scripts are no part of a page: they come once somebody has such a name, and stay for a year.
_WEIGHT = """() => performance.getEntries()
    .filter(entry => entry.entryType === "resource" || entry.entryType === "navigation")
    .filter(entry => !/inter-(?!latin-wght)/.test(entry.name))
    .reduce((sum, entry) => sum + entry.transferSize, 0)"""
_AT_ONCE: Final = 2
_VIOLATIONS: Final = {"resultTypes": ["violations"]}  # of what passes, only that it does
# Both themes and both widths; PAGES=full takes each theme in each width.
LOOKS = [("light", "1440"), ("dark", "390")]
if os.environ.get("PAGES") == "full":
    LOOKS = [(theme, size) for theme in walking.THEMES for size in walking.SIZES]


@pytest.fixture(scope="module")
def signed_in(browser: Browser, said: str) -> StorageState:
    """Return what a browser keeps of somebody who has signed in."""
    context = browser.new_context(base_url=walking.printed(said, "Home"))
    walking.sign_in(context.new_page(), said)
    kept = context.storage_state()
    context.close()
    return kept


@pytest.fixture(scope="module")
def every_page(browser: Browser, laurel: Laurel, said: str, signed_in: StorageState) -> dict[str, str]:
    """Return all pages of somebody who is signed in, of a studio that has something on each."""
    context = browser.new_context(base_url=walking.printed(said, "Home"), storage_state=signed_in)
    page = context.new_page()
    lived_in.fill(page, said, laurel.receiver)
    page.goto("/portal/")
    found = walking.pages(page)
    context.close()
    assert len(found) > 65, found
    return found


def _look(page: Page, name: str, path: str) -> list[str]:
    """Return what is wrong with a page, for somebody whose browser has nothing of it."""
    wrong: list[str] = []
    answer = page.goto(path, wait_until="load")
    assert answer is not None
    policy = answer.headers.get("content-security-policy", "")
    if answer.status != 200:
        wrong.append(f"{name}: answers {answer.status}")
    if not policy or "unsafe-inline" in policy:
        wrong.append(f"{name}: its policy is “{policy}”")
    weight = page.evaluate(_WEIGHT)
    if not 0 < weight <= FIRST_LOAD:
        wrong.append(f"{name}: weighs {weight:,} bytes")
    width = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if width > 0:
        wrong.append(f"{name}: scrolls sideways by {width} px")
    for violation in Axe().run(page, options=_VIOLATIONS).response["violations"]:
        if violation["impact"] in GRAVE:
            where = ", ".join(" ".join(node["target"]) for node in violation["nodes"][:3])
            wrong.append(f"{name}: {violation['id']} at {where}: {violation['help']}")
    return wrong


def test_no_page_has_a_grave_fault(
    said: str, signed_in: StorageState, every_page: dict[str, str], by_proxy: list[str]
) -> None:
    def looked(look: tuple[str, str]) -> list[str]:
        with another_browser(by_proxy) as browser:
            found = _visited(browser, said, look, walking.SIGNED_OUT, None)
            return found + _visited(browser, said, look, every_page, signed_in)

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        wrong = [one for found in pool.map(looked, LOOKS) for one in found]
    assert not wrong, "\n".join(wrong)


def _visited(
    browser: Browser, said: str, look: tuple[str, str], pages: dict[str, str], state: StorageState | None
) -> list[str]:
    """Open pages in a theme and a size, and return what is wrong with them.

    In one tab, which keeps no file of the page before: a new one for each takes as long as all that is looked at.
    """
    theme, size = look
    width, height = walking.SIZES[size]
    context = browser.new_context(
        base_url=walking.printed(said, "Home"),
        viewport={"width": width, "height": height},
        color_scheme="dark" if theme == "dark" else "light",
        reduced_motion="reduce",
        storage_state=state,
    )
    context.add_cookies([walking.theme_cookie(walking.printed(said, "Home"), theme)])
    page = context.new_page()
    context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
    heard: list[str] = []
    page.on("pageerror", lambda error: heard.append(str(error)))
    page.on("console", lambda message: heard.append(message.text) if message.type == "error" else None)
    wrong = []
    for name, path in pages.items():
        found = _look(page, name, path)
        wrong += [f"{theme} {size}: {one}" for one in found]
        wrong += [f"{theme} {size}: {name}: the console says {one}" for one in heard]
        heard.clear()
    context.close()
    return wrong
