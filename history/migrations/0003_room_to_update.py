"""Tables of rollups leave room in their pages: a row that is added to stays where it is, and so does its index."""

from typing import ClassVar

from django.db import migrations

_EACH = """
DO $$
DECLARE made regclass;
BEGIN
    FOR made IN SELECT i.inhrelid FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhparent
                 WHERE p.relkind = 'p' AND p.relnamespace = current_schema()::regnamespace
                   AND p.relname ~ '^history_(activity|stat)_(hour|day|week|month)$'
    LOOP
        EXECUTE format('ALTER TABLE %s {change}', made);
    END LOOP;
END $$
"""


class Migration(migrations.Migration):
    """Set it for the tables that are there; history/partitions.py makes new ones so."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("history", "0002_archive")]
    operations: ClassVar[list[migrations.RunSQL]] = [
        migrations.RunSQL(
            _EACH.format(change="SET (fillfactor = 70)"),
            reverse_sql=_EACH.format(change="RESET (fillfactor)"),
        )
    ]
