"""What a process asks once, before it takes anything: whether PostgreSQL keeps what it acknowledges, and may be used.

One that is away is no reason to stay away, too: /readyz goes on asking.
"""

import structlog
from django.conf import settings

from core import direct, reopening
from core.dependencies import other_time_outs, unsafe_settings
from core.direct import Direct

log = structlog.get_logger(__name__)

_ANSWERS_WITHIN_S = 2.0


def require_safe_postgresql() -> None:
    """End this process where PostgreSQL may lose what it has acknowledged, or was restored and not opened again.

    Where nobody else reaches the instance, what it acknowledged may be lost.
    """
    way = Direct(within_s=_ANSWERS_WITHIN_S)
    try:
        off = unsafe_settings(way.ask) if settings.IN_PRODUCTION else []
        is_open = reopening.is_open(way.ask)
        others = other_time_outs(way.ask)
    except direct.AWAY:
        log.warning("PostgreSQL does not answer yet: whether it keeps what it acknowledges is not known")
        return
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
