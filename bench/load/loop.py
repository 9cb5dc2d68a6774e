"""What every load is made of: connections, a loop that reads from all of them, and what came of it."""

import selectors
import socket
import time
from array import array
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Protocol

Address = tuple[str, int]
SHOWN_BYTES = 400  # of an answer that is not expected
_RECEIVE_BYTES = 262_144
_NO_BODY = (204, 304)
_SILENCE_S = 30.0


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


class Connection:
    """One keep-alive connection."""

    __slots__ = ("_buffer", "_on_answer", "_on_end", "answer", "began", "is_idle", "socket")

    def __init__(
        self,
        address: Address,
        on_answer: "Callable[[Connection, int, bytes, float], None]",
        on_end: "Callable[[Connection], None]",
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
        """Send a request, and note when it was due."""
        self.began = began
        self.is_idle = False
        self.socket.sendall(request)

    def on_readable(self, now: float) -> None:
        """Read what is there, and hand over an answer that is whole. Raises BadAnswer."""
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
        raise BadAnswer(f"An answer tells no length: {data[:SHOWN_BYTES]!r}")
    length = int(head[at + 17 : head.index(b"\r\n", at + 2)])
    return (status, data[end:]) if len(data) >= end + length else None


class Loop:
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
        self.connections: list[Connection] = []
        for _ in range(connections):
            self.connect()

    def connect(self) -> Connection:
        """Open one more."""
        connection = Connection(self._address, self.answered, self.forget)
        self.connections.append(connection)
        self._selector.register(connection.socket, selectors.EVENT_READ, connection)
        return connection

    def listen(self, listeners: Sequence[Listener]) -> None:
        """Read from others, too."""
        for listener in listeners:
            self._selector.register(listener.fileno(), selectors.EVENT_READ, listener)

    def send(self, connection: Connection, request: bytes, *, began: float) -> None:
        """Send a request on an idle connection."""
        self.open += 1
        connection.send(request, began=began)

    def answered(self, connection: Connection, status: int, body: bytes, now: float) -> None:
        """Note an answer, and use its connection again. Raises BadAnswer."""
        if status in self._expected:
            self.run.latencies_ms.append((now - connection.began) * 1e3)
        elif status in self.uncounted:
            self.run.others[status] += 1
        else:
            raise BadAnswer(
                f"Answer {status} where {sorted(self._expected)} is expected: {body[:SHOWN_BYTES]!r}"
            )
        self.open -= 1
        self.free(connection, body)

    def free(self, connection: Connection, body: bytes) -> None:
        """Use a connection that has got its answer."""
        raise NotImplementedError

    def wait(self, seconds: float) -> bool:
        """Read what comes within a time; say whether anything came."""
        ready = self._selector.select(seconds)
        now = time.perf_counter()
        for key, _ in ready:
            key.data.on_readable(now)
        return bool(ready)

    def forget(self, connection: Connection) -> None:
        """Ask nothing more on a connection that the server closed."""
        self._selector.unregister(connection.socket)
        connection.socket.close()

    def wait_for_all(self) -> None:
        """Read until nothing is under way. Raises BadAnswer."""
        while self.open:
            if not self.wait(_SILENCE_S):
                raise BadAnswer(f"{self.open} requests got no answer within {_SILENCE_S:.0f} s.")

    def close(self) -> None:
        """Close every connection."""
        self._selector.close()
        for connection in self.connections:
            connection.socket.close()
