"""Pages whose names nobody expects, on a phone: nothing scrolls sideways, sticks out, or is read in the wrong order."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser import oddities, walking
from tests.browser.conftest import Laurel
from tests.browser.oddities import Odd

pytestmark = pytest.mark.slow
FIRST_LOAD = 300 * 1024
# Of whatever has a text of its own: what sticks out of its box, what is cut without a sign, what is said whole
# nowhere. What is for the ears only, what scrolls in itself, and drawings are left out.
_STICKS_OUT = """() => {
  const wrong = [], say = (what, one) => wrong.push(
    `${what}: <${one.localName} class="${one.getAttribute("class") || ""}"> ${one.textContent.trim().slice(0, 40)}`);
  const is_text = one => one.nodeType === Node.TEXT_NODE && one.data.trim();
  for (const one of document.querySelectorAll("body *")) {
    if (one.closest("svg, select, template, script, .visually-hidden, .crumbs, .skip, dialog:not([open])")) continue;
    if (one.clientWidth === 0 || !one.checkVisibility({ visibilityProperty: true, opacityProperty: true })) continue;
    if (one.scrollWidth <= one.clientWidth + 1 || ![...one.childNodes].some(is_text)) continue;
    const style = getComputedStyle(one);
    if (["auto", "scroll"].includes(style.overflowX) || ["input", "textarea"].includes(one.localName)) continue;
    if (style.overflowX === "visible") say("sticks out", one);
    else if (style.textOverflow !== "ellipsis" && style.webkitLineClamp === "none") {
      if (![...one.querySelectorAll("svg, img")].length) say("is cut without a sign", one);
    } else if (!one.closest("[title]") && !one.querySelector("[title]")) say("is said nowhere whole", one);
  }
  return wrong;
}"""
# A text that is read from the right stands alone in its block, or is set apart from what stands beside it.
_REORDERS = """() => {
  const wrong = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const apart = ["isolate", "isolate-override", "plaintext"];
  for (let text; (text = texts.nextNode());) {
    if (!/[\\u0590-\\u08ff\\u202e]/.test(text.data)) continue;
    let one = text.parentElement;
    if (one.closest("svg, script, template, option, textarea")) continue;
    const style = () => getComputedStyle(one);
    while (style().display === "inline" && !apart.includes(style().unicodeBidi)) one = one.parentElement;
    if (apart.includes(style().unicodeBidi)) continue;
    if (one.innerText.trim() !== text.data.trim() && one.textContent.trim() !== text.data.trim())
      wrong.push(`reorders its neighbours: <${one.localName} class="${one.className}"> ${one.innerText.slice(0, 60)}`);
  }
  return wrong;
}"""
# What stands at the end of each row of a list stands at the same place, however the names are read.
_ENDS = """() => [...document.querySelectorAll(".rows")].filter(list => {
  const ends = [...list.querySelectorAll(":scope > li > .end")].map(one => one.getBoundingClientRect().right);
  return Math.max(...ends, 0) - Math.min(...ends, Infinity) > 1;
}).map(list => `ends at different places: ${list.innerText.slice(0, 60)}`)"""
_WIDER = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
_WEIGHT = "performance.getEntriesByType('navigation')[0].transferSize"


@pytest.fixture(scope="module")
def page(browser: Browser, said: str) -> Iterator[Page]:
    """Open a page on a phone."""
    width, height = walking.SIZES["390"]
    context = browser.new_context(
        base_url=walking.printed(said, "Home"),
        viewport={"width": width, "height": height},
        reduced_motion="reduce",
    )
    yield context.new_page()
    context.close()


@pytest.fixture(scope="module")
def odd(page: Page, laurel: Laurel, said: str) -> Odd:
    """Make what nobody expects, and be its studio's owner and its player."""
    return oddities.make(page, laurel.folder, walking.printed(said, "Home"), laurel.receiver)[0]


def _faults(page: Page, name: str, path: str) -> list[str]:
    answer = page.goto(path)
    assert answer is not None
    found = [] if answer.status == 200 else [f"answers {answer.status}"]
    wider = page.evaluate(_WIDER)
    found += [f"scrolls sideways by {wider} px"] if wider > 0 else []
    for looks in (_STICKS_OUT, _REORDERS, _ENDS):
        found += page.evaluate(looks)
    return [f"{name} ({path}) {one}" for one in dict.fromkeys(found)]


def test_the_player_site_bears_names_that_nobody_expects(page: Page, odd: Odd) -> None:
    wrong = [
        fault for name, path in oddities.player_pages(odd).items() for fault in _faults(page, name, path)
    ]
    assert not wrong, "\n".join(wrong)


def test_the_portal_bears_names_that_nobody_expects(page: Page, odd: Odd) -> None:
    pages = oddities.portal_pages(page, odd)
    assert len(pages) > 40, pages
    wrong = [fault for name, path in pages.items() for fault in _faults(page, name, path)]
    assert not wrong, "\n".join(wrong)


def test_500_achievements_are_a_page_that_is_light(page: Page, odd: Odd) -> None:
    pages = oddities.player_pages(odd)
    for name in ("vast", "vast-whole"):
        page.goto(pages[name])
        assert 0 < page.evaluate(_WEIGHT) < FIRST_LOAD, name
    shown = page.locator(".cards > li").count()
    assert shown == oddities.MANY
