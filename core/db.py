"""The hot path's way to PostgreSQL: statements prepared once per connection, without the ORM's layers."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeVar

import psycopg
from django.db import DEFAULT_DB_ALIAS, connection, connections, transaction
from django.db.utils import OperationalError
from psycopg.adapt import AdaptersMap
from psycopg.types.numeric import Int8BinaryDumper, Int8Dumper

from core import slow_queries, tracing

T = TypeVar("T")


class LostRace(Exception):
    """Somebody changed meanwhile what was looked up; the transaction is rolled back, and all is reckoned again."""


# Python's ints always travel as bigint: by their size they would make another prepared statement each time.
_adapters = AdaptersMap(psycopg.adapters)
_adapters.register_dumper(int, Int8Dumper)
_adapters.register_dumper(int, Int8BinaryDumper)
_RETRIES = 3
_CONFLICTS = {"40P01", "40001"}  # deadlock detected, serialization failure


class _HotCursor(psycopg.RawCursor[Any]):
    """A cursor with PostgreSQL's own placeholders (nothing to parse on each call) and bigint integers."""

    @property
    def adapters(self) -> AdaptersMap:
        """The map shared by all of them."""
        return _adapters


def run_prepared(sql: str, params: Sequence[Any], *, using: str = DEFAULT_DB_ALIAS) -> list[tuple[Any, ...]]:
    """Run `sql` with bound parameters on the request's connection to a database and return all rows.

    `sql` has PostgreSQL's placeholders `$1`, `$2` … It takes part in an open transaction, else it is one of its own:
    one round trip, one commit. It is prepared on its connection at first use, where settings allow that.

    Raises:
        django.db.Error: what PostgreSQL refused.

    """
    database = connections[using]
    database.ensure_connection()
    raw: psycopg.Connection[Any] = database.connection
    if database.queries_logged:  # as Django does for its own, where somebody counts them
        database.queries_log.append({"sql": sql.strip(), "time": ""})
    began = time.perf_counter()
    try:
        with database.wrap_database_errors:
            if tracing.recorder is not None and tracing.here() is not None:
                with tracing.statement(sql, raw):
                    return _run(raw, sql, params)
            return _run(raw, sql, params)
    finally:
        if (taken := time.perf_counter() - began) > slow_queries.SLOW_S:
            slow_queries.note(sql, taken)


def _run(raw: "psycopg.Connection[Any]", sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    cursor = _HotCursor(raw)
    cursor.execute(sql, params, prepare=True)
    return [] if cursor.rownumber is None else cursor.fetchall()


def lend_back() -> None:
    """Give this thread's connection back to the pool before it waits for another thread.

    That one may need a connection, and there are fewer of them than threads. In a transaction it is kept.
    """
    is_pooled = getattr(connection, "pool", None) is not None
    if is_pooled and connection.connection is not None and not connection.in_atomic_block:
        connection.close()


def lending(pieces: Iterable[T]) -> Iterator[T]:
    """Yield the pieces of an answer that is sent while it is made, with the connection given back before each.

    Whoever reads slowly would hold it meanwhile, and some dozens of them all there are.
    """
    for piece in pieces:
        lend_back()
        yield piece


def array_literal(values: Iterable[object]) -> str:
    """Return numbers, ids or plain words as PostgreSQL writes an array: psycopg takes ten times as long for many."""
    return "{" + ",".join(map(str, values)) + "}"


def text_array_literal(values: Iterable[str]) -> str:
    """Return any texts as PostgreSQL writes an array."""
    return "{" + ",".join('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in values) + "}"


def retry_conflicts(work: Callable[[], T]) -> T:
    """Run `work` again when it met a deadlock, at most three times; inside a transaction once only."""
    for attempt in range(_RETRIES):
        try:
            return work()
        except OperationalError as error:
            state = getattr(error.__cause__, "sqlstate", None)
            again = state in _CONFLICTS and attempt + 1 < _RETRIES
            if not again or transaction.get_connection().in_atomic_block:
                raise
            time.sleep(0.01 * (attempt + 1))
    raise AssertionError("unreachable")
