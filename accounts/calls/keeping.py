"""The request log's days: made ahead, and dropped after a week."""

from datetime import datetime, timedelta
from typing import Final

import structlog
from django.db import connection, transaction

from core import days

log = structlog.get_logger(__name__)

TABLE: Final = "accounts_call"
KEPT: Final = timedelta(days=7)
COUNTS_KEPT: Final = timedelta(days=731)


def keep(*, now: datetime) -> list[str]:
    """Make coming days and drop those that are over; return their names. Two at once do no harm: one waits, then skips.

    A day that somebody looks at stays until the next time: whoever noted calls meanwhile would wait behind us.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('accounts.keep_calls', 0))")
        if not cursor.fetchone()[0]:
            return []
        cursor.execute("SET LOCAL lock_timeout = '1s'")
        days.make(TABLE, today=now.date())
        over = [name for name, day in days.listed(TABLE) if day < (now - KEPT).date()]
        for name in over:
            days.drop(name)
            log.info("day dropped", partition=name)
        cursor.execute(f"DELETE FROM {TABLE}_other WHERE at < %s", [now - KEPT])  # noqa: S608 - a name of ours
        cursor.execute("DELETE FROM accounts_callcount WHERE day < %s", [(now - COUNTS_KEPT).date()])
    return over
