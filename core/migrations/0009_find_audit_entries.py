"""An index for each way of asking, newest first, and one of what is not sealed yet."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

NEWEST_FIRST = (models.F("at").desc(), models.F("id").desc())


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("core", "0008_audit_entries_are_sealed")]
    operations = [
        AddIndexConcurrently("auditentry", models.Index("studio_id", *NEWEST_FIRST, name="audit_in_time")),
        AddIndexConcurrently(
            "auditentry", models.Index("studio_id", "actor", *NEWEST_FIRST, name="audit_by_actor")
        ),
        AddIndexConcurrently(
            "auditentry", models.Index("studio_id", "action", *NEWEST_FIRST, name="audit_by_action")
        ),
        AddIndexConcurrently(
            "auditentry", models.Index("studio_id", "object_id", *NEWEST_FIRST, name="audit_by_object")
        ),
        AddIndexConcurrently(
            "auditentry",
            models.Index(fields=["id"], condition=models.Q(number=None), name="audit_not_sealed"),
        ),
        RemoveIndexConcurrently("auditentry", "audit_of_studio"),
    ]
