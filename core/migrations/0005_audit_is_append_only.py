"""The audit log takes new entries only."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("core", "0004_audit_entries")]
    operations = [
        migrations.RunSQL(
            """
            CREATE FUNCTION core_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN
                RAISE EXCEPTION 'The audit log takes new entries only: % is refused.', TG_OP
                    USING ERRCODE = 'restrict_violation';
            END $$;
            CREATE TRIGGER audit_is_append_only BEFORE UPDATE OR DELETE ON core_auditentry
                FOR EACH STATEMENT EXECUTE FUNCTION core_audit_is_append_only();
            """,
            """
            DROP TRIGGER audit_is_append_only ON core_auditentry;
            DROP FUNCTION core_audit_is_append_only();
            """,
        ),
    ]
