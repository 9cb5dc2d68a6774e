"""What stands before Django: lengths, methods, paths and lines that can't be, over sockets to `web` as shipped."""

import socket
import time
from collections import Counter
from contextlib import ExitStack
from typing import Final

import pytest
from django.conf import settings

from accounts.models import Game
from tests import factories
from tests.security.api_routes import Side
from tests.security.nothing_changed import nothing_changed
from tests.security.serving import WebServer, memory_kib, request

pytestmark = pytest.mark.django_db(transaction=True)
GAMES: Final = "/api/v1/games"
MIB: Final = 1024 * 1024
# One that is kept would be open for 60 s, and is read here for 55.
CLOSED_WITHIN_S: Final = 45.0
SLOW: Final = 100  # connections of each kind
DROPPED_WITHIN_S: Final = 55.0  # sooner than the server drops half a header by itself


@pytest.fixture
def side(transactional_db: None) -> Side:
    """A studio with something of everything."""
    return Side.make()


def _headers(side: Side, **more: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {side.key}", "Content-Type": "application/json", **more}


NEW: Final = b'{"title": "New"}'
CHUNKED: Final = {"Transfer-Encoding": "chunked"}
_CHUNK: Final = b"%x\r\n%s\r\n0\r\n\r\n" % (len(NEW), NEW)

# What is wrong with a body's length: the status, the headers and the bytes behind them.
LENGTHS: Final[dict[str, tuple[int, list[tuple[str, str]], bytes]]] = {
    "I8-one too many": (413, [], b'{"title": "' + b"a" * MIB + b'"}'),
    "I8-10 MiB": (413, [], b'{"title": "' + b"a" * 10 * MIB + b'"}'),
    "I8-no number": (400, [("Content-Length", "abc")], NEW),
    "I8-negative": (400, [("Content-Length", "-1")], NEW),
    "I8-a plus": (400, [("Content-Length", f"+{len(NEW)}")], NEW),
    "I8-Arabic digits": (400, [("Content-Length", "١٦")], NEW),
    "I8-hexadecimal": (400, [("Content-Length", "0x10")], NEW),
    "I8-less than there is": (400, [("Content-Length", "5")], NEW),
    "I8-a terabyte said": (413, [("Content-Length", str(10**12))], NEW),
    "I8-more than 64 bits": (400, [("Content-Length", str(2**64))], NEW),
    "I23-two lengths": (400, [("Content-Length", str(len(NEW))), ("Content-Length", "0")], NEW),
    "I23-lengths in a list": (400, [("Content-Length", f"{len(NEW)}, 0")], NEW),
    "I23-xchunked": (400, [("Transfer-Encoding", "xchunked")], _CHUNK),
    "I23-chunked and then not": (400, [("Transfer-Encoding", "chunked, identity")], _CHUNK),
    "I23-two codings": (400, [*CHUNKED.items(), ("Transfer-Encoding", "x")], _CHUNK),
    "I23-a space before the colon": (400, [("Transfer-Encoding ", "chunked")], _CHUNK),
    "I23-a folded coding": (400, [("Transfer-Encoding", "\r\n chunked")], _CHUNK),
    "I23-a vertical tab": (400, [("Transfer-Encoding", "\x0bchunked")], _CHUNK),
    "I23-no number of a chunk": (400, [*CHUNKED.items()], b"zz\r\n" + NEW + b"\r\n0\r\n\r\n"),
    "I23-a chunk of 2^68": (400, [*CHUNKED.items()], b"f" * 17 + b"\r\n" + NEW),
    "I23-a negative chunk": (400, [*CHUNKED.items()], b"-1\r\n" + NEW + b"\r\n0\r\n\r\n"),
}


@pytest.mark.parametrize("attack", LENGTHS)
def test_a_length_that_is_a_lie_is_refused_and_the_connection_closed(
    web: WebServer, side: Side, attack: str
) -> None:
    status, headers, body = LENGTHS[attack]
    sent = request("POST", GAMES, body, [*_headers(side).items(), *headers])
    with nothing_changed():
        heard = web.send(sent.replace(b"Connection: close\r\n", b""))
    assert {answer.status for answer in heard} == {status}
    assert max(answer.seconds for answer in heard) < CLOSED_WITHIN_S
    assert {answer.slug for answer in heard} <= {"", "malformed-request", "payload-too-large"}


@pytest.mark.slow
def test_i8_a_gigabyte_in_chunks_is_cut_off_early(web: WebServer, side: Side) -> None:
    before = memory_kib(web)
    chunk = b"%x\r\n%s\r\n" % (64 * 1024, b"a" * 64 * 1024)
    sent = 0
    with nothing_changed(), web.connect() as line:
        line.sendall(request("POST", GAMES, b"", _headers(side, **CHUNKED)))
        try:
            while sent < 1024 * MIB:
                line.sendall(chunk)
                sent += len(chunk)
        except OSError:
            pass
    assert sent < 64 * MIB
    assert memory_kib(web) - before < 64 * 1024


def test_i23_of_a_length_and_chunks_the_chunks_count_and_nothing_follows(web: WebServer, side: Side) -> None:
    """RFC 9112 §6.1: whoever sends both, and whoever stands between, agree on one request or on none."""
    hidden = request("POST", GAMES, b'{"title": "Smuggled"}', _headers(side))
    both = {"Content-Length": "5", **CHUNKED}
    first = request("POST", GAMES, b"0\r\n\r\n" + hidden, _headers(side, **both))
    with nothing_changed():
        heard = web.send(first.replace(b"Connection: close\r\n", b"", 1))
    assert [answer.status for answer in heard] == [400]
    assert not Game.objects.filter(title="Smuggled").exists()


METHODS: Final = {"FOO": 405, "TRACE": 405, "CONNECT": 405, "PRI": 405, "G(T": 400, "G\x00T": 400}


@pytest.mark.parametrize("method", [pytest.param(method, id=f"I20-{method!r}") for method in METHODS])
def test_a_method_that_nobody_takes_is_refused_by_the_server(web: WebServer, side: Side, method: str) -> None:
    with nothing_changed():
        [answer] = web.send(request(method, GAMES, headers=_headers(side)))
    assert answer.status == METHODS[method]
    if answer.status == 405:
        assert answer.slug == "method-not-allowed"
        assert {"GET", "POST"} <= set(answer.headers["allow"].split(", "))


PATHS: Final = (
    "/api/v1//games",
    "//api/v1/games",
    "/api/v1/games/",
    "/api/v1/games/..;/",
    "/api/v1/games;x",
    "/api/v1/../v1/games",
    "/api/v1/%2e%2e/v1/games",
    "/api/v1/games%2f",
    "/api/v1/games/%00",
    "/api/v1/games/%ff",
    "/api/v1/games/%c0%ae%c0%ae",
    "/api/v1/\\games",
    "/api/v1/games/../../../etc/passwd",
    "/API/V1/games",
    "/api/v2/games",
    "*",
)


@pytest.mark.parametrize("path", [pytest.param(path, id=f"I22-{path}") for path in PATHS])
def test_a_trick_with_a_path_leads_nowhere(web: WebServer, side: Side, path: str) -> None:
    with nothing_changed():
        answer = web.ask("GET", path, Authorization=f"Bearer {side.key}")
    assert answer.status == 404
    if path.startswith("/api/"):
        assert answer.slug == "not-found"


LINES: Final = {
    "I22-NUL in a path": b"GET /api/v1/ga\0mes HTTP/1.1\r\nHost: x\r\n\r\n",
    "I22-no version": b"GET /api/v1/games\r\n\r\n",
    "I23-a space before a colon": b"GET /api/v1/games HTTP/1.1\r\nHost : x\r\n\r\n",
    "I23-a folded header": b"GET /api/v1/games HTTP/1.1\r\nHost: x\r\nX-A: a\r\n b\r\n\r\n",
    "I23-a bare carriage return": b"GET /api/v1/games HTTP/1.1\r\nHost: x\r\nX-A: a\rX-B: b\r\n\r\n",
    "I26-a newline in an address": b"GET /api/v1/games?\r\nX-A: b HTTP/1.1\r\nHost: x\r\n\r\n",
}


@pytest.mark.parametrize("attack", LINES)
def test_what_is_no_request_is_refused_by_the_server(web: WebServer, side: Side, attack: str) -> None:
    with nothing_changed():
        heard = web.send(LINES[attack])
    assert [answer.status for answer in heard] == [400]


def test_i29_no_connection_carries_many_requests_at_once(web: WebServer) -> None:
    """Pings would keep one of HTTP/2 open, whose requests, never sent to their end, held every place for unlocks."""
    with web.connect() as connection:
        connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + b"\0\0\0\x04" + 5 * b"\0")
        assert connection.recv(1024) == b""


