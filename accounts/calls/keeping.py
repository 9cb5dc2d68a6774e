"""The request log's days: made ahead, and dropped after a week."""

from datetime import datetime, timedelta
from typing import Final

from django.db import connection

from core import days
from core.patience import TRIES

TABLE: Final = "accounts_call"
KEPT: Final = timedelta(days=7)
COUNTS_KEPT: Final = timedelta(days=731)


def keep(*, now: datetime, tries: int = TRIES) -> list[str]:
    """Make coming days and drop those that are over; return the names of these. Two at once do no harm.

    A day that somebody looks at stays until the next time: whoever noted calls meanwhile would wait behind us.
    """
    days.make(TABLE, today=now.date(), tries=tries)
    over = [name for name, day in days.listed(TABLE) if day < (now - KEPT).date()]
    gone = [name for name in over if days.drop(TABLE, name, tries=tries)]
    with connection.cursor() as cursor:
        cursor.execute(f"DELETE FROM {TABLE}_other WHERE at < %s", [now - KEPT])  # noqa: S608 - a name of ours
        cursor.execute("DELETE FROM accounts_callcount WHERE day < %s", [(now - COUNTS_KEPT).date()])
    return gone
