"""What is known of backups: when a base backup was taken last, and whether the write-ahead log is kept since."""

from dataclasses import dataclass
from datetime import datetime

from core.db import run_prepared
from core.models import Backup


@dataclass(frozen=True, slots=True)
class Kept:
    """How well a restore would go.

    Attributes:
        backed_up_at: when the newest base backup was finished; None if there is none.
        wal_lag_s: how long ago the newest segment of the write-ahead log was kept, which is about what would be lost
            with the disk; None where PostgreSQL keeps none (it streams it elsewhere, or nobody asked for it).
        wal_failures: how often PostgreSQL could not keep a segment since its counters began.

    """

    backed_up_at: datetime | None
    wal_lag_s: float | None
    wal_failures: int


# A server that has kept nothing yet is as far behind as it runs. One that follows another keeps nothing.
_ARCHIVER = """
SELECT CASE WHEN current_setting('archive_mode') <> 'off' AND NOT pg_is_in_recovery()
            THEN extract(epoch FROM clock_timestamp() - coalesce(last_archived_time, pg_postmaster_start_time()))
       END::float8, failed_count
  FROM pg_stat_archiver
"""


def kept() -> Kept:
    """Return how well a restore would go now, in two queries."""
    lag, failures = run_prepared(_ARCHIVER, [])[0]
    newest = Backup.objects.order_by("-finished_at").values_list("finished_at", flat=True).first()
    return Kept(newest, lag, failures)


def note(name: str, *, size: int, at: datetime) -> None:
    """Note that a base backup was taken whole."""
    Backup.objects.create(name=name, size=size, finished_at=at)
