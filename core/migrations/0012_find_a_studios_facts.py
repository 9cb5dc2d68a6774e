"""An index of each studio's facts in their order: who reads one game's does not walk past everybody's.

Each day gets its own while facts are written; the table's index then takes them over without building anything.
"""

from typing import Any

from django.db import migrations

_DAYS = """
    SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'core_fact'::regclass ORDER BY 1
"""
_ON = "ON {table} (studio_id, tx, id) WHERE studio_id IS NOT NULL"


def build(apps: Any, schema_editor: Any) -> None:
    """Build the days' indexes, then the table's; what was begun before is done again."""
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(_DAYS)
        for (day,) in cursor.fetchall():
            cursor.execute(f"DROP INDEX IF EXISTS {day}_of_studio")
            cursor.execute(f"CREATE INDEX CONCURRENTLY {day}_of_studio {_ON.format(table=day)}")
        cursor.execute(f"CREATE INDEX core_fact_of_studio {_ON.format(table='core_fact')}")


def drop(apps: Any, schema_editor: Any) -> None:
    """Drop them."""
    schema_editor.execute("DROP INDEX core_fact_of_studio")


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("core", "0011_note_where_the_log_begins")]
    operations = [migrations.RunPython(build, drop)]
