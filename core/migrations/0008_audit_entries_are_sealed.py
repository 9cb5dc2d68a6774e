"""The audit log takes new entries, and of an entry its seal and an erasure; everything else is refused.

A proof of 16 bytes stands beside a text, one of 32 in place of it (core/audit/seals.py).
"""

from django.db import migrations, models

SEALS_AND_ERASURES = """
    CREATE OR REPLACE FUNCTION core_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        kept core_auditentry;
    BEGIN
        IF TG_OP = 'UPDATE' THEN
            kept := NEW;
            IF OLD.number IS NULL AND NEW.number > 0 AND octet_length(NEW.hash) = 32 THEN
                kept.number := NULL;
                kept.hash := NULL;
            END IF;
            IF octet_length(OLD.actor_proof) = 16 AND octet_length(NEW.actor_proof) = 32 AND NEW.actor = 'erased' THEN
                kept.actor := OLD.actor;
                kept.actor_proof := OLD.actor_proof;
            END IF;
            IF octet_length(OLD.content_proof) = 16 AND octet_length(NEW.content_proof) = 32
               AND NEW.object_id = 'erased' AND NEW.reason = '' AND NEW.details = '{}' THEN
                kept.object_id := OLD.object_id;
                kept.reason := OLD.reason;
                kept.details := OLD.details;
                kept.content_proof := OLD.content_proof;
            END IF;
            IF kept IS NOT DISTINCT FROM OLD THEN
                RETURN NEW;
            END IF;
        END IF;
        RAISE EXCEPTION 'The audit log takes new entries only: % is refused.', TG_OP
            USING ERRCODE = 'restrict_violation';
    END $$;
    DROP TRIGGER audit_is_append_only ON core_auditentry;
    CREATE TRIGGER audit_is_append_only BEFORE DELETE ON core_auditentry
        FOR EACH STATEMENT EXECUTE FUNCTION core_audit_is_append_only();
    CREATE TRIGGER audit_takes_seals BEFORE UPDATE ON core_auditentry
        FOR EACH ROW EXECUTE FUNCTION core_audit_is_append_only();
"""
NOTHING = """
    DROP TRIGGER audit_takes_seals ON core_auditentry;
    DROP TRIGGER audit_is_append_only ON core_auditentry;
    CREATE OR REPLACE FUNCTION core_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        RAISE EXCEPTION 'The audit log takes new entries only: % is refused.', TG_OP
            USING ERRCODE = 'restrict_violation';
    END $$;
    CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON core_auditentry
        FOR EACH STATEMENT EXECUTE FUNCTION core_audit_is_append_only();
"""


class Migration(migrations.Migration):
    dependencies = [("core", "0007_mark_older_audit_entries")]
    operations = [
        migrations.AlterField("auditentry", "actor_proof", models.BinaryField(editable=False)),
        migrations.AlterField("auditentry", "content_proof", models.BinaryField(editable=False)),
        migrations.AlterField("auditentry", "mark", models.BinaryField(editable=False, unique=True)),
        migrations.AddConstraint(
            "auditentry",
            models.UniqueConstraint(fields=["studio_id", "number"], name="one_audit_entry_per_number"),
        ),
        migrations.RunSQL(SEALS_AND_ERASURES, NOTHING),
    ]
