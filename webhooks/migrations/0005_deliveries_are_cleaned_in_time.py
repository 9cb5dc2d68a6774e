"""Clean the queue of deliveries while there is little to clean."""

from typing import ClassVar

from django.db import migrations

# By default a fifth of a table may be dead before it is cleaned: of a queue, that is all that came
# after an outage. Each delivery is written twice and moves in its index; a thousand dead ones are what a look skips.
_VACUUM = {
    "webhooks_delivery": "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_analyze_scale_factor = 0.1",
    "webhooks_attempt": "autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000, autovacuum_analyze_scale_factor = 0.1",
}
_RESET = "autovacuum_vacuum_scale_factor, autovacuum_analyze_scale_factor, autovacuum_vacuum_threshold"


class Migration(migrations.Migration):
    """What autovacuum waits for; nobody waits for this change."""

    dependencies: ClassVar[list[tuple[str, str]]] = [("webhooks", "0004_deliveries_know_their_trace")]
    operations: ClassVar[list[migrations.RunSQL]] = [
        migrations.RunSQL(f"ALTER TABLE {table} SET ({settings})", f"ALTER TABLE {table} RESET ({_RESET})")
        for table, settings in _VACUUM.items()
    ]
