"""The load generator: one thread, plain sockets, HTTP/1.1 with keep-alive, no pipelining.

It shares the cores with what it measures, so it parses no more of an answer than its status and length, and says what
it cost itself: `Run.generator_us`. Any answer but the expected one ends the measurement.
"""

import heapq
import math
import re
import selectors
import socket
import time
from array import array
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

Address = tuple[str, int]
# What a connection sends next, given its last answer's body (empty at first); None: nothing any more.
Source = Callable[[bytes], bytes | None]
_RECEIVE_BYTES = 262_144
_NO_BODY = (204, 304)
_SHOWN_BYTES = 400
_SILENCE_S = 30.0
_TICK_S = 0.001  # a flood looks so often what is due: a finer one would be a load of its own
_GLANCE_S = 0.1


class BadAnswer(Exception):
    """An answer that the measurement does not expect; its numbers would mean nothing."""


class Listener(Protocol):
    """Something else to read from during a run: an open page's socket."""

    def fileno(self) -> int:
        """Return the socket's number."""

    def on_readable(self, now: float) -> None:
        """Read what is there."""


@dataclass
class Run:
    """What came of a load.

    Attributes:
        seconds: from the first request sent to the last answer.
        latencies_ms: of each answer; in an open loop from when the request was due.
        cpu_seconds: what the generator itself used.

    """

    seconds: float = 0.0
    cpu_seconds: float = 0.0
    latencies_ms: "array[float]" = field(default_factory=lambda: array("d"))
    others: Counter[int] = field(
        default_factory=Counter
    )  # statuses of answers that may come and do not count

    @property
    def per_second(self) -> float:
        """Return the answers per second."""
        return len(self.latencies_ms) / self.seconds

    @property
    def generator_us(self) -> float:
        """Return the generator's own CPU time per request, in microseconds."""
        return self.cpu_seconds * 1e6 / max(1, len(self.latencies_ms))


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that `percent` of the values don't exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def in_turn(requests: Iterator[bytes]) -> Source:
    """Return a source that gives whoever asks the next of the requests."""
    return lambda _: next(requests, None)


class _Connection:
    """One keep-alive connection."""

    __slots__ = ("_buffer", "_on_answer", "_on_end", "answer", "began", "is_idle", "socket")

    def __init__(
        self,
        address: Address,
        on_answer: "Callable[[_Connection, int, bytes, float], None]",
        on_end: "Callable[[_Connection], None]",
    ) -> None:
        self.socket = socket.create_connection(address)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.began = 0.0
        self.is_idle = True
        self.answer = b""  # the last one, whole
        self._buffer = b""
        self._on_answer = on_answer
        self._on_end = on_end  # the server closed it while nothing was asked, as it may after a while

    def send(self, request: bytes, *, began: float) -> None:
        self.began = began
        self.is_idle = False
        self.socket.sendall(request)

    def on_readable(self, now: float) -> None:
        data = self.socket.recv(_RECEIVE_BYTES)
        if not data:
            if not self.is_idle:
                raise BadAnswer("The server closed a connection in the middle of the measurement.")
            self._on_end(self)
            return
        self._buffer += data
        answer = _split(self._buffer)
        if answer is not None:
            self.answer, self._buffer = self._buffer, b""
            self.is_idle = True
            self._on_answer(self, *answer, now)


def _split(data: bytes) -> tuple[int, bytes] | None:
    """Return an answer's status and body, or None while a part of it is missing."""
    end = data.find(b"\r\n\r\n") + 4
    if end < 4:
        return None
    status = int(data[9:12])
    if status in _NO_BODY:
        return status, b""
    head = data[:end].lower()
    at = head.find(b"\r\ncontent-length:")
    if at < 0:
        raise BadAnswer(f"An answer tells no length: {data[:_SHOWN_BYTES]!r}")
    length = int(head[at + 17 : head.index(b"\r\n", at + 2)])
    return (status, data[end:]) if len(data) >= end + length else None


