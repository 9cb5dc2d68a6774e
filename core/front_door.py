"""The first thing of `web` that a request meets: is there room for it? As WSGI, before anything that costs (ADR 0064).

A refusal has to cost next to nothing, or answering them would be what a flooded process does. So a request's sort is
told by its method and address alone (ADMISSION), its body is read before it takes a place, and the answer is written
by hand: problem+json, or a page.
"""

import random
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from http import HTTPStatus
from io import BytesIO
from typing import Any, Final

import orjson
import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.template.loader import render_to_string
from prometheus_client import Counter, Gauge
from psycopg_pool import PoolTimeout

from core import lags, server_time, slow_clients, tracing, turned_away
from core.admission import Admission, Sort, Verdict
from core.client_address import counted_address_in
from core.deadlines import deadline
from core.disk import storage
from core.ids import request_id
from core.metrics import alive
from core.metrics.requests import class_of, requests
from core.problems import CONTENT_TYPE, json_is_wanted
from core.refusals import PROBLEMS, Malformed, Refused
from core.roomy import roomy
from core.slow_clients import Bodies

log = structlog.get_logger(__name__)

Environ = dict[str, Any]
StartResponse = Any  # typeshed's is a protocol of its own
Answer = Any  # bytes in pieces, which may have `close` and say that they are `streaming`
Application = Callable[[Environ, StartResponse], Answer]

SMALL: Final = 1024  # bytes: one unlock or one score, not a batch of them
LARGEST_READ_AHEAD: Final = 1024 * 1024  # what the API takes; a larger body is an import, or a file of a form
LARGE_BODIES: Final = 4  # taken at the same time; those in chunks, which say no length, are of them
LARGE_WAITING: Final = 64  # for a moment: most in chunks are small
SOONEST_S: Final = 1
LATEST_S: Final = 5
_ROOM_AFTER_S: Final = 60  # an operator has to make it
LOGGED_EVERY_S: Final = 10.0
WATCHES_EVERY_S: Final = 1.0
_TOLD_WITHIN_S: Final = 2.0
URGENT: Final = frozenset({"live", "facts"})  # queues whose listeners somebody waits for
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# Signing in, and what reading takes: a token, a session.
_WITHOUT_ROOM: Final = re.compile(r"/(?:account|admin)/|/(?:.*/)?(?:session|token)$")
# A load balancer asks in the worst of times, and a file is sent sooner than it would wait.
_OPEN_TO_ALL: Final = ("/livez", "/readyz", "/metrics", "/static/", "/favicon.ico")
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; frame-ancestors 'none'"
)
_GUARDS: Final = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
}
_LARGE: Final = Sort("large bodies", LARGE_BODIES, patience_s=0.5)
_TOO_MANY: Final = (
    "This caller has too many requests under way at once. Wait for answers before you send more."
)
_BUSY: Final = "Laurel has more to do than it can just now. Send the same request again after `Retry-After`."
_FULL: Final = "The database's disk is nearly full, so nothing new is taken. What is there can be read."
_TOO_SLOW: Final = "Many requests from this address are not sent to their end. Finish or close them first."
_CUT_SHORT: Final = "The body ended before the length that was announced."

_shed = Counter("laurel_shed", "Requests that were refused since a process had too much to do", ["sort"])
_inside = Gauge("laurel_requests", "Requests that are inside a web process", ["state"])
alive.rated["requests"] = requests.total


