"""Every version of a definition is kept: rows are added, and of one only who it was by may be erased."""

import django.db.models.deletion
from django.db import migrations, models

APPEND_ONLY = """
    CREATE FUNCTION achievements_versions_are_kept() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        kept achievements_definitionversion;
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            kept := NEW;
            kept.actor := OLD.actor;
            IF NEW.actor = 'erased' AND kept IS NOT DISTINCT FROM OLD THEN
                RETURN NEW;
            END IF;
        END IF;
        RAISE EXCEPTION 'Versions of definitions are kept: % is refused.', TG_OP USING ERRCODE = 'restrict_violation';
    END $$;
    CREATE TRIGGER versions_are_kept BEFORE UPDATE OR DELETE ON achievements_definitionversion
        FOR EACH ROW EXECUTE FUNCTION achievements_versions_are_kept();
"""
NOTHING = """
    DROP TRIGGER versions_are_kept ON achievements_definitionversion;
    DROP FUNCTION achievements_versions_are_kept();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0014_keys_are_rotated_and_say_when_they_were_used"),
        ("achievements", "0014_holders_by_index"),
    ]

    operations = [
        migrations.CreateModel(
            name="DefinitionVersion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("achievement_id", models.BigIntegerField(help_text="It stays when a draft is deleted.")),
                (
                    "before",
                    models.JSONField(help_text="The whole definition; null: there was none.", null=True),
                ),
                (
                    "after",
                    models.JSONField(help_text="The whole definition; null: it was deleted.", null=True),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("api", "Api"),
                            ("portal", "Portal"),
                            ("import", "Import"),
                            ("restore", "Restore"),
                            ("order", "Order"),
                        ],
                        max_length=8,
                    ),
                ),
                (
                    "actor",
                    models.CharField(
                        help_text="`key:<uuid>`, `user:<e-mail address>` or `platform`.", max_length=254
                    ),
                ),
                ("at", models.DateTimeField()),
                (
                    "game",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="accounts.game",
                    ),
                ),
            ],
            options={
                "indexes": [models.Index(fields=["achievement_id", "-id"], name="versions_of_definition")],
            },
        ),
        migrations.RunSQL(APPEND_ONLY, NOTHING),
    ]
