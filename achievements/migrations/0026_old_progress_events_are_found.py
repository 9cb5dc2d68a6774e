"""Find old events of progress by an index that stays exact as their room is taken again."""

from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    """The new index stands before the old one goes."""

    atomic = False
    dependencies: ClassVar[list[tuple[str, str]]] = [("achievements", "0025_totals_are_cleaned_in_time")]
    operations: ClassVar[list[Operation]] = [
        AddIndexConcurrently(
            "progressevent", models.Index(fields=["heard_at"], name="progress_events_in_time")
        ),
        RemoveIndexConcurrently("progressevent", "progress_events_by_time"),
    ]
