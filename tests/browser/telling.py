"""What an open page tells its player, without being opened again."""

import os
import signal

from playwright.sync_api import Page, expect

from tests.browser.conftest import WITHIN_MS, Laurel
from tests.browser.game_server import Api


def is_live(page: Page) -> None:
    """Wait until the page listens."""
    expect(page.locator("#live-state")).to_have_text("Live", timeout=WITHIN_MS)


def is_told(page: Page, api: Api, player: str) -> None:
    """Unlock something, and wait until the page says so everywhere."""
    before = int(page.locator("[data-total=points]").inner_text().replace(",", ""))
    ranks, unread = page.locator("[data-live=ranks]").inner_text(), _unread(page)
    name, points = api.unlock_next(player)
    expect(page.locator("#said")).to_contain_text(f"unlocked: {name}, {points} point", timeout=WITHIN_MS)
    expect(page.locator("[data-total=points]")).to_have_text(f"{before + points:,}", timeout=WITHIN_MS)
    expect(page.locator("[data-unlock]").first).to_contain_text(name, timeout=WITHIN_MS)
    expect(page.locator("[data-live=ranks]")).not_to_have_text(ranks, timeout=WITHIN_MS)
    assert _unread(page) > unread


def is_told_after_live_was_killed(page: Page, api: Api, player: str, laurel: Laurel) -> None:
    """Kill `live`: what happens meanwhile is told once it is back, and so is what happens then."""
    pid = (laurel.folder / "run" / "live.pid").read_text().split("\n")[0]
    os.kill(int(pid), signal.SIGKILL)
    expect(page.locator("#live-state")).to_have_attribute("data-state", "reconnecting", timeout=WITHIN_MS)
    missed, _ = api.unlock_next(player)
    expect(page.locator("#said")).to_contain_text(missed, timeout=WITHIN_MS)
    is_live(page)
    is_told(page, api, player)


def _unread(page: Page) -> int:
    return int(page.locator(".top [data-unread]").get_attribute("data-unread") or 0)
