"""History as tests begin it: with nothing of other tests, whose followers ran."""

from django.db import connection

from history import rollups

TABLES = [rollups.table(family, level) for family in rollups.FAMILIES for level in rollups.LEVELS]


def forget_history() -> None:
    """Empty the rollups, which Django does not know, and begin the log anew."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(TABLES)}")
    rollups.hear(0, 0)
