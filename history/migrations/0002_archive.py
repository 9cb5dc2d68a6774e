"""The list of what was archived."""

from typing import ClassVar

from django.db import migrations


class Migration(migrations.Migration):
    """Make the table: a file that has no row in it is somebody's who did not come to an end."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("history", "0001_rollups")]
    operations: ClassVar[list[migrations.RunSQL]] = [
        migrations.RunSQL(
            "CREATE TABLE history_archive (family text NOT NULL, level text NOT NULL, begin date NOT NULL,"
            " part integer NOT NULL, rows bigint NOT NULL, bytes bigint NOT NULL, archived_at timestamptz NOT NULL,"
            " PRIMARY KEY (family, level, begin, part))",
            "DROP TABLE history_archive",
        ),
    ]
