"""Asking all who know how an installation is."""

import time
from collections import Counter
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from django.conf import settings
from django.utils.module_loading import import_string

from core import direct, facts
from core.dependencies import BROKER, DOWN, OK, POSTGRESQL, Watch
from core.direct import Ask, Direct
from core.metrics import alive, queues
from core.metrics.installation import COUNTED_EXACTLY, HEAD, LAGS
from core.status.troubles import troubles
from core.status.values import Failure, Lag, Running, Statement, Status

T = TypeVar("T")

ANSWERS_WITHIN_S: Final = 1.0
_SHOWN: Final = 5
# What an installation consists of; workers may be one for all queues, or one for each.
_PROCESSES: Final = ("laurel-web", "laurel-live", "laurel-relay", "laurel-send_webhooks", "laurel-beat")
_WORKER: Final = "laurel-worker"
_POOLS: Final = tuple(f"{_WORKER}-{queue}" for queue in queues.QUEUES)

_SESSIONS: Final = """
SELECT application_name, count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND application_name LIKE 'laurel%' GROUP BY 1
"""
_DEAD: Final = """
SELECT extract(epoch FROM created_at)::float8, follower || ': ' || kind || ' ' || fact_id, error
  FROM core_deadletter WHERE replayed_at IS NULL ORDER BY created_at DESC LIMIT $1
"""
_FAILED: Final = """
SELECT extract(epoch FROM failed_at)::float8, name, error, coalesce(succeeded_at > failed_at, false)
  FROM core_job WHERE failed_at > now() - interval '1 day' ORDER BY failed_at DESC LIMIT $1
"""
_SUCCEEDED: Final = "SELECT extract(epoch FROM max(succeeded_at))::float8 FROM core_job"
_TOP: Final = """
SELECT calls, mean_exec_time, total_exec_time / 1000, query FROM pg_stat_statements
 WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database())
 ORDER BY total_exec_time DESC LIMIT $1
"""


def look() -> Status:
    """Look at everything, in a few seconds however much is away."""
    watch = Watch(within_s=ANSWERS_WITHIN_S)
    try:
        watch.look()
        found = (
            watch.look()
        )  # over connections that are open: how long an answer takes, and not how long connecting
    finally:
        watch.close()
    said = _try(alive.listed, alive.AWAY) if found[f"valkey_{alive.ROLE}"].status == OK else None
    way = Direct(within_s=ANSWERS_WITHIN_S)
    try:
        ask = None if found[POSTGRESQL].status == DOWN else way.ask
        sessions = None if ask is None else _try(lambda: dict(way.ask(_SESSIONS)), direct.AWAY)
        status = Status(time.time(), found, list(_running(said, sessions)))
        if said is not None:
            status.rates = _rates(said)
        if BROKER in found and found[BROKER].status == OK:
            status.queues = _try(queues.count, Exception)
        if ask is not None:
            _fill(status, ask)
    finally:
        way.close()
    status.troubles = list(troubles(status))
    return status


def _running(said: list[dict[str, Any]] | None, sessions: dict[str, int] | None) -> Iterable[Running]:
    heard = Counter(one["process"] for one in said or ())
    known = {*heard, *(sessions or ())}
    workers = _POOLS if known & set(_POOLS) else (_WORKER,)
    for process in (*_PROCESSES, *workers):
        since = max((one["since"] for one in said or () if one["process"] == process), default=None)
        yield Running(
            process,
            None if said is None else heard[process],
            since,
            None if sessions is None else sessions.get(process, 0),
        )


def _rates(said: Iterable[dict[str, Any]]) -> dict[str, float]:
    rates: Counter[str] = Counter()
    for one in said:
        for name, rate in one["rates"].items():
            rates[name] += rate
    return dict(rates)


def _fill(status: Status, ask: Ask) -> None:
    """Add what PostgreSQL knows; a part that it refuses, as before a migration, stays unknown."""

    def known(part: Callable[[], T]) -> T | None:
        return _try(part, direct.AWAY)

    status.followers = known(lambda: _lags(ask))
    status.job_succeeded_at = known(lambda: ask(_SUCCEEDED)[0][0])
    status.failures = known(lambda: _failures(ask))
    status.statements = known(
        lambda: [
            Statement(calls, mean_ms, total_s, " ".join(sql.split()))
            for calls, mean_ms, total_s, sql in ask(_TOP, [_SHOWN])
        ]
    )
    figures: dict[str, float] = {}
    for path in settings.INSTALLATION_FIGURES:
        for metric in known(lambda path=path: list(import_string(path)(ask))) or []:  # type: ignore[misc]
            figures.update((metric.name, sample.value) for sample in metric.samples if not sample.labels)
    status.webhooks = _named(
        figures, due="laurel_webhooks_due", oldest_due_s="laurel_webhook_oldest_due_seconds"
    )
    status.backup = _named(
        figures,
        last_success="laurel_backup_last_success_timestamp_seconds",
        wal_lag_s="laurel_wal_archive_lag_seconds",
    )


def _lags(ask: Ask) -> list[Lag]:
    head = ask(HEAD)[0][0]
    return [Lag(*row) for row in ask(LAGS, [list(facts.subscriptions()), COUNTED_EXACTLY, head])]


def _failures(ask: Ask) -> list[Failure]:
    dead = [Failure(at, what, _last_line(error), is_over=False) for at, what, error in ask(_DEAD, [_SHOWN])]
    failed = [Failure(at, name, error, is_over) for at, name, error, is_over in ask(_FAILED, [_SHOWN])]
    return sorted([*dead, *failed], key=lambda each: -each.at)[:_SHOWN]


def _named(figures: dict[str, float], **wanted: str) -> dict[str, float] | None:
    return {name: figures[metric] for name, metric in wanted.items() if metric in figures} or None


def _last_line(text: str) -> str:
    return text.strip().rsplit("\n", 1)[-1]


def _try(part: Callable[[], T], away: type[Exception] | tuple[type[Exception], ...]) -> T | None:
    try:
        return part()
    except away:
        return None
