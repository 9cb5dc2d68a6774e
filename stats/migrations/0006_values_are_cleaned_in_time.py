"""Clean values while there is little to clean."""

from typing import ClassVar

from django.db import migrations

# By default a fifth of a table may be dead before it is cleaned: millions of rows of players who
# report again and again.
_VACUUM = {
    "stats_statvalue": "autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02",
    "stats_playtime": "autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02",
}
_RESET = "autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor"


class Migration(migrations.Migration):
    """What autovacuum waits for; nobody waits for this change."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("stats", "0005_a_joined_player_takes_nothing")]
    operations: ClassVar[list[migrations.RunSQL]] = [
        migrations.RunSQL(f"ALTER TABLE {table} SET ({settings})", f"ALTER TABLE {table} RESET ({_RESET})")
        for table, settings in _VACUUM.items()
    ]
