"""The log's days: partitions made ahead, dropped when every cursor has passed and their time is over."""

from datetime import UTC, date, datetime, timedelta

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
        _drop(name, day)
        log.info("day dropped", partition=name)
        dropped.append(name)
    return dropped


# One look into the day's index for each studio (a loose index scan), and one for the whole log.
_NOTE_BEGINNINGS = """
    WITH RECURSIVE newest AS (
        (SELECT d.studio_id, d.tx, d.id FROM {name} d WHERE d.studio_id IS NOT NULL
          ORDER BY d.studio_id DESC, d.tx DESC, d.id DESC LIMIT 1)
        UNION ALL
        SELECT earlier.* FROM newest CROSS JOIN LATERAL (
            SELECT d.studio_id, d.tx, d.id FROM {name} d WHERE d.studio_id < newest.studio_id
             ORDER BY d.studio_id DESC, d.tx DESC, d.id DESC LIMIT 1) AS earlier
    )
    INSERT INTO core_logbeginning AS b (studio_id, tx, fact_id, at)
    SELECT studio_id, tx::text::bigint, id, %(end)s FROM newest
    UNION ALL SELECT 0, 0, 0, %(end)s
    ON CONFLICT (studio_id) DO UPDATE SET at = greatest(b.at, excluded.at),
        (tx, fact_id) = (SELECT * FROM (VALUES (b.tx, b.fact_id), (excluded.tx, excluded.fact_id)) AS e (tx, fact_id)
                          ORDER BY tx DESC, fact_id DESC LIMIT 1)
"""


def _drop(name: str, day: date) -> None:
    """Drop a day, and note in the same transaction whose facts are gone up to where: readers tell a gap by that."""
    end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(_NOTE_BEGINNINGS.format(name=name), {"end": end})
        days.drop(name)


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
