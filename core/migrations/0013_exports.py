"""Files made in the background, and their pieces."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0012_find_a_studios_facts"),
    ]

    operations = [
        migrations.CreateModel(
            name="ExportJob",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("uuid", models.UUIDField(unique=True)),
                ("studio_id", models.BigIntegerField()),
                ("kind", models.CharField(max_length=64)),
                ("about", models.JSONField(default=dict)),
                ("title", models.CharField(max_length=200)),
                ("file_name", models.CharField(max_length=200)),
                ("actor", models.TextField()),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("queued", "Queued"),
                            ("running", "Running"),
                            ("done", "Done"),
                            ("failed", "Failed"),
                        ],
                        default="queued",
                        max_length=8,
                    ),
                ),
                ("after", models.JSONField(null=True)),
                ("pieces", models.IntegerField(default=0)),
                ("rows", models.BigIntegerField(default=0)),
                ("size", models.BigIntegerField(default=0)),
                ("percent", models.SmallIntegerField(default=0)),
                ("tries", models.SmallIntegerField(default=0)),
                ("error", models.TextField(default="")),
                ("created_at", models.DateTimeField()),
                ("worked_at", models.DateTimeField(null=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("expires_at", models.DateTimeField(db_index=True)),
            ],
            options={
                "indexes": [
                    models.Index(
                        models.F("studio_id"),
                        models.OrderBy(models.F("created_at"), descending=True),
                        name="exports_of_studio",
                    )
                ],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state__in", ["queued", "running"])),
                        fields=("studio_id", "kind"),
                        name="one_export_at_a_time",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("percent__range", (0, 100))), name="percent_of_an_export"
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="ExportPiece",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "job_id", "number", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("number", models.IntegerField()),
                ("packed", models.BinaryField()),
                (
                    "job",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="core.exportjob",
                    ),
                ),
            ],
        ),
    ]
