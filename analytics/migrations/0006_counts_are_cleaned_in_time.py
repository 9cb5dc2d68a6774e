"""Clean what is counted while there is little to clean."""

from typing import ClassVar

from django.db import migrations

_TABLES = (
    *("activeday", "gamehour", "gameday", "gameweek", "gamemonth"),
    *("reach", "retention", "achievementday", "boardday"),
)
_SET = "autovacuum_vacuum_scale_factor = 0.02, autovacuum_analyze_scale_factor = 0.02"
_RESET = "autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor"


class Migration(migrations.Migration):
    """What autovacuum waits for (analytics/services/rebuilding.py says the same); nobody waits for this change."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("analytics", "0005_chosen_funnel")]
    operations: ClassVar[list[migrations.RunSQL]] = [
        migrations.RunSQL(
            "".join(f"ALTER TABLE analytics_{table} SET ({_SET});" for table in _TABLES),
            "".join(f"ALTER TABLE analytics_{table} RESET ({_RESET});" for table in _TABLES),
        )
    ]
