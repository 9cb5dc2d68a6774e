"""What a process asks once, before it takes anything: whether PostgreSQL keeps what it acknowledges, and may be used.

To who answers requests, one that is away is no reason to stay away, too: /readyz goes on asking. Who works through the
log waits for it, and for its migrations: nobody asks him again, and what he can't apply he would bury.
"""

import signal
import time
from typing import Final

import structlog
from django.conf import settings

from core import direct, reopening
from core.dependencies import Migrated, other_time_outs, unsafe_settings
from core.direct import Direct

log = structlog.get_logger(__name__)

_ANSWERS_WITHIN_S: Final = 2.0
_ASKS_EVERY_S: Final = 1.0


def wait_for_postgresql() -> None:
    """Wait until PostgreSQL answers and has what this version migrates; end this process as `require_safe_postgresql`.

    A newer version's migrations are no reason to wait: they let older code go on (ADR 0072).
    """
    way = Direct(within_s=_ANSWERS_WITHIN_S)
    migrated, is_told = Migrated(), False
    before = signal.signal(signal.SIGTERM, _end)
    try:
        while not (require_safe_postgresql() and _holds(migrated, way)):
            if not is_told:
                log.warning("waiting for PostgreSQL and its migrations")
            is_told = True
            time.sleep(_ASKS_EVERY_S)
    finally:
        signal.signal(signal.SIGTERM, before)
        way.close()


def _end(*_: object) -> None:
    """End this process. The first one of a container is not ended by a signal that it does not listen for."""
    raise SystemExit(0)


def _holds(migrated: Migrated, way: Direct) -> bool:
    try:
        return migrated.holds(way.ask)
    except direct.AWAY:  # or there is no table of them yet
        return False


def require_safe_postgresql() -> bool:
    """End this process where PostgreSQL may lose what it has acknowledged, or was restored and not opened again.

    Where nobody else reaches the instance, what it acknowledged may be lost. Returns False where PostgreSQL does not
    answer, or has none of our tables yet.
    """
    way = Direct(within_s=_ANSWERS_WITHIN_S)
    try:
        off = unsafe_settings(way.ask) if settings.IN_PRODUCTION else []
        is_open = reopening.is_open(way.ask)
        others = other_time_outs(way.ask)
    except direct.AWAY:
        log.warning("PostgreSQL does not answer yet: whether it keeps what it acknowledges is not known")
        return False
    finally:
        way.close()
    if others:
        log.warning("PgBouncer gives this process other time-outs than it has", ms=others)
    if not is_open:
        raise SystemExit(
            "Laurel does not start. This database was restored: people who were erased since would be back, and boards "
            "would show what never happened. Run `manage.py reopen`, which sees to that, and start again."
        )
    if off:
        named = " and ".join(off)
        raise SystemExit(
            f"Laurel does not start. PostgreSQL runs with {named} off: a power cut would lose what players were told "
            f"is theirs. Set {named} = on in postgresql.conf (or ALTER SYSTEM), reload it, and start again."
        )
    return True
