"""When server keys were used last: exact to the minute, and nearly no request pays for it.

A process notes in memory that it has said so; one request a minute and key says it again, by one statement that waits
for nobody. A key that stands in the table as used half a minute ago is left alone: there are many processes.
"""

import time

import structlog
from django.db import Error
from psycopg_pool import PoolTimeout

from core.db import run_prepared

log = structlog.get_logger(__name__)

NOTED_EVERY_S = 60.0
_MOST_NOTED = 10_000  # as many keys as a process keeps
_due: dict[int, float] = {}

_NOTE = """
    UPDATE accounts_serverkey SET last_used_at = now() WHERE id = (
        SELECT id FROM accounts_serverkey
         WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '30 seconds')
           FOR NO KEY UPDATE SKIP LOCKED)
"""


def note(key_id: int) -> None:
    """Note that a key is used now. A database that does not take it is no reason to refuse the request."""
    now = time.monotonic()
    if now < _due.get(key_id, 0.0):
        return
    if len(_due) >= _MOST_NOTED:
        _due.clear()
    _due[key_id] = now + NOTED_EVERY_S
    try:
        run_prepared(_NOTE, [key_id])
    except (Error, PoolTimeout) as error:
        log.warning("last use of a key not noted", key=key_id, error=str(error).strip().split("\n")[0])


def forget() -> None:
    """Say of every key again that it is used (between tests)."""
    _due.clear()
