"""A browser with a player's own page open: when does it say what happened, without being loaded again."""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from playwright.sync_api import Page, sync_playwright

_NAMES: Final = ("chromium", "chromium-browser", "google-chrome")
# A closed network must not slow the browser down: it tries to reach its maker in the background.
FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
)
_TOLD: Final = "before => document.getElementById('said').textContent !== before"
_COUNTED: Final = "before => document.querySelector('[data-total=points]').textContent !== before"
_RANKED: Final = """([game, before]) => {
  const row = document.querySelector(`[data-board-score][data-game="${game}"]`);
  return row !== null && Number(row.dataset.boardScore) !== before;
}"""


class Seen(NamedTuple):
    """After how many milliseconds a page showed an unlock: as a toast, in its totals, in the game's rank."""

    toast: float
    totals: float
    rank: float


def chromium() -> str | None:
    """Return where Debian's Chromium is, or whatever Chromium there is."""
    return next(filter(None, map(shutil.which, _NAMES)), None)


@contextmanager
def looking(home: str, cookie: str) -> Iterator[Page | None]:
    """Open the player's own page in Chromium and wait until it listens; None where there is no Chromium."""
    found = chromium()
    if found is None:
        yield None
        return
    name, _, value = cookie.partition("=")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        context = browser.new_context(base_url=home, viewport={"width": 1440, "height": 900})
        context.add_cookies([{"name": name, "value": value, "url": home}])
        page = context.new_page()
        page.goto("/me/")
        page.wait_for_selector("#live-state[data-state=live]", state="attached")
        yield page
        browser.close()


def watch(page: Page, game: str, unlock: Callable[[], None]) -> Seen:
    """Unlock something in a game, and time when the page says so."""
    told = page.locator("#said").text_content()
    points = page.locator("[data-total=points]").text_content()
    score = page.locator(f"[data-board-score][data-game='{game}']")
    before = int(score.get_attribute("data-board-score") or 0) if score.count() else 0
    began = time.perf_counter()
    unlock()

    def after(expression: str, argument: object) -> float:
        page.wait_for_function(expression, arg=argument, polling=1)
        return (time.perf_counter() - began) * 1e3

    return Seen(after(_TOLD, told), after(_COUNTED, points), after(_RANKED, [game, before]))
