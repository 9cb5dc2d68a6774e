"""Turns that one process has at a time, for as long as its work may take: rows, since a connection is nobody's own.

PgBouncer in transaction mode gives each statement another of the server's sessions: a lock of a session would be taken
in one, given back in another, and held by the first for ever.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from django.db import connection

from core.ids import new_id

_TAKE = """
    INSERT INTO core_lease (name, holder, until) VALUES (%(name)s, %(holder)s, clock_timestamp() + %(lasts)s)
    ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
     WHERE core_lease.until <= clock_timestamp()
"""
_GIVE_BACK = "UPDATE core_lease SET until = clock_timestamp() WHERE name = %(name)s AND holder = %(holder)s"


@contextmanager
def turn(name: str, *, lasts: timedelta) -> Iterator[bool]:
    """Yield whether it is our turn, until the block ends; `lasts` is when whoever has it is taken for dead.

    Work must end before that by itself. Clocks of machines have no say: PostgreSQL's is asked.
    """
    held: dict[str, Any] = {"name": name, "holder": new_id(), "lasts": lasts}
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, held)
        is_ours = cursor.rowcount == 1
    try:
        yield is_ours
    finally:
        if is_ours:
            with connection.cursor() as cursor:
                cursor.execute(_GIVE_BACK, held)
