"""How scheduled jobs go: told by workers, and kept in PostgreSQL, since some of them run once a day."""

import time
from functools import cache
from threading import Lock
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from prometheus_client import Counter, Histogram

from core import tracing

log = structlog.get_logger(__name__)

KEPT_EVERY_S: Final = 30.0  # what runs each second is not noted each second
_LONGEST_ERROR: Final = 500  # characters
_DAY_S: Final = 86_400.0
_BOUNDS_S: Final = (0.01, 0.05, 0.1, 0.5, 1, 5, 10, 30, 60, 300, 900)

_seconds = Histogram("laurel_job_seconds", "How long a scheduled job took.", ["job"], buckets=_BOUNDS_S)
_failures = Counter("laurel_job_failures", "Scheduled jobs that ended with an error.", ["job"])
_lock = Lock()
_began_at: dict[str, float] = {}
_kept_at: dict[str, float] = {}


@cache
def names() -> frozenset[str]:
    """Return the names of all scheduled jobs."""
    return frozenset(str(entry["task"]) for entry in settings.CELERY_BEAT_SCHEDULE.values())


@cache
def intervals_s() -> dict[str, float]:
    """Return how often each scheduled job is due; what is due at an hour of the clock, once a day."""
    return {
        str(entry["task"]): float(due) if isinstance(due := entry["schedule"], int | float) else _DAY_S
        for entry in settings.CELERY_BEAT_SCHEDULE.values()
    }


@cache
def _tell_of_all() -> None:
    """Tell of each job that it has not failed yet: Prometheus takes no first count for an increase."""
    for name in names():
        _seconds.labels(name)
        _failures.labels(name)


def began(task_id: str, job: str) -> None:
    """Note that a task began; one that is no scheduled job is none of ours."""
    if job in names():
        _tell_of_all()
        structlog.contextvars.bind_contextvars(job=job)
        with _lock:
            _began_at[task_id] = time.perf_counter()
        if tracing.recorder is not None and tracing.recorder.is_chosen():
            tracing.begin_here(tracing.recorder.start(f"job {job}"))


def ended(task_id: str, job: str, error: BaseException | None) -> None:
    """Note how a task ended."""
    with _lock:
        began_at = _began_at.pop(task_id, None)
    if began_at is None:
        return
    taken = time.perf_counter() - began_at
    if (span := tracing.here()) is not None:
        tracing.begin_here(None)
        span.end(error)
    _seconds.labels(job).observe(taken)
    if error is not None:
        _failures.labels(job).inc()
        _keep(_FAILED, [job, taken, f"{type(error).__name__}: {error}"[:_LONGEST_ERROR]])
    elif time.monotonic() - _kept_at.get(job, float("-inf")) > KEPT_EVERY_S:
        _kept_at[job] = time.monotonic()
        _keep(_SUCCEEDED, [job, taken])


_SUCCEEDED = """
INSERT INTO core_job (name, succeeded_at, seconds, error) VALUES (%s, now(), %s, '')
ON CONFLICT (name) DO UPDATE SET succeeded_at = now(), seconds = excluded.seconds
"""
_FAILED = """
INSERT INTO core_job (name, failed_at, seconds, error) VALUES (%s, now(), %s, %s)
ON CONFLICT (name) DO UPDATE SET failed_at = now(), seconds = excluded.seconds, error = excluded.error
"""


def _keep(sql: str, params: list[Any]) -> None:
    """Keep how a job went; what can't be kept is only told."""
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql, params)
    except (DatabaseError, InterfaceError) as error:
        log.warning("how a job went can't be kept", error=str(error).split("\n")[0])
