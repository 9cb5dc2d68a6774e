"""History as tests begin it: with nothing of other tests, whose followers ran."""

from typing import Any

from django.db import connection

from history import buckets, rollups

TABLES = [rollups.table(family, level) for family in rollups.FAMILIES for level in buckets.LEVELS]


def forget_history() -> None:
    """Empty the rollups, which Django does not know, and begin the log anew."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)}")
    rollups.hear(0, 0)


def kept_history() -> dict[str, Any]:
    """Return every rollup's rows, by table."""
    with connection.cursor() as cursor:
        kept = {}
        for table in TABLES:
            cursor.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3")
            kept[table] = cursor.fetchall()
        return kept
