"""A signed-in player's own page in a browser, while a game sends unlocks: live, and live again after a break."""

import json
import os
import signal
from collections.abc import Iterator
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser import walking
from tests.browser.conftest import WITHIN_MS, Laurel

pytestmark = pytest.mark.slow
PLAYER = "np-0042"
# What he has not unlocked yet.
_LOCKED = f"""
import json
from accounts.models import PlayerIdentity
from achievements.models import Achievement, Unlock
player = PlayerIdentity.objects.get(external_id="{PLAYER}").player_id
held = Unlock.objects.filter(player_id=player).values("achievement_id")
locked = Achievement.objects.exclude(pk__in=held).filter(type="standard", stat=None, hidden=False, state="published")
named = locked.filter(available_from=None, available_until=None).order_by("id").select_related("game")
print(json.dumps([[str(one.game.uuid), one.key, one.name, one.points] for one in named]))
"""


@pytest.fixture(scope="module")
def known(laurel: Laurel, said: str) -> dict[str, Any]:
    """Return the session's cookie, and what is left to unlock."""
    return {**laurel.signed_in(PLAYER), "locked": laurel.shell(_LOCKED)}


@pytest.fixture
def page(browser: Browser, said: str, known: dict[str, Any]) -> Iterator[Page]:
    """Open a page in a browser that is signed in."""
    home = walking.printed(said, "Home")
    context = browser.new_context(base_url=home, viewport={"width": 1440, "height": 900})
    context.set_default_timeout(WITHIN_MS)
    context.add_cookies([{"name": "sessionid", "value": known["cookie"], "url": home}])
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert complaints == []


def _open(page: Page, path: str = "/me/") -> None:
    answer = page.goto(path)
    while answer is not None and answer.status == 503:  # a machine that is busy with other tests
        page.wait_for_timeout(1000)
        answer = page.goto(path)
    expect(page.locator("#sound")).to_be_visible(timeout=WITHIN_MS)


def _unlock(said: str, known: dict[str, Any]) -> tuple[str, int]:
    """Unlock what comes next; return its name and points."""
    game, key, name, points = known["locked"].pop(0)
    place = urlsplit(walking.printed(said, "Home"))
    body = json.dumps({"game_id": game, "player": PLAYER, "achievement": key})
    headers = {
        "Authorization": f"Bearer {walking.printed(said, 'Server key')}",
        "Content-Type": "application/json",
    }
    status = 503
    while status == 503:
        connection = HTTPConnection(place.netloc, timeout=60)
        connection.request("POST", "/api/v1/achievements/unlock", body, headers)
        status = connection.getresponse().status
        connection.close()
    assert status == 202
    return name, points


def _expect_told(page: Page, said: str, known: dict[str, Any]) -> None:
    """Unlock something, and wait until the page says so everywhere, without being opened again."""
    before = int(page.locator("[data-total=points]").inner_text().replace(",", ""))
    ranks, unread = page.locator("[data-live=ranks]").inner_text(), _unread(page)
    name, points = _unlock(said, known)
    expect(page.locator("#said")).to_contain_text(f"unlocked: {name}, {points} point", timeout=WITHIN_MS)
    expect(page.locator("[data-total=points]")).to_have_text(f"{before + points:,}", timeout=WITHIN_MS)
    expect(page.locator("[data-unlock]").first).to_contain_text(name, timeout=WITHIN_MS)
    expect(page.locator("[data-live=ranks]")).not_to_have_text(ranks, timeout=WITHIN_MS)
    assert _unread(page) > unread


def _unread(page: Page) -> int:
    return int(page.locator(".top [data-unread]").get_attribute("data-unread") or 0)


def test_an_unlock_is_told_at_once_and_again_after_live_was_killed(
    page: Page, laurel: Laurel, said: str, known: dict[str, Any]
) -> None:
    _open(page)
    expect(page.locator("#live-state")).to_have_text("Live", timeout=WITHIN_MS)
    page.evaluate("() => { window.same = true; }")
    _expect_told(page, said, known)
    pid = (laurel.folder / "run" / "live.pid").read_text().split("\n")[0]
    os.kill(int(pid), signal.SIGKILL)
    expect(page.locator("#live-state")).to_have_attribute("data-state", "reconnecting", timeout=WITHIN_MS)
    missed, _ = _unlock(said, known)  # while nobody listens
    expect(page.locator("#said")).to_contain_text(missed, timeout=WITHIN_MS)
    expect(page.locator("#live-state")).to_have_text("Live", timeout=WITHIN_MS)
    _expect_told(page, said, known)
    assert page.evaluate("() => window.same")


def test_where_there_is_no_web_socket_an_event_stream_tells(
    page: Page, said: str, known: dict[str, Any]
) -> None:
    page.add_init_script("delete window.WebSocket")
    _open(page)
    expect(page.locator("#live-state")).to_have_text("Live", timeout=WITHIN_MS)
    _expect_told(page, said, known)


def test_a_toast_comes_on_other_pages_and_the_sound_is_off_until_it_is_chosen(
    page: Page, said: str, known: dict[str, Any]
) -> None:
    _open(page, "/me/inbox")
    sound = page.locator("#sound")
    expect(sound).to_have_attribute("aria-pressed", "false")
    sound.click()
    expect(sound).to_have_attribute("aria-pressed", "true")
    page.wait_for_function("() => socket?.readyState === 1", timeout=WITHIN_MS)
    name, _ = _unlock(said, known)
    expect(page.locator("#said")).to_contain_text(name, timeout=WITHIN_MS)
    page.reload()
    expect(page.locator("#sound")).to_have_attribute("aria-pressed", "true", timeout=WITHIN_MS)


def test_the_curve_s_length_changes_in_place(page: Page, known: dict[str, Any]) -> None:
    _open(page)
    page.get_by_role("link", name="90 days").click()
    expect(page.locator("#curve h2")).to_contain_text("90 days", timeout=WITHIN_MS)
    assert "span=90d" in page.url
