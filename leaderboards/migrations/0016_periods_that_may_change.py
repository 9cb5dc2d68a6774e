"""Find periods that turn among all that are final; no query could use the index that was there."""

from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    """The new indexes stand before the old one goes."""

    atomic = False
    dependencies: ClassVar[list[tuple[str, str]]] = [("leaderboards", "0015_old_rows_are_found")]
    operations: ClassVar[list[Operation]] = [
        AddIndexConcurrently(
            "period",
            models.Index(
                fields=["id"],
                name="periods_that_may_change",
                condition=models.Q(state__in=["open", "finalising"]),
            ),
        ),
        AddIndexConcurrently(
            "period",
            models.Index(
                fields=["id"],
                name="final_periods_to_hash",
                condition=models.Q(state="final", standings_hash__isnull=True),
            ),
        ),
        RemoveIndexConcurrently("period", "periods_that_will_end"),
    ]
