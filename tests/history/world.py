"""What history keeps, as tests look at it."""

from typing import Any

from django.db import connection

from history import buckets, rollups

TABLES = [rollups.table(family, level) for family in rollups.FAMILIES for level in buckets.LEVELS]


def kept_history() -> dict[str, Any]:
    """Return every rollup's rows, by table."""
    with connection.cursor() as cursor:
        kept = {}
        for table in TABLES:
            cursor.execute(f"SELECT * FROM {table} ORDER BY 1, 2, 3")
            kept[table] = cursor.fetchall()
        return kept