def test_i26_what_a_caller_sends_stays_on_its_line_of_the_log(web: WebServer, side: Side) -> None:
    """A line break or a control character is no part of a header's value, nor of a name that is logged."""
    forged = "a%0d%0a%7b%22event%22:%22forged%22%7d%1b[31m"
    for path in (f"/api/v1/players/{forged}", f"/api/v1/games/{forged}", f"/api/v1/games?{forged}=1"):
        answer = web.ask("GET", path, Authorization=f"Bearer {side.key}", User_Agent="\x1b[31m".strip("\x1b"))
        assert answer.status in (400, 404, 422)
        assert not any("\r" in value or "\n" in value for value in answer.headers.values())
    for name in ("a\r\nb", "a b", "x" * 129, "é", "<script>"):
        answer = factories.api(side.key).get("/games", X_Request_Id=name)
        assert answer["X-Request-Id"] != name
    logged = web.log.read_text()
    assert "\x1b[31m" not in logged
    assert not [line for line in logged.splitlines() if line.startswith('{"event":"forged"')]


@pytest.mark.slow
def test_i24_who_does_not_go_on_stops_nobody(web: WebServer, side: Side) -> None:
    """Whoever sends drop by drop is dropped, and the others are served beside those who send nothing more."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    form["Cookie"] = f"{settings.CSRF_COOKIE_NAME}={'a' * 32}"  # whoever comes without is refused unread
    ways = {
        "a key's": (request("POST", GAMES, b"a", {**_headers(side), "Content-Length": "4000"}), b""),
        "anybody's": (request("POST", "/account/login/", b"a", {**form, "Content-Length": "4000"}), b""),
        "drop by drop": (request("POST", "/account/login/", b"a", {**form, "Content-Length": "4000"}), b"a"),
        "half a header": (b"GET / HTTP/1.1\r\nHost: x\r\nX-A: ", b"a"),
    }
    with ExitStack() as stack, nothing_changed():
        began = time.monotonic()
        left = [(how, stack.enter_context(web.connect())) for _ in range(SLOW) for how in ways]
        for how, line in left:
            line.sendall(ways[how][0])
        left = [(how, line) for how, line in left if ways[how][1]]
        while left:
            assert time.monotonic() - began < DROPPED_WITHIN_S, Counter(how for how, _ in left)
            assert web.ask("GET", GAMES, Authorization=f"Bearer {side.key}").status == 200
            left = [(how, line) for how, line in left if not _is_closed(line, ways[how][1])]
            time.sleep(1)


def _is_closed(line: socket.socket, drop: bytes) -> bool:
    """Say whether the other side has ended a connection, after sending a bit more on it."""
    try:
        line.sendall(drop)
        line.setblocking(False)
        while line.recv(65_536):
            pass
    except BlockingIOError:
        return False
    except OSError:
        return True
    finally:
        line.setblocking(True)
    return True
