"""An index of names' trigrams, where the database may have pg_trgm.

The extension is a trusted one: whoever owns the database may make it. A managed server that does not allow it stays
without the index, and names are found by their beginning there (accounts/finding.py).
"""

from typing import Any, ClassVar

import structlog
from django.db import Error, migrations

log = structlog.get_logger(__name__)
_INDEX = "players_by_part_of_name"


def add(apps: Any, schema_editor: Any) -> None:
    """Make the extension and the index, or say why not."""
    with schema_editor.connection.cursor() as cursor:
        try:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            cursor.execute(
                f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {_INDEX} ON accounts_player"
                " USING gin (display_name gin_trgm_ops) WHERE display_name <> ''"
            )
        except Error as error:  # not allowed, not there, or in a schema that is not looked into
            log.warning("no search by a part of a name", why=str(error).strip())


def remove(apps: Any, schema_editor: Any) -> None:
    """Drop the index; the extension may be used by others."""
    schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_INDEX}")


class Migration(migrations.Migration):
    """Add it while everybody goes on."""

    atomic = False
    dependencies: ClassVar[list[tuple[str, str]]] = [
        ("accounts", "0015_find_players_by_the_beginning_of_an_id_or_name"),
    ]
    operations: ClassVar[list[Any]] = [migrations.RunPython(add, remove)]
