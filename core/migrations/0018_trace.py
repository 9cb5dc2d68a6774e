"""A fact knows of which trace it came: whoever appends facts says so for his transaction, if he is sampled at all.

The column and its default come one by one, so that no row is written anew, and what is there has none. Its lock is
waited for shortly: everybody who appends waits behind it.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("core", "0017_backups_and_reopenings")]
    operations = [
        migrations.RunSQL(
            """
            SET LOCAL lock_timeout = '2s';
            ALTER TABLE core_fact ADD COLUMN IF NOT EXISTS trace text;
            ALTER TABLE core_fact ALTER COLUMN trace SET DEFAULT nullif(current_setting('laurel.trace', true), '');
            """,
            "ALTER TABLE core_fact DROP COLUMN trace",
            state_operations=[
                migrations.AddField(
                    "fact",
                    "trace",
                    models.TextField(
                        help_text="The `traceparent` of what it came of, if that was sampled; else null.",
                        default="",
                    ),
                    preserve_default=False,
                )
            ],
        )
    ]
