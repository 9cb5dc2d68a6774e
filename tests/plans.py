"""What PostgreSQL does to answer a statement."""

from typing import Any

from django.db import connection, transaction

from core.db import run_prepared


def plan_of(sql: str, params: list[Any]) -> str:
    """Return the plan of a statement where tables are too large to be read from end to end."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        return "\n".join(row[0] for row in run_prepared(f"EXPLAIN {sql}", params))