class _Loop:
    """What both kinds of load share: connections, the selector, and what is written down."""

    def __init__(
        self, address: Address, connections: int, expected: Collection[int], selector: selectors.BaseSelector
    ) -> None:
        self.run = Run()
        self.open = 0
        self._expected = expected
        self.uncounted: Collection[int] = ()
        self._selector = selector
        self._address = address
        self.connections: list[_Connection] = []
        for _ in range(connections):
            self.connect()

    def connect(self) -> _Connection:
        connection = _Connection(self._address, self.answered, self.forget)
        self.connections.append(connection)
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        return connection

    def listen(self, listeners: Sequence[Listener]) -> None:
        for listener in listeners:
            self._selector.register(listener.fileno(), selectors.EVENT_READ, listener)

    def send(self, connection: _Connection, request: bytes, *, began: float) -> None:
        self.open += 1
        connection.send(request, began=began)

    def answered(self, connection: _Connection, status: int, body: bytes, now: float) -> None:
        if status in self._expected:
            self.run.latencies_ms.append((now - connection.began) * 1e3)
        elif status in self.uncounted:
            self.run.others[status] += 1
        else:
            raise BadAnswer(
                f"Answer {status} where {sorted(self._expected)} is expected: {body[:_SHOWN_BYTES]!r}"
            )
        self.open -= 1
        self.free(connection, body)

    def free(self, connection: _Connection, body: bytes) -> None:
        """Use a connection that has got its answer."""
        raise NotImplementedError

    def wait(self, seconds: float) -> bool:
        """Read what comes within a time; say whether anything came."""
        ready = self._selector.select(seconds)
        now = time.perf_counter()
        for key, _ in ready:
            key.data.on_readable(now)
        return bool(ready)

    def forget(self, connection: _Connection) -> None:
        """Ask nothing more on a connection that the server closed."""
        self._selector.unregister(connection.socket)
        connection.socket.close()

    def wait_for_all(self) -> None:
        while self.open:
            if not self.wait(_SILENCE_S):
                raise BadAnswer(f"{self.open} requests got no answer within {_SILENCE_S:.0f} s.")

    def close(self) -> None:
        self._selector.close()
        for connection in self.connections:
            connection.socket.close()


class _ClosedLoop(_Loop):
    """Each connection sends as soon as it has its answer: saturation."""

    def __init__(self, address: Address, connections: int, expected: Collection[int], source: Source) -> None:
        super().__init__(address, connections, expected, selectors.DefaultSelector())
        self._source = source
        self.until = float("inf")

    def free(self, connection: _Connection, body: bytes) -> None:
        now = time.perf_counter()
        request = self._source(body) if now < self.until else None
        if request is not None:
            self.send(connection, request, began=now)


class _OpenLoop(_Loop):
    """Requests are sent when they are due, whatever became of those before.

    Connections are opened as they are needed: who says nothing for long is cut off (core/slow_clients.py).
    """

    def __init__(self, address: Address, connections: int, expected: Collection[int]) -> None:
        # epoll rounds a wait up to whole milliseconds: it would send late.
        super().__init__(address, 0, expected, selectors.SelectSelector())
        self._most = connections
        self._idle: list[_Connection] = []
        self._late: deque[tuple[float, bytes]] = deque()

    def forget(self, connection: _Connection) -> None:
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

    def free(self, connection: _Connection, body: bytes) -> None:
        del body
        if self._late:
            at, request = self._late.popleft()
            self.send(connection, request, began=at)
        else:
            self._idle.append(connection)


@dataclass
class Flooded:
    """What came of more requests than can be taken.

    Attributes:
        taken_ms: latencies of those that were answered as expected, from when they were due.
        refused_ms: latencies of those that were refused, likewise.
        unsent: how many found every connection busy.

    """

    seconds: float = 0.0
    taken_ms: "array[float]" = field(default_factory=lambda: array("d"))
    refused_ms: "array[float]" = field(default_factory=lambda: array("d"))
    unsent: int = 0


