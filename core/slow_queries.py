"""Statements that took long: each is logged with its text but without its values, and counted."""

import time
from collections.abc import Callable
from typing import Any, Final

import structlog
from prometheus_client import Counter

log = structlog.get_logger(__name__)

SLOW_S: Final = 0.1
_LONGEST = 2000  # characters of a statement

_slow = Counter("laurel_slow_queries", "Statements that took longer than 100 ms.")


def note(sql: Any, seconds: float) -> None:
    """Note a statement that was slow. Whose it was, the log's fields say: `request_id`, `follower` or `job`.

    Its text has placeholders where its values were.
    """
    _slow.inc()
    text = " ".join(str(sql).split())
    log.warning("slow query", ms=round(seconds * 1000), sql=text[:_LONGEST])


def watch(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
    """Run a statement of Django's, and note it if it is slow, whether it succeeds or not."""
    began = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        if (taken := time.perf_counter() - began) > SLOW_S:
            note(sql, taken)
