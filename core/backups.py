"""What is known of backups: when a base backup was taken last, and whether the write-ahead log is kept since."""

from collections.abc import Iterator
from datetime import datetime

from prometheus_client.core import Metric

from core.db import run_prepared
from core.direct import Ask
from core.metrics.installation import counter, gauge
from core.models import Backup

_NEWEST = "SELECT extract(epoch FROM max(finished_at))::float8 FROM core_backup"
# A server that has kept nothing yet is as far behind as it runs. One that follows another keeps nothing.
_ARCHIVER = """
SELECT CASE WHEN current_setting('archive_mode') <> 'off' AND NOT pg_is_in_recovery()
            THEN extract(epoch FROM clock_timestamp() - coalesce(last_archived_time, pg_postmaster_start_time()))
       END::float8, failed_count
  FROM pg_stat_archiver
"""


def figures(ask: Ask) -> Iterator[Metric]:
    """Tell how well a restore would go: of a base backup if there is one, of the log where PostgreSQL itself keeps it.

    How old the newest piece of the log is, is about what would be lost with the disk.
    """
    finished_at = ask(_NEWEST)[0][0]
    if finished_at is not None:
        yield gauge(
            "laurel_backup_last_success_timestamp_seconds",
            "When the newest base backup was finished.",
            finished_at,
        )
    lag_s, failures = ask(_ARCHIVER)[0]
    if lag_s is not None:
        yield gauge(
            "laurel_wal_archive_lag_seconds",
            "Age of the newest piece of the write-ahead log that is kept.",
            lag_s,
        )
        yield counter(
            "laurel_wal_archive_failures",
            "Pieces of the write-ahead log that could not be kept.",
            failures,
        )


def wal_lag_s() -> float | None:
    """Return how old the newest piece of the log is that is kept; None where PostgreSQL itself keeps none."""
    lag: float | None = run_prepared(_ARCHIVER, [])[0][0]
    return lag


def note(name: str, *, size: int, at: datetime) -> None:
    """Note that a base backup was taken whole."""
    Backup.objects.create(name=name, size=size, finished_at=at)