class _Flood(_Loop):
    """Requests are sent when they are due, none a second time; who is told to wait does, if he is `patient`."""

    def __init__(
        self,
        address: Address,
        connections: int,
        expected: Collection[int],
        refusals: Collection[int],
        *,
        patient: bool,
    ) -> None:
        super().__init__(address, connections, {*expected, *refusals}, selectors.DefaultSelector())
        self._idle = list(self.connections)
        self._resting: list[tuple[float, int]] = []  # until when, and which connection
        self._refusals = refusals
        self._patient = patient
        self._number = {id(connection): number for number, connection in enumerate(self.connections)}
        self._last_status = 0
        self.flooded = Flooded()

    def forget(self, connection: _Connection) -> None:
        super().forget(connection)
        if connection in self._idle:
            self._idle.remove(connection)

    def wake(self, now: float) -> None:
        """Let those go on who have waited as long as they were told."""
        while self._resting and self._resting[0][0] <= now:
            self._idle.append(self.connections[heapq.heappop(self._resting)[1]])

    def due(self, count: int, make: Callable[[], bytes]) -> None:
        """Send so many requests that are due by now, as far as there are connections."""
        sent = min(count, len(self._idle))
        for _ in range(sent):
            self.send(self._idle.pop(), make(), began=time.perf_counter())
        self.flooded.unsent += count - sent

    def answered(self, connection: _Connection, status: int, body: bytes, now: float) -> None:
        self._last_status = status
        super().answered(connection, status, body, now)
        times = self.flooded.refused_ms if status in self._refusals else self.flooded.taken_ms
        times.append((now - connection.began) * 1e3)

    def free(self, connection: _Connection, body: bytes) -> None:
        del body
        if self._patient and self._last_status in self._refusals:
            until = time.perf_counter() + _retry_after_s(connection.answer)
            heapq.heappush(self._resting, (until, self._number[id(connection)]))
        else:
            self._idle.append(connection)


def _retry_after_s(answer: bytes) -> float:
    """Return what an answer tells to wait."""
    found = re.search(rb"\r\nretry-after: *([0-9]+)\r\n", answer, re.IGNORECASE)
    if found is None:
        raise BadAnswer(f"A refusal does not say for how long: {answer[:_SHOWN_BYTES]!r}")
    return float(found[1])


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
    try:
        cpu, began = time.process_time(), time.perf_counter()
        loop.until = began + seconds if seconds else loop.until
        for connection in loop.connections:
            loop.free(connection, b"")
        loop.wait_for_all()
        loop.run.seconds = time.perf_counter() - began
        loop.run.cpu_seconds = time.process_time() - cpu
    finally:
        loop.close()
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
    try:
        loop.listen(listeners)
        cpu, began = time.process_time(), time.perf_counter()
        for number, request in enumerate(requests):
            at = began + number / per_second
            while (left := at - time.perf_counter()) > 0:
                loop.wait(left)
            sent(number, at)
            loop.due(request, at=at)
        loop.wait_for_all()
        loop.run.seconds = time.perf_counter() - began
        loop.run.cpu_seconds = time.process_time() - cpu
    finally:
        loop.close()
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


def flood(
    address: Address,
    make: Callable[[], bytes],
    *,
    per_second: float,
    seconds: float,
    connections: int,
    expected: Collection[int],
    refusals: Collection[int],
    patient: bool = False,
) -> Flooded:
    """Send `per_second` requests for a time, whatever becomes of them. Raises BadAnswer.

    Each connection is a client: one that is `patient` sends nothing for as long as a refusal's Retry-After says.
    """
    loop = _Flood(address, connections, expected, refusals, patient=patient)
    try:
        began, sent = time.perf_counter(), 0
        while (passed := time.perf_counter() - began) < seconds:
            loop.wake(time.perf_counter())
            due = int(passed * per_second) - sent
            loop.due(due, make)
            sent += due
            loop.wait(_TICK_S)
        loop.flooded.seconds = time.perf_counter() - began
        loop.wait_for_all()
    finally:
        loop.close()
    return loop.flooded
