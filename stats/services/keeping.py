"""Letting go of what is not needed any more."""

from datetime import datetime, timedelta

from core import shifts
from core.db import run_prepared

EVENTS_KEPT = timedelta(days=14)
_DELETED_AT_ONCE = 5_000
_FORGET = """
WITH gone AS (
    DELETE FROM stats_report WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM stats_report WHERE heard_at < $1::timestamptz ORDER BY heard_at LIMIT $2))
    RETURNING 1
)
SELECT count(*) FROM gone
"""


def forget_events(*, now: datetime) -> int:
    """Delete the events of reports older than EVENTS_KEPT, in short transactions; return how many."""
    deleted = 0
    while not shifts.is_over() and (batch := _forget_some(now - EVENTS_KEPT)):
        deleted += batch
    return deleted


def _forget_some(before: datetime) -> int:
    deleted: int = run_prepared(_FORGET, [before, _DELETED_AT_ONCE])[0][0]
    return deleted
