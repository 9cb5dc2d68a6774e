"""The inbox and its counters."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    initial = True
    dependencies = []
    operations = [
        migrations.CreateModel(
            name="InboxCounter",
            fields=[
                ("player_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("last_seq", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="Notification",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "player_id", "seq", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("player_id", models.BigIntegerField()),
                ("seq", models.BigIntegerField()),
                ("uuid", models.UUIDField()),
                ("kind", models.TextField(help_text="The event's type.")),
                ("game_id", models.BigIntegerField(null=True)),
                ("studio_id", models.BigIntegerField(null=True)),
                (
                    "payload",
                    models.TextField(
                        help_text="The event's data as it was pushed: JSON, which is only read."
                    ),
                ),
                (
                    "created_at",
                    models.DateTimeField(
                        db_index=True, help_text="When the fact was recorded that is told of."
                    ),
                ),
                ("read_at", models.DateTimeField(null=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(
                        fields=["player_id", "uuid"], name="one_notification_per_player_and_event"
                    ),
                    models.CheckConstraint(condition=Q(seq__gte=1), name="an_inbox_counts_from_one"),
                ],
            },
        ),
        # Room on its page for a counter's next version: an update then touches no index.
        migrations.RunSQL(
            "ALTER TABLE social_inboxcounter SET (fillfactor = 70)",
            "ALTER TABLE social_inboxcounter RESET (fillfactor)",
        ),
    ]
