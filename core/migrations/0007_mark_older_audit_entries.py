"""Entries that were written before entries were marked: they count as genuine, and the next sealing chains them."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

AT_ONCE = 1000


def mark(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    from core.audit import seals

    model = apps.get_model("core", "AuditEntry")
    schema_editor.execute("ALTER TABLE core_auditentry DISABLE TRIGGER audit_is_append_only")
    after = 0
    while rows := list(model.objects.filter(mark=None, pk__gt=after).order_by("pk")[:AT_ONCE]):
        for row in rows:
            row.actor_proof, row.content_proof = seals.new_salt(), seals.new_salt()
            entry = seals.Written(
                studio_id=row.studio_id,
                at=row.at,
                actor=row.actor,
                action=row.action,
                kind=row.object_kind,
                object_id=row.object_id,
                reason=row.reason,
                details=row.details,
                actor_proof=row.actor_proof,
                content_proof=row.content_proof,
            )
            row.mark = seals.mark(seals.keys()[0], entry)
        model.objects.bulk_update(rows, ["actor_proof", "content_proof", "mark"])
        after = rows[-1].pk
    schema_editor.execute("ALTER TABLE core_auditentry ENABLE TRIGGER audit_is_append_only")


class Migration(migrations.Migration):
    dependencies = [("core", "0006_audit_entries_prove_themselves")]
    operations = [migrations.RunPython(mark, migrations.RunPython.noop)]
