"""The demo player's page in a browser, while unlocks are sent from a terminal."""

import json
import re
import shlex
import time
from collections.abc import Iterator
from html import unescape
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect

from tests.browser.conftest import WITHIN_MS
from tests.browser.game_server import demo_server

pytestmark = pytest.mark.slow
# What the console says of a line that was cut on purpose.
_CUT = "ERR_INTERNET_DISCONNECTED"
ALL_OF_A_GAME = re.compile("^All in ")
# Markup, what is read from the right to its end, what ends a line in scripts, what climbs over its line, a name as long
# as one may be.
HOSTILE = {
    "markup": "<img src=x onerror=alert(1)><script>alert(2)</script>",
    "override": "\u202egnirts a fo dne eht",
    "lines": "one\u2028two\u2029three",
    "marks": "Z" + "\u0335\u0322\u031b\u0315" * 20 + "algo",
    "long": "W" * 128,
}


@pytest.fixture
def page(browser: Browser, said: str) -> Iterator[Page]:
    """Open the demo page and wait until it listens; whatever the console complains of fails the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    opened.goto(_address(said, "Demo player"))
    expect(opened.locator("#live-state")).to_have_text("Live")
    yield opened
    context.close()
    assert [one for one in complaints if _CUT not in one] == []


def _wait_until_told(said: str, *keys: str) -> None:
    """Wait until unlocks stand in the player's inbox: what comes later than others is another toast's."""
    path = "/players/demo/notifications?kind=achievement.unlocked&limit=20"
    until = time.monotonic() + WITHIN_MS / 1000
    while True:
        rows = demo_server(said).get(path)["results"]
        if set(keys) <= {row["data"]["achievement"]["key"] for row in rows}:
            return
        assert time.monotonic() < until, keys
        time.sleep(0.2)


def _address(said: str, name: str) -> str:
    found = re.search(rf"^{name} +(\S+)$", said, re.MULTILINE)
    assert found is not None
    return found[1]


def _command(said: str) -> tuple[str, dict[str, str], dict[str, Any]]:
    """Return the printed request: address, headers, body."""
    line = next(line for line in said.splitlines() if line.startswith("curl "))
    words = shlex.split(line)
    headers = [words[n + 1] for n, word in enumerate(words) if word == "-H"]
    url = next(word for word in words if word.startswith("http"))
    return url, dict(header.split(": ", 1) for header in headers), json.loads(words[words.index("-d") + 1])


def _send(said: str, body: dict[str, Any]) -> int:
    """Send an unlock, again and again while this machine is too busy for it; that is safe."""
    url, headers, _ = _command(said)
    place = urlsplit(url)
    for _ in range(20):
        connection = HTTPConnection(place.netloc, timeout=60)
        connection.request("POST", place.path, json.dumps(body), headers)
        status = connection.getresponse().status
        connection.close()
        if status != 503:
            break
        time.sleep(1)
    return status


def _proposed(said: str) -> dict[str, Any]:
    """Return the request that the demo page proposes now."""
    place = urlsplit(_address(said, "Demo player"))
    for _ in range(20):
        connection = HTTPConnection(place.netloc, timeout=60)
        connection.request("GET", place.path)
        answer = connection.getresponse()
        found = re.search(r"--json <i>(.*?)</i>", answer.read().decode(), re.DOTALL)
        connection.close()
        if answer.status != 503:
            break
        time.sleep(1)
    assert found is not None
    body: dict[str, Any] = json.loads(shlex.split(unescape(found[1]))[0])
    return body


# A toast goes after a few seconds; what it said is kept for a machine that takes longer.
_PICTURE = "svg => [svg.getAttribute('class'), svg.lastElementChild.getAttribute('href')]"
_KEEP_TOASTS = f"""() => {{
    window.kept = [];
    const text = (card, part) => card.querySelector(part).textContent.trim();
    new MutationObserver(changes => changes.flatMap(one => [...one.addedNodes]).forEach(card => window.kept.push(
        [text(card, ".toast-points"), text(card, ".toast-name"), ({_PICTURE})(card.querySelector(".tile"))]
    ))).observe(document.getElementById("toasts"), {{childList: true}});
}}"""


# Time does not pass for toasts under the pointer.
_SHOW_FOR_EVER = """() => {
    const stack = document.getElementById("toasts"), matches = stack.matches;
    stack.matches = selector => selector.includes(":hover") || matches.call(stack, selector);
}"""


def _points(page: Page) -> int:
    return int(page.locator("[data-total=points]").inner_text().replace(",", ""))


def test_the_printed_command_brings_a_toast_the_new_total_and_the_new_rank(said: str, page: Page) -> None:
    before, ranks = _points(page), page.locator("[data-live=ranks]").inner_text()
    page.evaluate(_KEEP_TOASTS)
    assert _send(said, _command(said)[2]) == 202
    page.wait_for_function("() => window.kept.length", timeout=WITHIN_MS)
    gained, name, picture = page.evaluate("() => window.kept[0]")
    gained = int(gained)
    expect(page.locator("[data-total=points]")).to_have_text(f"{before + gained:,}")
    expect(page.locator("[data-live=ranks]")).not_to_have_text(ranks)
    first = page.locator("[data-unlock]").first
    expect(first).to_contain_text(name)
    expect(page.locator("#said")).to_contain_text(f"unlocked: {name}, {gained} points.")
    # The script and the server choose the same picture for a key.
    assert first.locator(".tile").evaluate(_PICTURE) == picture


def test_a_toast_takes_no_focus_and_goes_at_escape(said: str, page: Page) -> None:
    link = page.get_by_role("link", name=ALL_OF_A_GAME)
    link.focus()
    assert _send(said, _proposed(said)) == 202
    expect(page.locator(".toast-card")).to_be_visible()
    expect(page.locator("[data-unlock].is-new")).to_have_count(1)
    assert page.evaluate("() => document.activeElement.textContent") == link.text_content()
    page.keyboard.press("Escape")
    expect(page.locator(".toast-card")).to_have_count(0)


def test_what_was_missed_while_the_line_was_down_comes_as_one_toast(said: str, page: Page) -> None:
    page.context.set_offline(True)
    page.evaluate("() => socket.close()")
    expect(page.locator("#live-state")).to_have_attribute("data-state", "reconnecting")
    missed = []
    for _ in range(2):
        missed.append(_proposed(said))
        assert _send(said, missed[-1]) == 202
    _wait_until_told(said, *(one["achievement"] for one in missed))
    page.context.set_offline(False)
    expect(page.locator("#live-state")).to_have_text("Live")
    expect(page.locator(".toast-card")).to_contain_text("2 unlocked while you were away")
    expect(page.locator("#said")).to_have_text("2 achievements unlocked.")


def test_it_listens_by_either_name_of_a_developers_machine(said: str, browser: Browser) -> None:
    context = browser.new_context()
    opened = context.new_page()
    opened.goto(_address(said, "Demo player").replace("127.0.0.1", "localhost"))
    expect(opened.locator("#live-state")).to_have_text("Live")
    assert [cookie["name"] for cookie in context.cookies() if cookie["httpOnly"]].count("laurel_player") == 1
    context.close()


def test_the_theme_changes_without_a_reload_and_stays(page: Page) -> None:
    page.evaluate("() => { window.same = true; }")
    with page.expect_response(lambda answer: answer.url.endswith("/theme")):
        page.get_by_role("button", name="Light theme").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    assert page.evaluate("() => window.same")
    page.reload()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")


def test_the_page_works_without_a_script(said: str, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(_address(said, "Demo player"))
    page.get_by_role("button", name="Light theme").click()
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")
    page.get_by_text("As a table").click()
    expect(page.get_by_role("table")).to_be_visible()
    page.get_by_role("link", name=ALL_OF_A_GAME).click()
    expect(page.get_by_role("heading", name="Unlocked")).to_be_visible()
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_no_page_scrolls_sideways_or_breaks_its_content_policy(
    said: str, browser: Browser, theme: str
) -> None:
    home = _address(said, "Home")
    context = browser.new_context(viewport={"width": 1440, "height": 844})
    context.add_cookies([{"name": "theme", "value": theme, "url": home}])
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.goto(_address(said, "Demo player"))
    game = page.locator("a.game").first.get_attribute("href")
    for path in ("/", "/demo", game, "/problems", "/problems/conflict"):
        page.goto(f"{home.rstrip('/')}{path}")
        for width in (390, 1440):
            page.set_viewport_size({"width": width, "height": 844})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        assert page.locator("h1").count() == 1, path
    assert [one for one in complaints if _CUT not in one] == []
    context.close()


def test_hostile_names_are_only_text_in_toasts_and_turn_nothing_beside_them(said: str, page: Page) -> None:
    dialogs: list[str] = []

    def note(dialog: Dialog) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    api = demo_server(said)
    game = str(api.do("POST", "/games", {"title": HOSTILE["override"]}, among=(201,))["id"])
    for key, name in HOSTILE.items():
        made = {"key": key, "name": name, "description": name, "points": 5}
        api.do("POST", f"/games/{game}/achievements", made, among=(201,))

    def unlock(*keys: str) -> None:
        for key in keys:
            sent = {"game_id": game, "player": "demo", "achievement": key}
            api.do("POST", "/achievements/unlock", sent, among=(202,))

    names, box = page.locator(".toast-name"), "card => card.getBoundingClientRect().height"
    for width, keys in ((1440, ["markup", "lines", "marks"]), (390, ["long"])):
        page.set_viewport_size({"width": width, "height": 844})
        page.evaluate(_SHOW_FOR_EVER)
        unlock(*keys)
        expect(names).to_have_count(len(keys))
        assert {name.text_content() for name in names.all()} == {HOSTILE[key] for key in keys}
        assert {name.get_attribute("title") for name in names.all()} == {HOSTILE[key] for key in keys}
        assert page.locator("#toasts :is(img, script)").count() == 0
        assert all(card.evaluate(box) < 140 for card in page.locator(".toast-card").all())
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        for left in range(len(keys), 0, -1):
            page.keyboard.press("Escape")
            expect(names).to_have_count(left - 1)
    page.context.set_offline(True)
    page.evaluate("() => socket.close()")
    unlock("override")
    other = _proposed(said)
    assert _send(said, other) == 202
    _wait_until_told(said, "override", other["achievement"])
    page.context.set_offline(False)
    expect(names).to_have_text(re.compile("^\u2068.*\u2069 and 1 more$"))
    assert HOSTILE["override"] in (names.text_content() or "")
    assert dialogs == []
