"""The log's days: partitions made ahead, dropped when every cursor has passed and their time is over."""

from datetime import date, datetime, timedelta

import structlog
from django.conf import settings
from django.db import connection, transaction

from core import days, idempotency

log = structlog.get_logger(__name__)

TABLE = "core_fact"


def make_partitions(*, today: date) -> None:
    """Make the tables of today and the next days, as `days.make` does."""
    days.make(TABLE, today=today)


def drop_partitions(*, today: date) -> list[str]:
    """Drop the days older than FACT_RETENTION_DAYS that every follower has read; return their names."""
    dropped = []
    for name, day in days.listed(TABLE):
        if day >= today - timedelta(days=settings.FACT_RETENTION_DAYS) or _is_needed(name):
            continue
        days.drop(name)
        log.info("day dropped", partition=name)
        dropped.append(name)
    return dropped


def _is_needed(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT EXISTS (SELECT FROM core_follower f, (SELECT tx, id FROM {name} ORDER BY tx DESC, id DESC LIMIT 1)"  # noqa: S608
            " AS newest WHERE (f.tx::text::xid8, f.fact_id) < (newest.tx, newest.id))"
        )
        return bool(cursor.fetchone()[0])


def keep(*, now: datetime) -> None:
    """Make coming days, drop read ones, forget old idempotency keys. Two at once do no harm: one waits, then skips."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('core.keep_log', 0))")
        if not cursor.fetchone()[0]:
            return
        make_partitions(today=now.date())
        drop_partitions(today=now.date())
        cursor.execute(
            "DELETE FROM core_idempotencykey WHERE created_at < %s",
            [now - timedelta(days=idempotency.KEPT_DAYS)],
        )
