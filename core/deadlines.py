"""A request's deadline, and a PostgreSQL connection that keeps to it.

PostgreSQL's own `statement_timeout` says nothing while the server is frozen or the network drops packets, so the
waiting itself is bounded here: a request that has used up its time gets an `OperationalError`, which is answered
503 with `Retry-After`.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors

from core.refusals import Unavailable

FRESH_S = 1.0
REQUEST_SECONDS = 2.2  # with the answer's own way, under the 2.5 s that a caller is promised

_local = threading.local()


@contextmanager
def deadline(seconds: float = REQUEST_SECONDS) -> Iterator[None]:
    """Bound every wait for PostgreSQL of this thread to `seconds` from now."""
    before = getattr(_local, "at", None)
    _local.at = time.monotonic() + seconds
    try:
        yield
    finally:
        _local.at = before


def extend(seconds: float) -> None:
    """Give the running request `seconds` from now (imports and exports take longer than unlocks)."""
    if getattr(_local, "at", None) is not None:
        _local.at = time.monotonic() + seconds


def remaining() -> float | None:
    """Return the seconds this thread may still wait, or None outside a request."""
    at = getattr(_local, "at", None)
    return None if at is None else max(0.0, at - time.monotonic())


def too_late() -> Unavailable:
    """Return what a request is told whose time is over."""
    return Unavailable(
        "The database does not answer in time. Send the same request again; repeating it is safe."
    )


@contextmanager
def holding(lock: threading.Lock) -> Iterator[None]:
    """Hold a lock, and wait for it no longer than the request may. Raises Unavailable."""
    left = remaining()
    if not lock.acquire(timeout=-1 if left is None else left):
        raise too_late()
    try:
        yield
    finally:
        lock.release()


class DeadlineConnection(psycopg.Connection[Any]):
    """A connection whose waits end at the request's deadline; it is closed then, since its state is unknown."""

    _answered_at = float("-inf")

    def execute(self, query: Any, *args: Any, **kwargs: Any) -> psycopg.Cursor[Any]:
        """Execute. The empty query is the pool's question whether a connection that it is about to lend lives.

        One that answered a moment ago is not asked again, which would cost every request a round trip. When one
        is dead, so are those that were opened before it, as after a restart of the server: the pool opens them
        anew at once, since finding them out one by one takes it a second each.
        """
        if query != "":
            return super().execute(query, *args, **kwargs)
        if time.monotonic() - self._answered_at < FRESH_S and not self.closed:
            return self.cursor()
        try:
            return super().execute(query)
        except psycopg.OperationalError:
            if pool := getattr(self, "_pool", None):
                pool.drain()
            raise

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        """Wait for the generator as psycopg does, but no longer than the request may."""
        left = remaining()
        if left is not None:
            timeout = left if timeout is None else min(timeout, left)
        try:
            answer = super().wait(gen, interval=interval, timeout=timeout)
        except errors._WaitTimeout as error:
            self.pgconn.finish()
            raise psycopg.OperationalError(
                "the database did not answer before the request's deadline"
            ) from error
        self._answered_at = time.monotonic()
        return answer
