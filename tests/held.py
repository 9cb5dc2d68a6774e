"""Holding up whoever reads a table, to see what he holds meanwhile."""

import time
from _thread import LockType
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread

import psycopg
from django.db import connection

from tests.patience import LONG_S


@contextmanager
def held(table: str, *, mode: str = "ACCESS EXCLUSIVE") -> Iterator[None]:
    """Lock a table for somebody else until the block ends; as it is, nobody reads it."""
    with psycopg.connect(**connection.get_connection_params()) as other:
        other.execute(f"LOCK TABLE {table} IN {mode} MODE")
        yield
        other.rollback()


def waits_for(lock: LockType, act: Callable[[], object]) -> bool:
    """Say whether something that threads do waits for a lock of this process; it is done by then."""
    thread = Thread(target=act)
    with lock:
        thread.start()
        thread.join(0.2)
        is_waiting = thread.is_alive()
    thread.join()
    return is_waiting


def until_somebody_waits() -> None:
    """Return once a session waits for a lock of another one."""
    deadline = time.monotonic() + LONG_S
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(
                "SELECT EXISTS (SELECT FROM pg_stat_activity"
                " WHERE wait_event_type = 'Lock' AND datname = current_database())"
            )
            if cursor.fetchone()[0]:
                return
            time.sleep(0.01)
    raise AssertionError("nobody waits for a lock")


def ids_of_who_waits(table: str) -> list[str | None]:
    """Return the transaction ids of those who wait for a table, once somebody does; None: he has none."""
    deadline = time.monotonic() + LONG_S
    with connection.cursor() as cursor:
        while time.monotonic() < deadline:
            cursor.execute(
                "SELECT a.backend_xid::text FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                " WHERE NOT l.granted AND l.relation = %s::regclass",
                [table],
            )
            if rows := cursor.fetchall():
                return [row[0] for row in rows]
            time.sleep(0.01)
    raise AssertionError(f"nobody waits for {table}")
