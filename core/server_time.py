"""By how much this machine's clock is behind PostgreSQL's, so that every process goes by the same one (core/clock.py).

A machine whose clock is an hour off would refuse times that are right, file scores under another day, and sign webhooks
that no receiver believes.
"""

import time
from collections.abc import Callable, Sequence
from datetime import timedelta
from threading import Lock
from typing import Any, Final

import structlog

from core import clock
from core.db import run_prepared

log = structlog.get_logger(__name__)

ASKED_EVERY_S: Final = 10.0
AGREES_WITHIN_S: Final = 1.0  # asking takes a part of that; clocks that are kept by NTP are nearer
_ASK: Final = "SELECT extract(epoch FROM clock_timestamp())::float8"

_lock = Lock()
_asked_at = float("-inf")


def measure(ask: Callable[[str], Sequence[Sequence[Any]]]) -> tuple[float, float]:
    """Return by how many seconds this machine's clock is behind PostgreSQL's, and how many it took to ask."""
    began = time.time()
    theirs = float(ask(_ASK)[0][0])
    ended = time.time()
    return theirs - (began + ended) / 2, ended - began


def learn() -> None:
    """Ask PostgreSQL what time it is, unless it was asked within the last ten seconds.

    Raises:
        django.db.Error: it does not say; what is known of its clock stays.

    """
    global _asked_at  # noqa: PLW0603 - the process has one
    with _lock:
        if time.monotonic() - _asked_at < ASKED_EVERY_S:
            return
        _asked_at = time.monotonic()
    try:
        behind_s, took_s = measure(lambda sql: run_prepared(sql, []))
    except BaseException:
        _asked_at = float("-inf")
        raise
    if abs(behind_s) < AGREES_WITHIN_S + took_s:
        behind_s = 0.0
    else:
        log.warning("clock is off", behind_s=round(behind_s, 1))
    clock.set_behind(timedelta(seconds=behind_s))
