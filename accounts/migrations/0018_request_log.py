"""The request log: calls, partitioned by day, and how many there were."""

from datetime import UTC, datetime
from typing import Any

from django.db import migrations, models


def make_first_days(apps: Any, schema_editor: Any) -> None:
    """Make the tables of today and the next days."""
    from core import days

    days.make("accounts_call", today=datetime.now(tz=UTC).date())


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0017_find_whom_somebody_was_joined_to"),
    ]

    operations = [
        migrations.CreateModel(
            name="Call",
            fields=[
                ("id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("at", models.DateTimeField()),
                ("noted_at", models.DateTimeField()),
                ("studio_id", models.BigIntegerField()),
                ("key_id", models.BigIntegerField(null=True)),
                ("game", models.UUIDField(null=True)),
                ("method", models.TextField()),
                ("route", models.TextField()),
                ("path", models.TextField()),
                ("status", models.SmallIntegerField()),
                ("slug", models.TextField()),
                ("detail", models.TextField()),
                (
                    "errors",
                    models.TextField(help_text="JSON: a list of objects with `pointer` and `detail`."),
                ),
                ("weight", models.IntegerField()),
                ("is_summary", models.BooleanField()),
                ("duration_us", models.IntegerField(null=True)),
                ("request_id", models.TextField()),
                ("address", models.TextField()),
                ("body", models.TextField()),
                ("body_bytes", models.IntegerField(null=True)),
            ],
            options={
                "db_table": "accounts_call",
                "managed": False,
            },
        ),
        migrations.CreateModel(
            name="CallCount",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "studio_id",
                        "day",
                        "ending",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("studio_id", models.BigIntegerField()),
                ("day", models.DateField()),
                (
                    "ending",
                    models.CharField(
                        choices=[
                            ("ok", "Ok"),
                            ("refused", "Refused"),
                            ("failed", "Failed"),
                            ("missed", "Missed"),
                        ],
                        max_length=8,
                    ),
                ),
                ("count", models.BigIntegerField()),
            ],
        ),
        migrations.RunSQL(
            """
            CREATE TABLE accounts_call (
                id bigint GENERATED ALWAYS AS IDENTITY,
                at timestamptz NOT NULL,
                noted_at timestamptz NOT NULL DEFAULT now(),
                studio_id bigint NOT NULL,
                key_id bigint,
                game uuid,
                method text NOT NULL,
                route text NOT NULL,
                path text NOT NULL,
                status smallint NOT NULL,
                slug text NOT NULL,
                detail text NOT NULL,
                errors text NOT NULL,
                weight integer NOT NULL CHECK (weight > 0),
                is_summary boolean NOT NULL,
                duration_us integer,
                request_id text NOT NULL,
                address text NOT NULL,
                body text NOT NULL,
                body_bytes integer
            ) PARTITION BY RANGE (at);
            CREATE INDEX calls_of_studio ON accounts_call (studio_id, id);
            CREATE INDEX calls_by_problem ON accounts_call (studio_id, slug, id);
            CREATE INDEX calls_by_request ON accounts_call (studio_id, request_id, id);
            -- Takes what no day was made for (Beat was away for days), so that nothing fails for want of a table.
            CREATE TABLE accounts_call_other PARTITION OF accounts_call DEFAULT;
            """,
            "DROP TABLE accounts_call",
        ),
        migrations.RunPython(make_first_days, migrations.RunPython.noop),
    ]
