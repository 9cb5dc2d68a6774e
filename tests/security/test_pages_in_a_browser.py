"""The pages of a world that attacks whoever looks at it, in a browser: no script of it runs, none is even stopped."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Dialog, Page, Route, sync_playwright

from bench.onlooker import FLAGS
from tests.browser.conftest import chromium
from tests.security.addresses import Address, addresses, pages
from tests.security.hostile import Hostile, hostile

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]
# What a page's policy stopped; the log of the console has no address of what it was.
_LISTEN = """
window.stopped = [];
document.addEventListener("securitypolicyviolation", event =>
    window.stopped.push(`${event.effectiveDirective} stopped ${event.blockedURI} ${event.sample}`));
"""
_ATTACK = "document.body.insertAdjacentHTML('beforeend', '<img src=/nothing onerror=alert(1)>')"


@pytest.fixture
def world() -> Iterator[Hostile]:
    with hostile() as made:
        yield made


def _watched(context: BrowserContext) -> tuple[Page, list[str]]:
    """Return a window, and what happens in it that should not: it is noted while pages come and go."""
    wrong: list[str] = []

    def asks(dialog: Dialog) -> None:
        wrong.append(f"asks {dialog.message}")
        dialog.dismiss()

    page = context.new_page()
    page.on("dialog", asks)
    page.on("pageerror", lambda error: wrong.append(f"fails: {error}"))
    return page, wrong


def _only_here(context: BrowserContext, home: str) -> None:
    def answer(route: Route) -> None:
        if route.request.url.startswith(home):
            route.continue_()
        else:
            route.abort()  # pictures of the attack's own server, and the live process, which does not run

    context.route("**/*", answer)
    context.add_init_script(_LISTEN)


def test_no_script_of_a_text_runs_or_is_stopped(world: Hostile, live_server: Any) -> None:
    seen = {
        "owner": world.owner.client.cookies["sessionid"].value,
        "operator": world.operator.client.cookies["sessionid"].value,
        "nobody": "",
    }
    asked = {who: [(one, world.path(one)) for one in _shown_to(world, who)] for who in seen}
    wrong, looked = [], 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        for who, session in seen.items():
            context = browser.new_context(base_url=live_server.url)
            _only_here(context, live_server.url)
            if session:
                context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])
            page, happened = _watched(context)
            for address, path in asked[who]:
                page.goto(path, wait_until="load")
                happened += page.evaluate("window.stopped")
                wrong += [f"{address.route}: {one}" for one in happened]
                happened.clear()
                looked += 1
            page.evaluate(_ATTACK)
            page.wait_for_function("window.stopped.length")  # whatever is stopped is heard of
            context.close()
        browser.close()
    assert looked > 120
    assert not wrong, "\n".join(sorted(set(wrong)))


def _shown_to(world: Hostile, who: str) -> list[Address]:
    """Return the addresses of pages for somebody; of the admin's, those that list or show something."""
    found = []
    for one in [*pages(), *(one for one in addresses() if one.name == "docs")]:
        is_admins = one.route.startswith("admin/")
        if is_admins != (who == "operator"):
            continue
        answer = world.lookers(one)[-1 if who == "nobody" else 0].get(world.path(one))
        is_page = answer.headers.get("Content-Type", "").startswith("text/html")
        if answer.status_code == 200 and is_page and "Content-Disposition" not in answer.headers:
            found.append(one)
    return found
