"""Clients that send a byte now and then, or nothing, are cut off, and nobody else notices (core/slow_clients.py)."""

import socket
import sys
import time
from collections.abc import Iterator
from http import HTTPStatus

import pytest

from core.slow_clients import DRIBBLES_S, LOOKS_EVERY_S, SLOW_OF_ONE, STRANGER_S
from tests.patience import LONG_S
from tests.platform import Answer, Client, Platform

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux says how slow a connection is")

STRANGERS = 2_000  # more than a server takes by default
HEAD = "POST /api/v1/achievements/unlock HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
_ASK_AGAIN = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
# On a machine that stalls, and before the server itself would close them after a minute.
CUT_WITHIN_S = 3 * LOOKS_EVERY_S + 27.0


@pytest.fixture
def sockets(platform: Platform) -> Iterator[list[socket.socket]]:
    opened: list[socket.socket] = []
    yield opened
    for each in opened:
        each.close()


def _connected(platform: Platform, sockets: list[socket.socket], says: str = "") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", platform.place.port), timeout=LONG_S)
    sockets.append(connection)
    connection.sendall(says.encode())
    return connection


def _seconds_until_closed(connection: socket.socket, began: float, *, dribble: bytes = b"") -> float:
    connection.settimeout(1.0)
    while time.monotonic() < began + LONG_S:
        try:
            if dribble:
                connection.sendall(dribble)
            if not connection.recv(65_536):
                return time.monotonic() - began
        except TimeoutError:
            continue
        except OSError:
            return time.monotonic() - began
    raise AssertionError("was never closed")


def _unlocked(client: Client, player: str) -> Answer:
    """Unlock, once no body is waited for any more that was sent before."""
    deadline = time.monotonic() + LONG_S
    while (answer := client.unlock(player, "a1")).status in _ASK_AGAIN:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return answer


def test_bodies_that_never_end_hold_nobody_up(platform: Platform, sockets: list[socket.socket]) -> None:
    began = time.monotonic()
    head = f"{HEAD}Authorization: Bearer {platform.key}\r\nContent-Length: 500\r\n\r\n{{"
    slow = [_connected(platform, sockets, head) for _ in range(6 * SLOW_OF_ONE)]
    time.sleep(0.5)
    client = platform.client()
    answer = client.until_answered(client.get, f"/leaderboards/{platform.game}")
    assert (answer.status, answer.seconds < DRIBBLES_S / 3) == (200, True)
    closed_s = _seconds_until_closed(slow[0], began, dribble=b" ")
    assert DRIBBLES_S / 2 < closed_s < DRIBBLES_S + CUT_WITHIN_S
    for connection in slow:
        connection.close()
    assert _unlocked(client, "after slow bodies").status == HTTPStatus.ACCEPTED


def test_who_connects_and_says_nothing_keeps_nobody_out(
    platform: Platform, sockets: list[socket.socket]
) -> None:
    began = time.monotonic()
    strangers = [_connected(platform, sockets) for _ in range(STRANGERS)]
    client = platform.client()
    assert _unlocked(client, "beside strangers").status == HTTPStatus.ACCEPTED
    assert _seconds_until_closed(strangers[-1], began) < STRANGER_S + CUT_WITHIN_S
    assert _unlocked(client, "beside strangers").status == 200  # and who was answered is kept


def test_a_head_that_never_ends_is_cut_off(platform: Platform, sockets: list[socket.socket]) -> None:
    began = time.monotonic()
    slow = _connected(platform, sockets, "POST /api/v1/achievements/unlock HTTP/1.1\r\nX-")
    assert _seconds_until_closed(slow, began, dribble=b"a") < DRIBBLES_S + CUT_WITHIN_S
