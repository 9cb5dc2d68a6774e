"""What a request meets first: `core/front_door.py`, in front of an application that does little."""

import ipaddress
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from io import BytesIO
from typing import Any
from wsgiref.util import setup_testing_defaults

import orjson
import pytest
from django.conf import settings

from core import turned_away
from core.admission import Admission, Sort
from core.front_door import LARGE_BODIES, SMALL, FrontDoor, Kinds
from core.refusals import Refused
from core.slow_clients import SLOW_OF_ALL, SLOW_OF_ONE, SLOW_S
from tests.patience import LONG_S

ROOM = 10_000  # slots: frames have tens
SORTS = [(Sort("reads", 1, 0.01), "GET /"), (Sort("writes", 2, 0.01), "")]
WIDE = [(Sort("reads", 9, 0.01), "GET /"), (Sort("writes", 9, 0.01), "")]
OF_ONE_CALLER = 3


def _nothing() -> None:
    """Do nothing meanwhile."""


class Streamed:
    """An answer that is sent while it is made."""

    streaming = True

    def __init__(self) -> None:
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return iter((b"a", b"b"))

    def close(self) -> None:
        self.closed += 1


class Site:
    """An application, and what it was given."""

    def __init__(self, answer: Any = (b"fine",), sorts: Sequence[tuple[Sort, str]] = SORTS) -> None:
        self.answer = answer
        self.bodies: list[bytes] = []
        self.inside = 0
        self.has_room = False
        self.meanwhile: Callable[[], None] = _nothing  # what happens while a request is inside
        self.admission = Admission([sort for sort, _ in sorts], room=2, of_one_caller=OF_ONE_CALLER)
        self.door = FrontDoor(self._application, self.admission, Kinds(sorts))

    def _application(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.inside = self.admission.running
        self.has_room = sys._getframe(1).f_code.co_stacksize > ROOM
        self.bodies.append(environ["wsgi.input"].read())
        self.meanwhile()
        if isinstance(self.answer, Exception):
            raise self.answer
        start_response("200 OK", [])
        return self.answer

    def ask(self, path: str = "/api/v1/games", method: str = "GET", **environ: Any) -> "Answer":
        made = {"REQUEST_METHOD": method, "PATH_INFO": path, "REMOTE_ADDR": "198.51.100.7", **environ}
        setup_testing_defaults(made)
        return Answer(self.door, made)


class Answer:
    """What came of a request."""

    def __init__(self, door: FrontDoor, environ: dict[str, Any]) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.pieces = door(environ, self._start)
        self.body = b"".join(self.pieces)

    def _start(self, status: str, headers: list[tuple[str, str]]) -> None:
        self.status, self.headers = int(status[:3]), dict(headers)


def _posted(body: bytes, length: int | None = None) -> dict[str, Any]:
    return {"wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body) if length is None else length)}


def test_a_request_is_inside_until_it_is_answered() -> None:
    site = Site()
    answer = site.ask(method="POST", **_posted(b'{"a": 1}'))
    assert (answer.status, answer.body, site.bodies) == (200, b"fine", [b'{"a": 1}'])
    assert (site.inside, site.admission.running) == (1, 0)


@pytest.mark.parametrize(
    ("path", "method", "size", "has_room"),
    [
        ("/api/v1/achievements/unlock", "POST", SMALL, False),
        ("/api/v1/achievements/unlock", "POST", SMALL + 1, True),
        ("/portal/", "POST", SMALL, True),
        ("/portal/", "GET", 0, True),
        ("/metrics", "GET", 0, True),
    ],
)
def test_all_but_single_reports_have_room_on_the_stack(
    path: str, method: str, size: int, has_room: bool
) -> None:
    site = Site(sorts=settings.ADMISSION)
    assert site.ask(path, method, **_posted(b" " * size)).status == 200
    assert site.has_room is has_room


def test_a_request_that_fails_is_inside_no_longer() -> None:
    site = Site(answer=ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        site.ask()
    assert site.admission.running == 0


def test_an_answer_that_is_streamed_is_inside_until_it_is_closed() -> None:
    streamed = Streamed()
    site = Site(streamed)
    answer = site.ask()
    assert (answer.body, site.admission.running) == (b"ab", 1)
    for _ in range(2):
        answer.pieces.close()
    assert (streamed.closed, site.admission.running) == (2, 0)


def test_who_finds_no_room_is_told_when_to_come_again() -> None:
    site = Site()
    site.admission.enter(0, "somebody")
    answer = site.ask("/api/v1/games", HTTP_X_REQUEST_ID="mine")
    told = orjson.loads(answer.body)
    assert answer.status == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert (told["type"], told["instance"], told["request_id"]) == (
        f"{settings.PUBLIC_URL}/problems/unavailable",
        "/api/v1/games",
        "mine",
    )
    assert answer.headers["X-Request-Id"] == "mine"
    assert 1 <= int(answer.headers["Retry-After"]) <= 5
    assert not site.bodies


def test_a_browser_is_shown_a_page() -> None:
    site = Site()
    site.admission.enter(0, "somebody")
    answer = site.ask("/games", HTTP_ACCEPT="text/html")
    assert (answer.status, answer.headers["Content-Type"]) == (503, "text/html; charset=utf-8")
    assert b"Load the page again in a moment" in answer.body
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]


def test_a_head_has_no_body() -> None:
    site = Site()
    for _ in range(2):
        site.admission.enter(1, "somebody")
    answer = site.ask(method="HEAD")
    assert (answer.status, answer.body) == (503, b"")


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics", "/static/laurel.css"])
def test_what_operators_ask_is_answered_in_the_worst_of_times(path: str) -> None:
    site = Site()
    for _ in range(2):
        site.admission.enter(1, "somebody")
    assert site.ask(path).status == 200


def test_one_caller_has_only_so_many_under_way() -> None:
    site = Site()
    site.admission._callers["Bearer lrl_sk_x"] = OF_ONE_CALLER
    answer = site.ask(HTTP_AUTHORIZATION="Bearer lrl_sk_x")
    assert (answer.status, orjson.loads(answer.body)["type"].rpartition("/")[2]) == (429, "rate-limited")
    assert site.ask(HTTP_AUTHORIZATION="Bearer lrl_sk_y").status == 200


def test_what_calls_itself_an_address_is_counted_apart_from_it() -> None:
    site = Site(sorts=WIDE)
    statuses: list[int] = []
    other = {"REMOTE_ADDR": "203.0.113.9", "HTTP_AUTHORIZATION": "198.51.100.7"}

    def ask_again() -> None:
        if site.admission.running < OF_ONE_CALLER:
            site.ask(**other)
        else:
            site.meanwhile = _nothing
            statuses.extend([site.ask(**other).status, site.ask(REMOTE_ADDR="198.51.100.7").status])

    site.meanwhile = ask_again
    site.ask(**other)
    assert statuses == [429, 200]


def test_of_ipv6_one_network_has_only_so_many_under_way() -> None:
    site = Site(sorts=WIDE)
    statuses: list[int] = []

    def ask_again() -> None:
        if (running := site.admission.running) < OF_ONE_CALLER:
            site.ask(REMOTE_ADDR=f"2001:db8:0:7::{running}")
        else:
            site.meanwhile = _nothing
            more = ("2001:db8:0:7::9", "2001:db8:0:8::1")
            statuses.extend(site.ask(REMOTE_ADDR=address).status for address in more)

    site.meanwhile = ask_again
    site.ask(REMOTE_ADDR="2001:db8:0:7::f")
    assert statuses == [429, 200]


def test_a_body_that_is_cut_short_does_nothing() -> None:
    site = Site()
    answer = site.ask(method="POST", **_posted(b'{"a": ', length=100))
    assert (answer.status, site.bodies) == (400, [])


def test_a_body_is_read_before_its_request_takes_a_place() -> None:
    site = Site()
    reads: list[int] = []

    class Slow(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            reads.append(site.admission.running)
            return super().read(size)

    site.ask(method="POST", **{**_posted(b"{}"), "wsgi.input": Slow(b"{}")})
    assert reads == [0]


def test_bodies_in_chunks_take_turns_and_are_read_by_the_application(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.front_door._LARGE", Sort("large bodies", LARGE_BODIES, patience_s=60.0))
    site = Site()
    for _ in range(LARGE_BODIES):
        site.door._large.enter(0, "")
    sent: dict[str, Any] = {
        "HTTP_TRANSFER_ENCODING": "chunked",
        "CONTENT_LENGTH": "",
        "wsgi.input": BytesIO(b"{}"),
    }
    asked = threading.Thread(target=lambda: site.ask("/api/v1/games", "POST", **sent))
    asked.start()
    while not site.door._large.waiting:
        time.sleep(0.001)
    site.door._large.leave(0, "")
    asked.join()
    assert site.bodies == [b"{}"]
    assert site.door._large.running == LARGE_BODIES - 1


@pytest.mark.parametrize(
    ("mine", "other"),
    [("198.51.100.{}", "198.51.101.1"), ("2001:db8:0:7::{}", "2001:db8:0:8::1")],
)
def test_bodies_that_are_waited_for_hold_up_their_address_or_network_only(mine: str, other: str) -> None:
    site, networks = Site(), ipaddress.ip_address(other).version == 6
    sending = threading.Event()

    class Slow(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            sending.wait(LONG_S)
            return super().read(size)

    def send(number: int) -> None:
        sent = {**_posted(b"{}"), "wsgi.input": Slow(b"{}")}
        site.ask(method="POST", **sent, REMOTE_ADDR=mine.format(number if networks else 7))

    threads = [threading.Thread(target=send, args=(number,)) for number in range(SLOW_OF_ONE)]
    for thread in threads:
        thread.start()
    while len(site.door._bodies._begun) < SLOW_OF_ONE:
        time.sleep(0.001)

    def status_of(address: str) -> int:
        return site.ask(method="POST", **_posted(b"{}"), REMOTE_ADDR=address).status

    assert status_of(mine.format(7)) == 200  # so far they may be on their way
    site.door._bodies.look(now=time.monotonic() + 2 * SLOW_S)
    assert (status_of(mine.format(7)), status_of(other)) == (429, 200)
    assert site.ask(REMOTE_ADDR=mine.format(7)).status == 200  # who sends no body is not held up
    sending.set()
    for thread in threads:
        thread.join()
    site.door._bodies.look(now=time.monotonic() + 2 * SLOW_S)
    assert status_of(mine.format(7)) == 200


def test_whose_body_waits_for_others_is_told_that_it_is_none_of_his_doing() -> None:
    site = Site()
    addresses = [{"REMOTE_ADDR": f"198.51.100.{number}"} for number in range(SLOW_OF_ALL)]
    site.door._bodies._begun = {number: (one, 0.0) for number, one in enumerate(addresses)}
    site.door._bodies.look(now=2 * SLOW_S)
    refused = site.ask(method="POST", **{**_posted(b"{}"), "REMOTE_ADDR": "203.0.113.9"})
    assert (refused.status, refused.headers["Connection"]) == (503, "close")
    assert 1 <= int(refused.headers["Retry-After"]) <= 5
    assert b"from this address" not in refused.body


def test_who_was_refused_a_moment_ago_is_refused_at_the_door() -> None:
    site, times = Site(), []
    asked: dict[str, Any] = {"HTTP_AUTHORIZATION": "Bearer lrl_sk_x"}
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/api/v1/games", **asked}
    refused = Refused("Too often.", slug="rate-limited", headers={"Retry-After": "1"})
    turned_away.remember(environ, refused, wait_s=60.0, again=lambda: times.append(1))
    answer = site.ask(**asked)
    assert (answer.status, answer.headers["Retry-After"], len(times)) == (429, "1", 1)
    assert site.ask("/api/v1/webhooks", **asked).status == 200
    assert site.ask(HTTP_AUTHORIZATION="Bearer lrl_sk_y").status == 200
    turned_away.remember(environ, refused, wait_s=0.0, again=lambda: times.append(1))
    assert (site.ask(**asked).status, len(times)) == (200, 1)


@pytest.mark.parametrize(
    ("request_line", "name"),
    [
        ("GET /api/v1/games/x/analytics/overview", "exports and analytics"),
        ("GET /api/v1/players/a/b/export", "exports and analytics"),
        ("HEAD /api/v1/players/a/b/export", "exports and analytics"),
        ("get /api/v1/players/a/b/export", "exports and analytics"),
        ("HEAD /api/v1/games/x/analytics/overview", "exports and analytics"),
        ("GET /portal/x/games/y/analytics/retention", "exports and analytics"),
        ("POST /portal/x/exports", "exports and analytics"),
        ("GET /api/v1/players/p-1/dashboard", "dashboards"),
        ("GET /portal/x/games/y/", "dashboards"),
        ("GET /me/", "dashboards"),
        ("HEAD /api/v1/players/p-1/dashboard", "dashboards"),
        ("HEAD /me/", "dashboards"),
        ("GET /api/v1/leaderboards/x/points", "boards and other reads"),
        ("HEAD /games/x", "boards and other reads"),
        ("POST /api/v1/achievements/unlock", "reports of games"),
        ("POST /api/v1/achievements/unlock/batch", "reports of games"),
        ("POST /api/v1/stats/report", "reports of games"),
        ("POST /api/v1/leaderboards/x/y/scores/batch", "reports of games"),
        ("POST /account/login/", "other writes"),
        ("PATCH /api/v1/games/x/achievements/y", "other writes"),
        ("BREW /pot", "other writes"),
    ],
)
def test_every_request_is_of_a_sort(request_line: str, name: str) -> None:
    kinds = Kinds(settings.ADMISSION)
    assert kinds.names[kinds.of(*request_line.split(" "))] == name
