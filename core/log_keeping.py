"""The log's days: partitions made ahead, dropped when every cursor has passed and their time is over."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Final

from django.conf import settings
from django.db import connection

from core import days, idempotency, shifts
from core.patience import TRIES

TABLE = "core_fact"
_FORGOTTEN_AT_ONCE: Final = 5_000  # followers wait for the oldest transaction


def make_partitions(*, today: date, tries: int = TRIES) -> None:
    """Make the tables of today and the next days, as `days.make` does."""
    days.make(TABLE, today=today, tries=tries)


def drop_partitions(*, today: date, tries: int = TRIES) -> list[str]:
    """Drop the days older than FACT_RETENTION_DAYS that every follower has read; return their names.

    One that is in use stays for the next time.
    """
    dropped = []
    for name, day in days.listed(TABLE):
        if day >= today - timedelta(days=settings.FACT_RETENTION_DAYS) or _is_needed(name):
            continue
        if days.drop(TABLE, name, before=partial(_note_beginnings, name, day), tries=tries):
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


def _note_beginnings(name: str, day: date) -> None:
    """Note whose facts go with a day, and up to where: readers tell a gap by that."""
    end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute(_NOTE_BEGINNINGS.format(name=name), {"end": end})


def _is_needed(name: str) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT EXISTS (SELECT FROM core_follower f, (SELECT tx, id FROM {name} ORDER BY tx DESC, id DESC LIMIT 1)"  # noqa: S608
            " AS newest WHERE (f.tx::text::xid8, f.fact_id) < (newest.tx, newest.id))"
        )
        return bool(cursor.fetchone()[0])


def keep(*, now: datetime, tries: int = TRIES) -> None:
    """Make coming days, drop read ones, forget old idempotency keys. Two at once do no harm.

    What a long reader is in the way of is left for the next time; whoever writes is held up for a moment at most.
    """
    make_partitions(today=now.date(), tries=tries)
    drop_partitions(today=now.date(), tries=tries)
    _forget_keys(until=now - timedelta(days=idempotency.KEPT_DAYS))


def _forget_keys(*, until: datetime) -> None:
    with connection.cursor() as cursor:
        while not shifts.is_over():
            cursor.execute(
                "DELETE FROM core_idempotencykey WHERE ctid = ANY(ARRAY("
                "SELECT ctid FROM core_idempotencykey WHERE created_at < %s LIMIT %s))",
                [until, _FORGOTTEN_AT_ONCE],
            )
            if cursor.rowcount < _FORGOTTEN_AT_ONCE:
                return
