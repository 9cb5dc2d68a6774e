"""More requests than can be taken, and what became of them."""

import heapq
import re
import selectors
import time
from array import array
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from bench.load.loop import SHOWN_BYTES, Address, BadAnswer, Connection, Loop

_TICK_S = 0.001  # so often it looks what is due: a finer one would be a load of its own


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


class _Flood(Loop):
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

    def forget(self, connection: Connection) -> None:
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

    def answered(self, connection: Connection, status: int, body: bytes, now: float) -> None:
        self._last_status = status
        super().answered(connection, status, body, now)
        times = self.flooded.refused_ms if status in self._refusals else self.flooded.taken_ms
        times.append((now - connection.began) * 1e3)

    def free(self, connection: Connection, body: bytes) -> None:
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
        raise BadAnswer(f"A refusal does not say for how long: {answer[:SHOWN_BYTES]!r}")
    return float(found[1])


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
