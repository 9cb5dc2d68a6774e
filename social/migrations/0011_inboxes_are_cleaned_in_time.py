"""Clean inboxes and presence while there is little to clean."""

from typing import ClassVar

from django.db import migrations

# By default a fifth of a table may be dead before it is cleaned: millions of rows; counters and
# presence change with all that a player does, what is read is deleted by the million.
_VACUUM = {
    "social_inboxcounter": "autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02",
    "social_presence": "autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02",
    "social_notification": "autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02",
}
_RESET = "autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor"


class Migration(migrations.Migration):
    """What autovacuum waits for; nobody waits for this change."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("social", "0010_a_joined_player_s_inbox_takes_nothing")]
    operations: ClassVar[list[migrations.RunSQL]] = [
        migrations.RunSQL(f"ALTER TABLE {table} SET ({settings})", f"ALTER TABLE {table} RESET ({_RESET})")
        for table, settings in _VACUUM.items()
    ]
