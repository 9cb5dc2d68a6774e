"""Valkey clients: short time-outs and a breaker, so that a frozen server costs a request next to nothing."""

import time
from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

import redis
from django.conf import settings
from redis._parsers.base import BaseParser
from redis.backoff import NoBackoff
from redis.exceptions import ClusterDownError, MasterDownError
from redis.retry import Retry

T = TypeVar("T")


class TakesNoWrites(redis.ResponseError):
    """The server says that it can't write its log of changes, or that too few replicas follow it."""


# The library takes these for answers to a wrong command (https://valkey.io/topics/protocol/: the first word of an error
# is its kind).
BaseParser.EXCEPTION_CLASSES |= {"MISCONF": TakesNoWrites, "NOREPLICAS": TakesNoWrites}
# What a dead, frozen, loading or full server raises, one that became a replica, or takes no writes for another reason:
# the derived data is away, the request goes on without.
AWAY = (
    *(redis.ConnectionError, redis.TimeoutError, redis.BusyLoadingError, redis.OutOfMemoryError, OSError),
    *(redis.ReadOnlyError, MasterDownError, ClusterDownError, TakesNoWrites),
)
WEB_TIMEOUT_S = 0.2
WORKER_TIMEOUT_S = 5.0
BREAKER_OPEN_S = 2.0
_SCANNED_A_CALL = 1000


@cache
def client(role: str, *, timeout_s: float = WEB_TIMEOUT_S) -> redis.Redis:
    """Return the process's client for a role: `boards`, `cache`, `limits` or `live`. Answers are bytes."""
    return redis.Redis.from_url(
        settings.VALKEY_URLS[role],
        socket_timeout=timeout_s,
        socket_connect_timeout=WEB_TIMEOUT_S,
        # One retry at once: the first command after a restart finds a dead connection in the pool.
        retry=Retry(NoBackoff(), 1),
        # Its name may lead to another server since it became a replica.
        retry_on_error=[redis.ReadOnlyError],
        health_check_interval=0,
        client_name=f"laurel-{role}",
    )


class Breaker:
    """Stops asking a server that just failed: for BREAKER_OPEN_S everybody goes without."""

    def __init__(self) -> None:
        """Start closed."""
        self._open_until = 0.0

    @property
    def is_open(self) -> bool:
        """Say whether callers should go without."""
        return time.monotonic() < self._open_until

    def call(self, ask: Callable[[], T], *, otherwise: Callable[[], T]) -> T:
        """Return `ask()`, or `otherwise()` while the server is away."""
        if self.is_open:
            return otherwise()
        try:
            return ask()
        except AWAY:
            self._open_until = time.monotonic() + BREAKER_OPEN_S
            return otherwise()


@cache
def breaker(role: str) -> Breaker:
    """Return the process's breaker for a role."""
    return Breaker()


def ping(role: str) -> float:
    """Return the seconds that a PING takes. Raises one of AWAY."""
    started = time.perf_counter()
    answer: Any = client(role).ping()
    if not answer:
        raise redis.ConnectionError("no PONG")
    return time.perf_counter() - started


def forget(role: str, pattern: str = "*") -> None:
    """Delete a role's keys, one by one, since a careful operator allows no command that empties a server.

    Raises one of AWAY.
    """
    server = client(role, timeout_s=WORKER_TIMEOUT_S)
    for key in server.scan_iter(match=pattern, count=_SCANNED_A_CALL):
        server.unlink(key)
