"""Erasures and their ledger; who was erased takes nothing, as who was joined to another (migration 0009)."""

import django.db.models.deletion
from django.db import migrations, models

import core.ids

_KEEP = """
CREATE OR REPLACE FUNCTION accounts_require_present(wanted bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(19532, (wanted % 64)::integer);
    IF EXISTS (SELECT FROM accounts_joinedplayer WHERE player_id = $1)
       OR EXISTS (SELECT FROM accounts_erasure WHERE player_id = $1 AND is_whole) THEN
        RAISE EXCEPTION 'this player was joined to another, or erased' USING ERRCODE = 'serialization_failure';
    END IF;
END $$;
CREATE OR REPLACE FUNCTION a_joined_player_takes_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(19532, (NEW.player_id % 64)::integer);
    IF EXISTS (SELECT FROM accounts_joinedplayer WHERE player_id = NEW.player_id)
       OR EXISTS (SELECT FROM accounts_erasure WHERE player_id = NEW.player_id AND is_whole) THEN
        RAISE EXCEPTION 'this player was joined to another, or erased' USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN NULL;
END $$;
"""
_AS_BEFORE = """
CREATE OR REPLACE FUNCTION accounts_require_present(wanted bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(19532, (wanted % 64)::integer);
    IF EXISTS (SELECT FROM accounts_joinedplayer WHERE player_id = wanted) THEN
        RAISE EXCEPTION 'this player was joined to another' USING ERRCODE = 'serialization_failure';
    END IF;
END $$;
CREATE OR REPLACE FUNCTION a_joined_player_takes_nothing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock_shared(19532, (NEW.player_id % 64)::integer);
    IF EXISTS (SELECT FROM accounts_joinedplayer WHERE player_id = NEW.player_id) THEN
        RAISE EXCEPTION 'this player was joined to another' USING ERRCODE = 'serialization_failure';
    END IF;
    RETURN NULL;
END $$;
"""


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
        migrations.RunSQL(_KEEP, _AS_BEFORE),
    ]
