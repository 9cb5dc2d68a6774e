"""What a process asks once, before it takes anything: whether PostgreSQL keeps what it acknowledges.

One that is away is no reason to stay away, too: /readyz goes on asking.
"""

import structlog
from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from psycopg_pool import PoolTimeout

from core.operations import unsafe_settings

log = structlog.get_logger(__name__)


def require_safe_postgresql() -> None:
    """End this process where others reach the instance and PostgreSQL may lose what it has acknowledged."""
    if not settings.IN_PRODUCTION:
        return
    try:
        off = unsafe_settings()
    except (DatabaseError, InterfaceError, PoolTimeout):
        log.warning("PostgreSQL does not answer yet: whether it keeps what it acknowledges is not known")
        return
    finally:
        connection.close()
    if off:
        named = " and ".join(off)
        raise SystemExit(
            f"Laurel does not start. PostgreSQL runs with {named} off: a power cut would lose what players were told "
            f"is theirs. Set {named} = on in postgresql.conf (or ALTER SYSTEM), reload it, and start again."
        )
