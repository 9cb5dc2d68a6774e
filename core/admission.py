"""Admission: which requests a process takes on while it has more to do than it can (docs/adr/0064-admission.md).

Requests are of sorts, the least important first. So many run at the same time, and of the lesser sorts fewer, so that
an unlock always finds a connection; the others wait, the most important served first. Who waits shows how strained the
process is: once the first of a more important sort has waited too long, the lesser ones are refused at once, and so is
who would wait longer than his sort may. Nothing is estimated, so it ends as soon as the waiting does.

Source: controlled delay (RFC 8289), of which this is the waiting of the oldest; bulkheads (Nygard, "Release It!").
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from math import inf
from typing import Final

HOLD_S: Final = (
    1.0  # for how long a sort stays refused once it was: no faster switching than callers can follow
)


@dataclass(frozen=True, slots=True)
class Sort:
    """A sort of requests.

    Attributes:
        name: as metrics and the log say it.
        at_once: how many of it, and of all lesser sorts, may run at the same time.
        patience_s: how long one may wait for its turn.
        yields_s: once one of a more important sort has waited for so long, none of this one is let in.
        yields_lag_s: once listeners are so far behind, none of this one is let in; None for never.

    """

    name: str
    at_once: int
    patience_s: float
    yields_s: float = inf
    yields_lag_s: float | None = None


class Verdict(Enum):
    """What became of somebody at the door."""

    ADMITTED = "admitted"
    SHED = "shed"
    TOO_MANY = "too many"


class _Waiter:
    __slots__ = ("baton", "since")

    def __init__(self, since: float) -> None:
        self.since = since
        self.baton = threading.Lock()
        self.baton.acquire()


@dataclass
class _Queue:
    sort: Sort
    running: int = 0
    refused_until: float = 0.0
    waiting: deque[_Waiter] = field(default_factory=deque)


class Admission:
    """The door of a process: `enter`, and after an `ADMITTED` exactly one `leave`."""

    def __init__(self, sorts: Sequence[Sort], *, room: int, of_one_caller: int) -> None:
        """Open it for sorts, the least important first; at most `room` requests wait.

        `of_one_caller` is how many of one caller are inside, running or waiting.
        """
        self._lock = threading.Lock()
        self._queues = [_Queue(sort) for sort in sorts]
        self._room = room
        self._of_one_caller = of_one_caller
        self._callers: dict[str, int] = {}
        self._waiting = 0
        self._lag_s = 0.0
        self._least_lag_s = min(
            (sort.yields_lag_s for sort in sorts if sort.yields_lag_s is not None), default=inf
        )

    def enter(self, sort: int, caller: str) -> Verdict:
        """Let a request of the sort numbered `sort` in, if need be after a while."""
        queue = self._queues[sort]
        with self._lock:
            inside = self._callers.get(caller, 0)
            if inside >= self._of_one_caller:
                return Verdict.TOO_MANY
            if not self._waiting and self._lag_s <= self._least_lag_s and self._has_place(sort):
                self._callers[caller] = inside + 1
                queue.running += 1
                return Verdict.ADMITTED
            now = time.monotonic()
            if self._is_refused(sort, now):
                return Verdict.SHED
            self._callers[caller] = inside + 1
            if self._has_place(sort) and not any(each.waiting for each in self._queues[sort:]):
                queue.running += 1
                return Verdict.ADMITTED
            waiter = _Waiter(now)
            queue.waiting.append(waiter)
            self._waiting += 1
        if waiter.baton.acquire(timeout=queue.sort.patience_s):
            return Verdict.ADMITTED
        return self._gives_up(queue, waiter, caller)

    @property
    def is_full(self) -> bool:
        """Say whether nobody else may even wait; a glance, without the lock."""
        return self._waiting >= self._room > 0

    def leave(self, sort: int, caller: str) -> None:
        """End a request; the first of the most important that may run has its place."""
        with self._lock:
            self._queues[sort].running -= 1
            self._forget(caller)
            if not self._waiting:
                return
            for number in reversed(range(len(self._queues))):
                queue = self._queues[number]
                if queue.waiting and self._has_place(number):
                    self._waiting -= 1
                    queue.running += 1
                    queue.waiting.popleft().baton.release()
                    return

    def tell_lag(self, seconds: float) -> None:
        """Hear how far the listeners of the fact log are behind."""
        self._lag_s = seconds

    @property
    def running(self) -> int:
        """How many run."""
        return sum(queue.running for queue in self._queues)

    @property
    def waiting(self) -> int:
        """How many wait."""
        return self._waiting

    def _gives_up(self, queue: _Queue, waiter: _Waiter, caller: str) -> Verdict:
        with self._lock:
            if waiter not in queue.waiting:  # its turn came at the last moment
                return Verdict.ADMITTED
            queue.waiting.remove(waiter)
            self._waiting -= 1
            self._forget(caller)
        return Verdict.SHED

    def _has_place(self, sort: int) -> bool:
        """Say whether one more of a sort may run: it counts for itself and for every more important one."""
        running = 0
        for number, queue in enumerate(self._queues):
            running += queue.running
            if number >= sort and running >= queue.sort.at_once:
                return False
        return True

    def _is_refused(self, sort: int, now: float) -> bool:
        queue = self._queues[sort]
        if now < queue.refused_until:
            return True
        if self._is_strained(sort, now):
            queue.refused_until = now + HOLD_S
            return True
        # Whoever came first has waited as long as this one would: it need not find that out by waiting.
        too_late = bool(queue.waiting) and now - queue.waiting[0].since > queue.sort.patience_s / 2
        return self._waiting >= self._room or too_late

    def _is_strained(self, sort: int, now: float) -> bool:
        mine = self._queues[sort].sort
        if mine.yields_lag_s is not None and self._lag_s > mine.yields_lag_s:
            return True
        return any(
            each.waiting and now - each.waiting[0].since > mine.yields_s for each in self._queues[sort + 1 :]
        )

    def _forget(self, caller: str) -> None:
        left = self._callers[caller] - 1
        if left:
            self._callers[caller] = left
        else:
            del self._callers[caller]
