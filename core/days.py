"""Tables that are partitioned by the day of their column `at`: days made ahead, and listed.

Each has a table `<name>_other`, which takes what no day was made for (Beat was away for days), so that nothing fails
for want of one.
"""

from datetime import UTC, date, datetime, timedelta

from django.db import connection

DAYS_AHEAD = 3


def make(table: str, *, today: date) -> None:
    """Make the tables of today and the next days.

    Those that exist stay, and a day that has rows in the table for everything else stays there.
    """
    for ahead in range(DAYS_AHEAD + 1):
        day = today + timedelta(days=ahead)
        name, start, end = f"{table}_{day:%Y%m%d}", f"{day}T00:00:00Z", f"{day + timedelta(days=1)}T00:00:00Z"
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT to_regclass(%s) IS NULL AND NOT EXISTS"  # noqa: S608 - a name of ours
                f" (SELECT FROM {table}_other WHERE at >= %s AND at < %s)",
                [name, start, end],
            )
            if cursor.fetchone()[0]:
                cursor.execute(
                    f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ('{start}') TO ('{end}')"
                )


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


def drop(name: str) -> None:
    """Drop the table of a day."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE {name}")
