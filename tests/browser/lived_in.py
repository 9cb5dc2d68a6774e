"""What a studio has that has worked for a while, so that no page is looked at empty only.

Webhooks that arrive and that do not, calls that were refused, flagged unlocks, reports of players, changes that are not
published, exports, an invitation, a score that was hidden: made as a studio makes them, by its API and its portal.
"""

import time
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from playwright.sync_api import Page

from tests.browser import asking, walking
from tests.browser.game_server import GAME, Api, demo_server

_BOARD = "best-lap"
_WITHIN_S = 120
_CHEAT, _PLAYER, _OTHER, _NEWCOMER = "np-0007", "demo", "np-0088", "np-0183"


class _Answers(BaseHTTPRequestHandler):
    """A studio's server: takes what is sent to /taken, and fails at anything else."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(204 if self.path == "/taken" else 502)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def receiver() -> AbstractContextManager[int]:
    """Run a studio's server meanwhile; gives its port."""
    return asking.standing(ThreadingHTTPServer(("127.0.0.1", 0), _Answers))


def environment(port: int) -> dict[str, str]:
    """Return the settings under which Laurel sends to that server."""
    return {
        "WEBHOOK_PLAIN_HTTP": "1",
        "WEBHOOK_ALLOWED_NETWORKS": "127.0.0.0/8",
        "WEBHOOK_PORTS": str(port),
    }


def fill(page: Page, said: str, port: int) -> None:
    """Make all of it; the page is of somebody who is signed in as the studio's owner."""
    api = demo_server(said)
    hooks = [_webhook(api, port, path) for path in ("taken", "broken")]
    _unlocks(api)
    _refusals(api)
    _scores(api)
    _reports(api)
    _by_the_portal(page)
    as_a_player(page, said)
    for hook in hooks:
        until(partial(_has_deliveries, api, hook))
    for path, what in (("review", "main [type=checkbox]"), ("requests", "main tbody tr")):
        until(partial(_shows, page, f"{walking.STUDIO}/{path}", what))


def as_a_player(page: Page, said: str) -> None:
    """Let the developer, who is signed in, be the demo's player on the player site, too."""
    code = demo_server(said).do("POST", f"/players/{_PLAYER}/link-code", {}, among=(201,))["code"]
    walking.link(page, code)


def _has_deliveries(api: Api, hook: str) -> bool:
    return bool(api.get(f"/webhooks/{hook}/deliveries")["results"])


def _shows(page: Page, path: str, what: str) -> bool:
    page.goto(path)
    return page.locator(what).count() > 0


def until(holds: Callable[[], bool]) -> None:
    """Look until it holds."""
    deadline = time.monotonic() + _WITHIN_S
    while not holds():
        assert time.monotonic() < deadline, holds
        time.sleep(0.2)


def _webhook(api: Api, port: int, path: str) -> str:
    made = api.do(
        "POST",
        "/webhooks",
        {"url": f"http://127.0.0.1:{port}/{path}", "description": f"Everything, {path}"},
        among=(201,),
    )
    return str(made["id"])


def _unlocks(api: Api) -> None:
    rules = {
        "unlocks_a_minute": 2,
        "session_required": True,
        "order": [{"first": "embers-keep", "then": "keeper-of-the-reach"}],
    }
    api.do("PUT", f"/games/{GAME}/plausibility", rules, among=(200,))
    for key in ("keeper-of-the-reach", "storm-debt", "a-quiet-oar"):
        item = {"game_id": GAME, "player": _CHEAT, "achievement": key}
        api.do("POST", "/achievements/unlock", item, among=(200, 202))
    taken = {
        "game_id": GAME,
        "player": _OTHER,
        "achievement": "first-spark",
        "reason": "Unlocked by a tester's build.",
    }
    api.do("POST", "/achievements/revoke", taken, among=(202,))


def _refusals(api: Api) -> None:
    item = {"game_id": GAME, "player": _PLAYER, "achievement": "no-such-thing"}
    api.do("POST", "/achievements/unlock", item, among=(404,))
    api.do("POST", "/achievements/unlock", {**item, "achievment": "first-spark"}, among=(400,))
    api.do(
        "POST", f"/leaderboards/{GAME}/{_BOARD}/scores", {"player": _PLAYER, "score": "fast"}, among=(422,)
    )


def _scores(api: Api) -> None:
    rules = {"bound": 65.0}
    api.do("PUT", f"/leaderboards/{GAME}/{_BOARD}/plausibility", rules, among=(200,))
    for player, score in ((_CHEAT, 61.2), (_OTHER, 71.25)):
        event = {"player": player, "score": score, "event_id": str(uuid.uuid4())}
        api.do("POST", f"/leaderboards/{GAME}/{_BOARD}/scores", event, among=(202,))
    hidden = {"reason": "A lap on a modified track."}
    api.do("POST", f"/leaderboards/{GAME}/{_BOARD}/players/{_OTHER}/hide", hidden, among=(200, 202, 204))


def _reports(api: Api) -> None:
    message = (
        "I lit the last beacon yesterday evening, the trophy room shows it, and here it is still locked."
    )
    for player, key in ((_PLAYER, "storm-debt"), (_NEWCOMER, "the-ninth-wave")):
        report = {"game_id": GAME, "achievement": key, "message": message}
        api.do("POST", f"/players/{player}/reports", report, among=(201, 202))


def _by_the_portal(page: Page) -> None:
    page.goto(f"{walking.STUDIO}/members")
    page.fill("[name=email]:visible", "bram@northlight.example")
    page.get_by_role("button", name="Send the invitation").click()
    page.goto(f"{walking.GAME}/achievements")
    page.locator("main tbody a", has_text="Cast Off").first.click()
    page.fill("textarea[name=description]", "Leave the harbour under sail, with nobody at the oars.")
    page.get_by_text("Draft saved").first.wait_for()
    page.goto(f"{walking.STUDIO}/exports")
    page.locator("main form button[type=submit]").first.click()
