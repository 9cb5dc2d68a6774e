"""Erasures, and the ledger of names that nobody has any more."""

import django.db.models.deletion
from django.db import migrations, models

import core.ids


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0018_request_log"),
    ]

    operations = [
        migrations.CreateModel(
            name="Erasure",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uuid", models.UUIDField(default=core.ids.new_id, editable=False, unique=True)),
                ("studio_id", models.BigIntegerField()),
                ("player_id", models.BigIntegerField()),
                ("is_whole", models.BooleanField()),
                ("until_tx", models.BigIntegerField()),
                ("asked_at", models.DateTimeField(db_index=True)),
                ("seen_at", models.DateTimeField(null=True)),
                ("looked_at", models.DateTimeField(null=True)),
                ("done_at", models.DateTimeField(null=True)),
                ("error", models.TextField(default="")),
                ("steps", models.JSONField(default=list)),
                ("wanted", models.JSONField(default=dict)),
            ],
            options={
                "indexes": [
                    models.Index(fields=["player_id"], name="erasures_of_player"),
                    models.Index(
                        condition=models.Q(("done_at", None)), fields=["id"], name="erasures_under_way"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ErasedName",
            fields=[
                ("hash", models.BinaryField(primary_key=True, serialize=False)),
                (
                    "erasure",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="names",
                        to="accounts.erasure",
                    ),
                ),
            ],
        ),
    ]
