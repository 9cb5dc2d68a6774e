"""Group commit: requests that wait in this process at the same moment share one statement and one commit.

The first to come leads: it takes everybody who waits, runs the batch, hands out the outcomes, and passes the lead to
whoever came meanwhile. Nobody waits for a timer, so a lone request is as fast as without.
Source: docs/adr/0002-truth-and-the-fact-log.md.
"""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Generic, TypeVar

from core import deadlines, tracing
from core.db import lend_back

if TYPE_CHECKING:
    from core.tracing.recording import Span

I = TypeVar("I")  # noqa: E741
O = TypeVar("O")  # noqa: E741

LARGEST_GROUP = 200
_PATIENCE_S = 30.0  # outside a request


class _Waiter(Generic[I, O]):
    __slots__ = ("baton", "error", "item", "leads", "outcome", "span")

    def __init__(self, item: I) -> None:
        self.item = item
        self.outcome: O | None = None
        self.error: BaseException | None = None
        self.leads = False
        self.span: Span | None = None
        # A bare lock, held until the waiter is woken: an Event costs five times as much to make and to set.
        self.baton = threading.Lock()
        self.baton.acquire()

    def wake(self) -> None:
        """Let the waiter go on; called once."""
        self.baton.release()

    def is_woken(self) -> bool:
        """Say whether `wake` was called."""
        return not self.baton.locked()


class GroupCommit(Generic[I, O]):
    """Runs items of several threads together.

    `run` takes the items of a group and returns an outcome each, in order; what it raises, everybody of the group gets.
    """

    def __init__(self, run: Callable[[Sequence[I]], Sequence[O]]) -> None:
        """Start without a leader."""
        self._run = run
        self._lock = threading.Lock()
        self._waiting: deque[_Waiter[I, O]] = deque()
        self._led = False

    def submit(self, item: I) -> O:
        """Return the item's outcome.

        Raises:
            Unavailable: the group did not get its turn, or did not end, before the request's deadline.
            Exception: what `run` raised for the group.

        """
        waiter: _Waiter[I, O] = _Waiter(item)
        if tracing.recorder is not None:
            waiter.span = tracing.here()
        with self._lock:
            self._waiting.append(waiter)
            waiter.leads = not self._led
            self._led = True
        if not waiter.leads:
            self._wait(waiter)
        if waiter.leads:
            self._lead()
        elif waiter.error is not None:
            raise waiter.error
        return waiter.outcome  # type: ignore[return-value]

    def _wait(self, waiter: _Waiter[I, O]) -> None:
        lend_back()
        left = deadlines.remaining()
        if waiter.baton.acquire(timeout=_PATIENCE_S if left is None else left):
            return
        with self._lock:
            if waiter in self._waiting and not waiter.leads:
                self._waiting.remove(waiter)
            elif waiter.is_woken():
                return
        raise deadlines.too_late()

    def _lead(self) -> None:
        with self._lock:
            group = [self._waiting.popleft() for _ in range(min(len(self._waiting), LARGEST_GROUP))]
        try:
            for waiter, outcome in zip(group, self._outcomes(group), strict=True):
                waiter.outcome = outcome
        except BaseException as error:
            for waiter in group:
                waiter.error = error
            raise
        finally:
            with self._lock:
                if self._waiting:
                    self._waiting[0].leads = True
                    self._waiting[0].wake()
                else:
                    self._led = False
            for waiter in group[1:]:  # the first one is this thread's own
                waiter.wake()

    def _outcomes(self, group: Sequence[_Waiter[I, O]]) -> Sequence[O]:
        """Run a group; what it writes is of the trace of the first one that is sampled."""
        items = [waiter.item for waiter in group]
        if tracing.recorder is not None:
            spans = [waiter.span for waiter in group if waiter.span is not None]
            if spans:
                with tracing.doing("commit", spans, {"laurel.requests": len(group)}):
                    return self._run(items)
        return self._run(items)
