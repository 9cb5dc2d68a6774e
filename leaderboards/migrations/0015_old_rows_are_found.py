"""Find old submissions, samples and snapshots by indexes that stay exact as their room is taken again."""

from typing import ClassVar

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models
from django.db.migrations.operations.base import Operation


class Migration(migrations.Migration):
    """The new indexes stand before the old ones go."""

    atomic = False
    dependencies: ClassVar[list[tuple[str, str]]] = [("leaderboards", "0014_scores_are_cleaned_in_time")]
    operations: ClassVar[list[Operation]] = [
        AddIndexConcurrently("submission", models.Index(fields=["heard_at"], name="submissions_in_time")),
        RemoveIndexConcurrently("submission", "submissions_by_time"),
        AddIndexConcurrently("ranksample", models.Index(fields=["taken_at"], name="rank_samples_in_time")),
        RemoveIndexConcurrently("ranksample", "rank_samples_by_time"),
        AddIndexConcurrently("snapshot", models.Index(fields=["taken_at"], name="snapshots_in_time")),
    ]
