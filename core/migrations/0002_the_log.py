"""The fact log: partitioned by day, read in the order (tx, id)."""

from datetime import UTC, datetime
from typing import Any

from django.db import migrations


def make_first_days(apps: Any, schema_editor: Any) -> None:
    """Make the tables of today and the next days."""
    from core.log_keeping import make_partitions

    make_partitions(today=datetime.now(tz=UTC).date())


class Migration(migrations.Migration):
    dependencies = [("core", "0001_initial")]
    operations = [
        migrations.RunSQL(
            """
            CREATE TABLE core_fact (
                id bigint GENERATED ALWAYS AS IDENTITY,
                tx xid8 NOT NULL DEFAULT pg_current_xact_id(),
                at timestamptz NOT NULL DEFAULT now(),
                kind text NOT NULL,
                studio_id bigint,
                size integer NOT NULL,
                payload json NOT NULL
            ) PARTITION BY RANGE (at);
            CREATE INDEX core_fact_order ON core_fact (tx, id);
            -- Takes what no day was made for (Beat was away for days), so that nothing fails for want of a table.
            CREATE TABLE core_fact_other PARTITION OF core_fact DEFAULT;
            """,
            "DROP TABLE core_fact",
        ),
        migrations.RunPython(make_first_days, migrations.RunPython.noop),
    ]
