"""Clean the tables of totals while there is little to clean, and freeze unlocks little by little."""

from typing import ClassVar

from django.db import migrations

# By default a fifth of a table may be dead before it is cleaned: millions of rows, and as many
# entries of indexes, since each unlock changes the points by which totals are ordered. Unlocks only come.
_VACUUM = {
    "achievements_playergame": "autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02",
    "achievements_playertotal": "autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02",
    "achievements_unlock": "autovacuum_vacuum_insert_scale_factor = 0.05, autovacuum_analyze_scale_factor = 0.02",
}
_RESET = (
    "autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor, autovacuum_vacuum_insert_scale_factor"
)


class Migration(migrations.Migration):
    """What autovacuum waits for; nobody waits for this change."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("achievements", "0024_how_fast_players_came")]
    operations: ClassVar[list[migrations.RunSQL]] = [
        migrations.RunSQL(f"ALTER TABLE {table} SET ({settings})", f"ALTER TABLE {table} RESET ({_RESET})")
        for table, settings in _VACUUM.items()
    ]
