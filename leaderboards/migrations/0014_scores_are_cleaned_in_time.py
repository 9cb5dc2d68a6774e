"""Clean scores while there is little to clean."""

from typing import ClassVar

from django.db import migrations

# By default a fifth of a table may be dead before it is cleaned: millions of rows, and as many
# entries of the index by which they are ordered.
_VACUUM = {
    "leaderboards_score": "autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02",
}
_RESET = "autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor"


class Migration(migrations.Migration):
    """What autovacuum waits for; nobody waits for this change."""

    dependencies: ClassVar[list[tuple[str, str]]] = [
        ("leaderboards", "0013_flagged_scores_stay_in_their_game")
    ]
    operations: ClassVar[list[migrations.RunSQL]] = [
        migrations.RunSQL(f"ALTER TABLE {table} SET ({settings})", f"ALTER TABLE {table} RESET ({_RESET})")
        for table, settings in _VACUUM.items()
    ]