class FrontDoor:
    """Passes on what there is room for."""

    def __init__(
        self, application: Application, admission: Admission, kinds: "Kinds", bodies: Bodies | None = None
    ) -> None:
        """Stand in front of an application."""
        self._bodies = bodies or Bodies()
        self._application = application
        self._with_room = roomy(application)
        self._admission = admission
        self._kinds = kinds
        self._large = Admission([_LARGE], room=LARGE_WAITING, of_one_caller=LARGE_BODIES + LARGE_WAITING)
        self._logged_at = dict.fromkeys(range(len(kinds.names)), -LOGGED_EVERY_S)
        _inside.labels("running").set_function(lambda: admission.running)
        _inside.labels("waiting").set_function(lambda: admission.waiting)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Answer:
        """Answer as the application does, or say that there is no room; count it."""
        began = time.perf_counter()
        asked = None
        if tracing.recorder is not None and not environ["PATH_INFO"].startswith(_OPEN_TO_ALL):
            asked = tracing.recorder.begin_request()
        answer = self._answer(environ, start_response)
        # A file that the server sends by itself says nothing of how it went.
        status = getattr(answer, "status_code", 200)
        kind = class_of(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        requests.note(kind, status, time.perf_counter() - began)
        if asked is not None:
            asked.end(environ["REQUEST_METHOD"], kind, status)
        return answer

    def _answer(self, environ: Environ, start_response: StartResponse) -> Answer:
        path: str = environ["PATH_INFO"]
        if path.startswith(_OPEN_TO_ALL):
            return self._with_room(environ, start_response)
        length: str = environ.get("CONTENT_LENGTH") or "0"
        size = int(length) if length.isdecimal() else 0
        is_large = size > LARGEST_READ_AHEAD or "HTTP_TRANSFER_ENCODING" in environ
        if size and not is_large and (refused := self._read(environ, size)):
            return _refuse(refused, environ, start_response)
        if refused := turned_away.find(environ):
            return _refuse(refused, environ, start_response)
        if storage.is_full and environ["REQUEST_METHOD"] not in _READING and not _WITHOUT_ROOM.match(path):
            refused = Refused(_FULL, slug="storage-full", headers={"Retry-After": str(_ROOM_AFTER_S)})
            return _refuse(refused, environ, start_response)
        if self._admission.is_full:
            return self._turn_away(Verdict.SHED, environ, start_response)
        if not is_large:
            return self._admit(environ, start_response, is_small=0 < size <= SMALL)
        if self._large.enter(0, "") is not Verdict.ADMITTED:
            return self._turn_away(Verdict.SHED, environ, start_response)
        try:
            return self._admit(environ, start_response)
        finally:
            self._large.leave(0, "")

    def _read(self, environ: Environ, length: int) -> Refused | None:
        """Read a request's body, which may take as long as its sender likes."""
        if self._bodies.are_held_up(environ):
            return Refused(_TOO_SLOW, slug="rate-limited", headers={"Connection": "close", **_after()})
        if self._bodies.are_many:  # of others
            return Refused(_BUSY, slug="unavailable", headers={"Connection": "close", **_after()})
        body = self._bodies.read(environ["wsgi.input"], length, environ)
        environ["wsgi.input"] = BytesIO(body)
        return None if len(body) == length else Malformed(_CUT_SHORT)

    def _admit(self, environ: Environ, start_response: StartResponse, *, is_small: bool = False) -> Answer:
        sort = self._kinds.of(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        # No header begins with a space: none is counted as an address that it names.
        caller: str = environ.get("HTTP_AUTHORIZATION") or f" {counted_address_in(environ)}"
        verdict = self._admission.enter(sort, caller)
        if verdict is not Verdict.ADMITTED:
            return self._turn_away(verdict, environ, start_response)
        stays = False
        try:
            # A single report does nothing a thousand times: room on the stack would cost more than it saves (ADR 0059).
            called = self._application if is_small and sort == self._kinds.reports else self._with_room
            answer = called(environ, start_response)
            if stays := getattr(answer, "streaming", False):
                return _Streamed(answer, lambda: self._admission.leave(sort, caller))
            return answer
        finally:
            if not stays:
                self._admission.leave(sort, caller)

    def _turn_away(self, verdict: Verdict, environ: Environ, start_response: StartResponse) -> Answer:
        if verdict is Verdict.TOO_MANY:
            return _refuse(Refused(_TOO_MANY, slug="rate-limited", headers=_after()), environ, start_response)
        sort = self._kinds.of(environ["REQUEST_METHOD"], environ["PATH_INFO"])
        name = self._kinds.names[sort]
        _shed.labels(name).inc()
        if (now := time.monotonic()) > self._logged_at[sort] + LOGGED_EVERY_S:
            self._logged_at[sort] = now
            environ["HTTP_X_REQUEST_ID"] = its_id = request_id(environ.get("HTTP_X_REQUEST_ID", ""))
            inside = {"running": self._admission.running, "waiting": self._admission.waiting}
            log.warning("requests shed", sort=name, request_id=its_id, **inside)
        return _refuse(Refused(_BUSY, slug="unavailable", headers=_after()), environ, start_response)


class Kinds:
    """Tells a request's sort by its method and address."""

    def __init__(self, sorts: Iterable[tuple[Sort, str]]) -> None:
        """Take sorts, the least important first, each with the expression that its `METHOD /address` matches."""
        sorts = list(sorts)
        self.names = [sort.name for sort, _ in sorts]
        self.reports = len(sorts) - 1
        self._expression = re.compile(
            "|".join(f"(?P<s{number}>{pattern})" for number, (_, pattern) in enumerate(sorts))
        )
        # Games report to few addresses, whose sort is the last that is tried.
        self._found = lru_cache(maxsize=256)(self._find)

    def of(self, method: str, path: str) -> int:
        """Return the number of the first sort that matches; one of them matches everything."""
        return self._found(f"{method.upper()} {path}")  # as Django reads it

    def _find(self, asked: str) -> int:
        found = self._expression.match(asked)
        assert found is not None
        assert found.lastgroup is not None
        return int(found.lastgroup[1:])


class _Streamed:
    """An answer that is made while it is sent: its request is inside until then."""

    def __init__(self, answer: Any, leave: Callable[[], None]) -> None:
        self._answer = answer
        self._leave = leave
        self.status_code: int = getattr(answer, "status_code", 200)

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._answer)

    def close(self) -> None:
        leave, self._leave = self._leave, _nothing
        try:
            self._answer.close()
        finally:
            leave()


class _Refusal(list[bytes]):
    """What is said to whom there is no room for."""

    def __init__(self, pieces: Iterable[bytes], status_code: int) -> None:
        super().__init__(pieces)
        self.status_code = status_code


def _nothing() -> None:
    """Leave no second time."""


def _after() -> dict[str, str]:
    """Say when to come again: not all at once."""
    return {"Retry-After": str(random.randint(SOONEST_S, LATEST_S))}  # noqa: S311 - no secret


def _refuse(refused: Refused, environ: Environ, start_response: StartResponse) -> Answer:
    asked: str = request_id(environ.get("HTTP_X_REQUEST_ID", ""))
    path: str = environ["PATH_INFO"]
    if json_is_wanted(path, environ.get("HTTP_ACCEPT", "")):
        content_type = CONTENT_TYPE
        told = refused.body(public_url=settings.PUBLIC_URL, instance=path, request_id=asked)
        body = orjson.dumps(told)
    else:
        content_type, body = "text/html; charset=utf-8", _page(refused.problem.slug)
    status = HTTPStatus(refused.problem.status)
    headers = {
        "Content-Type": content_type,
        "Content-Length": str(len(body)),
        "Cache-Control": "no-store",
        "X-Request-Id": asked,
        **_GUARDS,
        **refused.headers,
    }
    start_response(f"{status.value} {status.phrase}", list(headers.items()))
    return _Refusal(() if environ["REQUEST_METHOD"] == "HEAD" else (body,), status.value)


@cache
def _page(slug: str) -> bytes:
    return render_to_string("turned_away.html", {"problem": PROBLEMS[slug]}).encode()


def in_front_of(application: Application) -> FrontDoor:
    """Put a door in front of an application, by the settings; watch how far listeners are behind, and the disk."""
    admission = Admission(
        [sort for sort, _ in settings.ADMISSION],
        room=settings.ADMISSION_ROOM,
        of_one_caller=settings.ADMISSION_OF_ONE_CALLER,
    )
    threading.Thread(target=_watch, args=(admission,), name="lag", daemon=True).start()
    bodies = Bodies()
    slow_clients.start(bodies)
    return FrontDoor(application, admission, Kinds(settings.ADMISSION), bodies)


def _watch(admission: Admission) -> None:
    while True:
        time.sleep(WATCHES_EVERY_S)
        storage.look()
        _look(admission)


def _look(admission: Admission) -> None:
    """Tell the door how far listeners are behind; where PostgreSQL says nothing, that is known in time, too.

    By the way, learn what time it is there.
    """
    try:
        with deadline(_TOLD_WITHIN_S):
            server_time.learn()
            admission.tell_lag(lags.seconds_behind(URGENT))
    except (DatabaseError, InterfaceError, PoolTimeout):
        admission.tell_lag(0.0)  # whoever asks the database is told by it
    except Exception:
        log.exception("lag not known")
    finally:
        connection.close()  # with the pool: lent to others until the next time
