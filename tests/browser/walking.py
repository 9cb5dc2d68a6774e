"""Every page there is: found by walking from link to link, one of each address with a name (config/urls.py)."""

import html
import re
import time
from collections import deque
from collections.abc import Callable, Iterable
from email import message_from_bytes
from pathlib import Path
from urllib.parse import urlsplit

from django.urls import Resolver404, resolve
from playwright._impl._api_structures import SetCookieParam
from playwright.sync_api import APIRequestContext, APIResponse, Page

from tests.browser import asking

SIZES = {"1440": (1440, 900), "390": (390, 844)}
THEMES = ("light", "dark")
MAIL_WITHIN_S = 120
SIGN_INS = 5
# The demo's studio and its first game.
STUDIO = "/portal/0198f2c4-6f1e-7000-8000-64656d6f0001"
GAME = f"{STUDIO}/games/0198f2c4-6f1e-7000-8000-64656d6f0008"
SIGNED_OUT = {
    "front": "/",
    "demo-player": "/demo",
    "games-of-anybody": "/games",
    "boards-of-anybody": "/leaderboards",
    "search-of-anybody": "/search?q=em",
    "sign-in": "/account/login/",
    "sign-up": "/account/signup/",
    "reset-password": "/account/password/reset/",
    "problems": "/problems",
    "problem": "/problems/validation-failed",
}
# Part of a page, asked for by its script; or what is no page of ours.
_NO_PAGES = {"first-steps", "board-standings-file", "account_logout", "schema", "docs", "my-fragment"}
# How many of each are looked through for links: what one board has not, such as periods, the next one may have.
_OF_EACH = 3
_WALKED = ("/portal/", "/account/", "/me/", "/games", "/players/", "/leaderboards", "/search")
_LINK = re.compile(r'<a\b[^>]*?\shref="(/[^"]*)"')


def printed(said: str, name: str) -> str:
    """Return what `make run` printed behind a name."""
    found = re.search(rf"^{name} +(\S+)$", said, re.MULTILINE)
    assert found is not None, name
    return found[1]


def theme_cookie(home: str, theme: str) -> SetCookieParam:
    """Return the choice of a theme: the player site is dark until somebody chooses."""
    return {"name": "theme", "value": theme, "url": home}


def sign_in(page: Page, said: str) -> None:
    """Sign in as the developer whose login is printed; a machine that is busy with its start is asked again."""
    for _ in range(SIGN_INS):
        answer = page.goto("/account/login/")
        if answer is not None and answer.status == 200:
            page.fill("[name=login]", printed(said, "Sign in as"))
            page.fill("[name=password]", printed(said, "Password"))
            with page.expect_navigation():
                page.press("[name=password]", "Enter")
            if "/portal/" in page.url:
                return
        page.wait_for_timeout(2000)
    raise AssertionError(f"signing in ends at {page.url}: {page.locator('main').inner_text()}")


def sign_up(page: Page, var_dir: Path, email: str, password: str) -> None:
    """Make an account on the page of signing up, prove its address, and be signed in."""
    if page.locator("[name=email]").input_value() != email:
        page.fill("[name=email]", email)
    page.fill("[name=password1]", password)
    if page.locator("[name=purpose]").count():
        page.check("[name=purpose][value=make]")
    page.locator("form.form button[type=submit]").first.click()
    page.goto(link_in_mail(var_dir, email, r"http://\S+/account/confirm-email/\S+/"))
    page.locator("form.form button[type=submit]").first.click()
    if page.locator("[name=login]").count():
        page.fill("[name=login]", email)
        page.fill("[name=password]", password)
        page.press("[name=password]", "Enter")


def link(page: Page, code: str) -> None:
    """Link a game to whoever is signed in, by the code that it shows."""
    page.goto("/me/settings")
    page.fill("[name=link-code]", code)
    page.press("[name=link-code]", "Enter")
    page.wait_for_load_state("load")
    page.goto("/me/")


def asked(session: APIRequestContext, path: str, headers: dict[str, str] | None = None) -> APIResponse:
    """Ask for what is not drawn, and so does not come by asking.py; while Laurel has too much to do, again."""
    until = time.monotonic() + asking.FOR_S
    while True:
        answer = session.get(path, headers=headers)
        if answer.status != 503 or time.monotonic() > until:
            return answer
        time.sleep(asking.AGAIN_AFTER_S)


def link_in_mail(var_dir: Path, to: str, pattern: str) -> str:
    """Return the first address of that form in the mail to somebody, as it lies in VAR_DIR."""
    deadline = time.monotonic() + MAIL_WITHIN_S
    while time.monotonic() < deadline:
        for file in sorted((var_dir / "mail").glob("*")):
            message = message_from_bytes(file.read_bytes())
            for part in message.walk() if to in str(message["To"]) else ():
                text = part.get_payload(decode=True)
                found = re.search(pattern, text.decode()) if isinstance(text, bytes) else None
                if found:
                    return found[0]
        time.sleep(0.2)
    raise AssertionError(f"no mail came to {to}")


def pages(
    page: Page, *, starts: Iterable[str] | None = None, within: Callable[[str], bool] = bool
) -> dict[str, str]:
    """Return the path of each page that can be reached from the studio's home, by the name of its address.

    Or from elsewhere (`starts`), and only by paths that are `within` something.
    """
    found: dict[str, str] = {}
    tried: dict[str, set[str]] = {}
    waiting = deque(
        starts or [urlsplit(page.url).path, "/portal/new", "/account/email/", "/account/2fa/", "/me/"]
    )
    while waiting:
        path = waiting.popleft()
        name = _name(path) if within(path) else None
        seen = tried.setdefault(name or "", set())
        if name is None or urlsplit(path).path in seen or len(seen) == _OF_EACH:
            continue
        seen.add(urlsplit(path).path)
        # What is linked stands in what is sent: nothing has to be drawn.
        answer = asked(page.request, path, {"Accept": "text/html"})
        if not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        assert answer.status == 200, f"{path} answers {answer.status}"
        if urlsplit(answer.url).path == urlsplit(path).path:  # another one's address leads on to it
            found.setdefault(name, path)
        waiting.extend(html.unescape(href) for href in _LINK.findall(answer.text()))
    return found


def _name(path: str) -> str | None:
    """Return the name of a page of ours; None for anything else, and for files."""
    parts = urlsplit(path)
    if not parts.path.startswith(_WALKED) or "format=csv" in parts.query:
        return None
    try:
        name = resolve(parts.path).url_name
    except Resolver404:
        return None
    is_file = parts.path.endswith((".csv", ".json", ".zip", ".ndjson", ".png", ".svg", ".atom", ".webp")) or (
        (name or "").endswith("-file") and "export" in parts.path
    )
    return None if name in _NO_PAGES or is_file else name
