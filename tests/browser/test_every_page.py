"""Every page, in both themes, on a desktop and a phone: what axe, the console and the network say of it.

`make pages` runs this; `make test` leaves it out, since it takes minutes.
"""

import os

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, StorageState

from tests.browser import lived_in, walking
from tests.browser.conftest import Laurel

pytestmark = pytest.mark.slow
GRAVE = {"serious", "critical"}
FIRST_LOAD = 300 * 1024
# Fonts for names of other scripts are no part of a page: they come once somebody has such a name, and stay for a year.
_WEIGHT = """() => performance.getEntries()
    .filter(entry => entry.entryType === "resource" || entry.entryType === "navigation")
    .filter(entry => !/inter-(?!latin-wght)/.test(entry.name))
    .reduce((sum, entry) => sum + entry.transferSize, 0)"""
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
    """Return what is wrong with a page, for somebody who comes for the first time."""
    wrong: list[str] = []

    def said(message: str) -> None:
        wrong.append(f"{name}: the console says {message}")

    page.on("pageerror", lambda error: said(str(error)))
    page.on("console", lambda message: said(message.text) if message.type == "error" else None)
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
    for violation in Axe().run(page).response["violations"]:
        if violation["impact"] in GRAVE:
            where = ", ".join(" ".join(node["target"]) for node in violation["nodes"][:3])
            wrong.append(f"{name}: {violation['id']} at {where}: {violation['help']}")
    return wrong


@pytest.mark.parametrize(("theme", "size"), LOOKS)
def test_no_page_has_a_grave_fault(
    browser: Browser, said: str, signed_in: StorageState, every_page: dict[str, str], theme: str, size: str
) -> None:
    wrong = []
    width, height = walking.SIZES[size]
    listed = [(name, path, None) for name, path in walking.SIGNED_OUT.items()]
    for name, path, state in [*listed, *((name, path, signed_in) for name, path in every_page.items())]:
        context = browser.new_context(
            base_url=walking.printed(said, "Home"),
            viewport={"width": width, "height": height},
            color_scheme="dark" if theme == "dark" else "light",
            reduced_motion="reduce",
            storage_state=state,
        )
        context.add_cookies([walking.theme_cookie(walking.printed(said, "Home"), theme)])
        wrong += _look(context.new_page(), name, path)
        context.close()
    assert not wrong, "\n".join(wrong)
