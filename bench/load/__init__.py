"""The load generator: one thread, plain sockets, HTTP/1.1 with keep-alive, no pipelining.

It shares the cores with what it measures, so it parses no more of an answer than its status and length, and says what
it cost itself: `Run.generator_us`. Any answer but the expected one ends the measurement.
"""

import math
import selectors
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from bench.load.flood import Flooded, flood
from bench.load.loop import Address, BadAnswer, Connection, Listener, Loop, Run

__all__ = [
    "REFUSED",
    "Address",
    "BadAnswer",
    "Flooded",
    "Listener",
    "Run",
    "at_rate",
    "flood",
    "in_turn",
    "percentile",
    "read_until",
    "saturate",
]
# What a connection sends next, given its last answer's body (empty at first); None: nothing any more.
Source = Callable[[bytes], bytes | None]
_GLANCE_S = 0.1
# What a saturated machine may say to whoever it has no room for (docs/adr/0064-admission.md).
REFUSED: Final = frozenset({429, 503})


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that `percent` of the values don't exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def in_turn(requests: Iterator[bytes]) -> Source:
    """Return a source that gives whoever asks the next of the requests."""
    return lambda _: next(requests, None)


class _ClosedLoop(Loop):
    """Each connection sends as soon as it has its answer: saturation."""

    def __init__(self, address: Address, connections: int, expected: Collection[int], source: Source) -> None:
        super().__init__(address, connections, expected, selectors.DefaultSelector())
        self._source = source
        self.until = float("inf")

    def free(self, connection: Connection, body: bytes) -> None:
        now = time.perf_counter()
        request = self._source(body) if now < self.until else None
        if request is not None:
            self.send(connection, request, began=now)


class _OpenLoop(Loop):
    """Requests are sent when they are due, whatever became of those before.

    Connections are opened as they are needed: who says nothing for long is cut off (core/slow_clients.py).
    """

    def __init__(self, address: Address, connections: int, expected: Collection[int]) -> None:
        # epoll rounds a wait up to whole milliseconds: it would send late.
        super().__init__(address, 0, expected, selectors.SelectSelector())
        self._most = connections
        self._idle: list[Connection] = []
        self._late: deque[tuple[float, bytes]] = deque()

    def forget(self, connection: Connection) -> None:
        super().forget(connection)
        self._idle.remove(connection)
        self._most += 1

    def due(self, request: bytes, *, at: float) -> None:
        if self._idle:
            self.send(self._idle.pop(), request, began=at)
        elif len(self.connections) < self._most:
            self.send(self.connect(), request, began=at)
        else:
            self._late.append((at, request))

    def free(self, connection: Connection, body: bytes) -> None:
        del body
        if self._late:
            at, request = self._late.popleft()
            self.send(connection, request, began=at)
        else:
            self._idle.append(connection)


@contextmanager
def _timed(loop: Loop) -> Iterator[float]:
    """Give when it begins; wait for all answers, write down what it took, and close the connections."""
    try:
        cpu, began = time.process_time(), time.perf_counter()
        yield began
        loop.wait_for_all()
        loop.run.seconds = time.perf_counter() - began
        loop.run.cpu_seconds = time.process_time() - cpu
    finally:
        loop.close()


def saturate(
    address: Address,
    source: Source,
    *,
    connections: int,
    expected: Collection[int],
    seconds: float | None = None,
    uncounted: Collection[int] = (),
) -> Run:
    """Keep every connection busy for a time, or until the source has no more. Raises BadAnswer.

    `uncounted` are answers that may come, too, and are no part of the result.
    """
    loop = _ClosedLoop(address, connections, expected, source)
    loop.uncounted = uncounted
    with _timed(loop) as began:
        loop.until = began + seconds if seconds else loop.until
        for connection in loop.connections:
            loop.free(connection, b"")
    return loop.run


def at_rate(
    address: Address,
    requests: Sequence[bytes],
    *,
    per_second: float,
    expected: Collection[int],
    connections: int = 64,
    listeners: Sequence[Listener] = (),
    sent: Callable[[int, float], None] = lambda number, at: None,
    uncounted: Collection[int] = (),
) -> Run:
    """Send each request when it is due, `per_second` of them, and wait for all answers.

    `sent` is told each request's number and when it was due, before it is sent. Raises BadAnswer.
    """
    loop = _OpenLoop(address, connections, expected)
    loop.uncounted = uncounted
    loop.listen(listeners)
    with _timed(loop) as began:
        for number, request in enumerate(requests):
            at = began + number / per_second
            while (left := at - time.perf_counter()) > 0:
                loop.wait(left)
            sent(number, at)
            loop.due(request, at=at)
    return loop.run


def read_until(done: Callable[[], bool], listeners: Sequence[Listener], *, within_s: float) -> None:
    """Read from listeners until `done`. Raises TimeoutError."""
    deadline = time.perf_counter() + within_s
    with selectors.DefaultSelector() as selector:
        for listener in listeners:
            selector.register(listener.fileno(), selectors.EVENT_READ, listener)
        while not done():
            ready = selector.select(_GLANCE_S)
            now = time.perf_counter()
            if now > deadline:
                raise TimeoutError
            for key, _ in ready:
                key.data.on_readable(now)
