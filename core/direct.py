"""A way to PostgreSQL beside Django's and its pool, for who watches it: an answer comes in time, or not at all."""

from collections.abc import Sequence
from contextlib import suppress
from threading import Lock
from typing import Any, Protocol

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections
from psycopg.rows import tuple_row

from core.deadlines import DeadlineConnection, deadline

CONNECTS_WITHIN_S = 2  # the least that libpq takes
AWAY = (psycopg.Error, OSError)


class Ask(Protocol):
    """A way to ask: statements with PostgreSQL's own placeholders (`$1`), rows as answers."""

    def __call__(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows. Raises one of AWAY."""


class Direct:
    """A connection of its own, opened when it is needed and kept; each statement is a transaction of its own.

    One that looks whether PostgreSQL answers must not wait for its turn in a pool that is busy.
    """

    def __init__(self, using: str = DEFAULT_DB_ALIAS, *, within_s: float) -> None:
        """Connect later; an answer may take `within_s`."""
        self._using = using
        self._within_s = within_s
        self._lock = Lock()
        self._connection: psycopg.Connection[Any] | None = None

    def ask(self, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return the rows. Raises one of AWAY."""
        with self._lock:
            if self._connection is None or self._connection.closed:
                self._connection = self._connect()
            try:
                return self._rows(self._connection, sql, params)
            except psycopg.OperationalError:
                # It may be from before PostgreSQL was started again, which only who asks finds out.
                if not self._connection.closed:
                    raise
            self._connection = None
            self._connection = self._connect()
            return self._rows(self._connection, sql, params)

    @property
    def is_open(self) -> bool:
        """Say whether the last question was answered, be it by a refusal."""
        return self._connection is not None and not self._connection.closed

    def close(self) -> None:
        """Let go."""
        if self._connection is not None:
            with suppress(*AWAY):
                self._connection.close()

    def _rows(
        self, connection: psycopg.Connection[Any], sql: str, params: Sequence[Any]
    ) -> list[tuple[Any, ...]]:
        with deadline(self._within_s):
            cursor = psycopg.RawCursor(connection, row_factory=tuple_row)
            cursor.execute(sql, params)
            return cursor.fetchall()

    def _connect(self) -> psycopg.Connection[Any]:
        params = connections[self._using].get_connection_params()
        params = {**params, "autocommit": True, "connect_timeout": CONNECTS_WITHIN_S}
        params.pop("cursor_factory", None)
        params.pop("context", None)
        return DeadlineConnection.connect(**params)
