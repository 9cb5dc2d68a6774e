"""The load generator reads answers right, or its figures would be about something else."""

import socket
import threading
from collections.abc import Iterator
from itertools import islice, pairwise

import pytest

from bench.load import Address, BadAnswer, at_rate, in_turn, percentile, saturate
from bench.websocket import split_frame
from bench.world import ACHIEVEMENTS, pairs


@pytest.fixture
def server() -> Iterator[Address]:
    """Answer every request in two pieces, with its own path as the body; `/gone` is answered 404.

    After `/last` the connection is closed, and before an answer at `/never`.
    """
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=_serve, args=(listening,), daemon=True)
        thread.start()
        yield listening.getsockname()
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def _serve(listening: socket.socket) -> None:
    while True:
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        threading.Thread(target=_answer, args=(connection,), daemon=True).start()


def _answer(connection: socket.socket) -> None:
    with connection:
        while request := connection.recv(4096):
            path = request.split(b" ")[1]
            if path == b"/never":
                return
            status = b"404 Not Found" if path == b"/gone" else b"202 Accepted"
            connection.sendall(b"HTTP/1.1 %b\r\nContent-Length: %d\r\n\r\n" % (status, len(path)))
            connection.sendall(path)
            if path == b"/last":
                return


def _get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\n\r\n".encode()


def test_every_request_is_sent_once_and_answered(server: Address) -> None:
    bodies: list[bytes] = []
    requests = iter([_get(f"/{number}") for number in range(50)])

    def source(body: bytes) -> bytes | None:
        bodies.append(body)
        return next(requests, None)

    run = saturate(server, source, connections=4, expected={202})
    assert len(run.latencies_ms) == 50
    assert sorted(filter(None, bodies)) == sorted(f"/{number}".encode() for number in range(50))


def test_an_unexpected_status_ends_the_measurement(server: Address) -> None:
    with pytest.raises(BadAnswer, match="404"):
        saturate(server, in_turn(iter([_get("/gone")])), connections=1, expected={202})


def test_who_may_be_refused_is_counted_apart(server: Address) -> None:
    requests = [_get("/"), _get("/gone"), _get("/")]
    run = saturate(server, in_turn(iter(requests)), connections=1, expected={202}, uncounted={404})
    assert len(run.latencies_ms) == 2
    assert run.others == {404: 1}


def test_a_connection_that_is_closed_between_two_requests_is_replaced(server: Address) -> None:
    run = at_rate(server, [_get("/last")] * 3, per_second=1, expected={202}, connections=1)
    assert len(run.latencies_ms) == 3


def test_one_that_is_closed_instead_of_an_answer_ends_the_measurement(server: Address) -> None:
    with pytest.raises(BadAnswer, match="closed a connection"):
        at_rate(server, [_get("/never")], per_second=10, expected={202})


@pytest.mark.slow
def test_at_a_rate_latency_counts_from_when_a_request_was_due(server: Address) -> None:
    due: list[float] = []
    run = at_rate(
        server,
        [_get("/")] * 20,
        per_second=1000,
        expected={202},
        connections=1,
        sent=lambda _, at: due.append(at),
    )
    assert [round(later - earlier, 6) for earlier, later in pairwise(due)] == [0.001] * 19
    assert len(run.latencies_ms) == 20


@pytest.mark.parametrize(("percent", "value"), [(50, 5), (95, 10), (99, 10), (10, 1), (1, 1)])
def test_a_percentile_is_one_of_the_values(percent: float, value: float) -> None:
    assert percentile([3, 1, 2, 4, 5, 7, 6, 8, 10, 9], percent) == value


@pytest.mark.parametrize("size", [0, 1, 125, 126, 65_535, 65_536])
def test_a_frame_is_read_whole_or_not_at_all(size: int) -> None:
    lengths = {
        size < 126: bytes([size & 0x7F]),
        126 <= size < 65_536: b"\x7e" + (size & 0xFFFF).to_bytes(2, "big"),
    }
    head = b"\x81" + lengths.get(True, b"\x7f" + size.to_bytes(8, "big"))
    frame = head + b"x" * size
    assert split_frame(frame + b"rest") == (1, b"x" * size, b"rest")
    assert split_frame(frame[:-1]) is None


def test_no_two_pairs_of_player_and_achievement_are_equal() -> None:
    every = list(pairs(100))
    assert len(set(every)) == len(every) == 100 * ACHIEVEMENTS
    assert len({player for player, _ in islice(pairs(100), 100)}) == 100
