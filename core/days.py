"""Tables that are partitioned by the day of their column `at`: days made ahead, listed, and dropped.

Each has a table `<name>_other`, which takes what no day was made for (Beat was away for days), so that nothing fails
for want of one.

A day is made and dropped under a lock of the whole table, for which everybody queues who writes: so each in a
transaction of its own that waits for a moment only. Where a long reader is in the way, it is left for the next time.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial

import structlog
from django.db import connection, transaction

from core.patience import TRIES, patiently, wait_a_moment_only

log = structlog.get_logger(__name__)

DAYS_AHEAD = 3


def make(table: str, *, today: date, tries: int = TRIES) -> None:
    """Make the tables of today and the next days, or as many as can be had without holding anybody up.

    Those that exist stay, and a day that has rows in the table for everything else stays there.
    """
    for ahead in range(DAYS_AHEAD + 1):
        day = today + timedelta(days=ahead)
        if patiently(partial(_make, table, day), tries=tries) is None:
            log.warning("day not made", table=table, day=str(day))
            return


def _make(table: str, day: date) -> bool:
    name, start, end = f"{table}_{day:%Y%m%d}", f"{day}T00:00:00Z", f"{day + timedelta(days=1)}T00:00:00Z"
    with transaction.atomic(), connection.cursor() as cursor:
        _one_at_a_time(table)
        cursor.execute(
            "SELECT to_regclass(%s) IS NULL AND NOT EXISTS"  # noqa: S608 - a name of ours
            f" (SELECT FROM {table}_other WHERE at >= %s AND at < %s)",
            [name, start, end],
        )
        is_wanted = bool(cursor.fetchone()[0])
        if is_wanted:
            cursor.execute(
                f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ('{start}') TO ('{end}')"
            )
    return is_wanted


def listed(table: str) -> list[tuple[str, date]]:
    """Return the tables of days with their days, the oldest first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = %s::regclass"
            " AND inhrelid::regclass::text ~ %s ORDER BY 1",
            [table, f"^{table}_[0-9]{{8}}$"],
        )
        return [
            (name, datetime.strptime(name[-8:], "%Y%m%d").replace(tzinfo=UTC).date())
            for (name,) in cursor.fetchall()
        ]


def drop(table: str, name: str, *, before: Callable[[], None] = lambda: None, tries: int = TRIES) -> bool:
    """Drop a day, in one transaction with what is done `before`; say whether it is gone, now or by somebody else."""
    if is_dropped := patiently(partial(_drop, table, name, before), tries=tries) is not None:
        log.info("day dropped", partition=name)
    else:
        log.warning("day not dropped", partition=name)
    return is_dropped


def _drop(table: str, name: str, before: Callable[[], None]) -> bool:
    with transaction.atomic(), connection.cursor() as cursor:
        _one_at_a_time(table)
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [name])
        if is_there := bool(cursor.fetchone()[0]):
            before()
            cursor.execute(f"DROP TABLE {name}")
    return is_there


def _one_at_a_time(table: str) -> None:
    """Let whoever is at the same table's days end first."""
    wait_a_moment_only()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"days of {table}"])
