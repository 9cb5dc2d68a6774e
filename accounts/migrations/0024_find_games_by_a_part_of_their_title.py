"""An index of games' titles' trigrams, where the database has pg_trgm (see 0016)."""

from typing import Any, ClassVar

import structlog
from django.db import Error, migrations

log = structlog.get_logger(__name__)
_INDEX = "games_by_part_of_title"


def add(apps: Any, schema_editor: Any) -> None:
    """Make the index, or say why not: titles are gone through then."""
    with schema_editor.connection.cursor() as cursor:
        try:
            cursor.execute(
                f"CREATE INDEX CONCURRENTLY IF NOT EXISTS {_INDEX} ON accounts_game"
                " USING gin (title gin_trgm_ops) WHERE archived_at IS NULL"
            )
        except Error as error:
            log.warning("no index of titles by a part", why=str(error).strip())


def remove(apps: Any, schema_editor: Any) -> None:
    """Drop it."""
    schema_editor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {_INDEX}")


class Migration(migrations.Migration):
    """Add it while everybody goes on."""

    atomic = False
    dependencies: ClassVar[list[tuple[str, str]]] = [("accounts", "0023_what_a_person_chooses")]
    operations: ClassVar[list[Any]] = [migrations.RunPython(add, remove)]
