"""Heavy reads go to a replica of PostgreSQL while it keeps up, and otherwise to PostgreSQL itself.

How far behind the replica is, each process that reads there measures itself, by positions of the write-ahead log: it
notes where PostgreSQL is, and looks which of these positions the replica has come to. So neither a clock nor an hour
without writes misleads it, as they would `pg_last_xact_replay_timestamp()`, nor a replica that hears nothing any more.
"""

import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, Final

import structlog
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connection, connections
from psycopg_pool import PoolTimeout

from core import direct
from core.db import run_prepared
from core.direct import Direct

log = structlog.get_logger(__name__)

REPLICA: Final = "replica"
LARGEST_LAG_S: Final = 5.0
MEASURED_EVERY_S: Final = 1.0
# A replica that does not answer for as long is away, whatever it said last.
_SILENT_S: Final = 3.0
_ANSWERS_WITHIN_S: Final = 2.0
_REMEMBERED: Final = 3600  # positions, and as many seconds: what is further behind counts as that far
_NOBODY_ASKED_S: Final = 60.0
_HERE: Final = "SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"
_THERE: Final = """
SELECT CASE WHEN pg_is_in_recovery() THEN pg_wal_lsn_diff(pg_last_wal_replay_lsn(), '0/0')::bigint END
"""
_AWAY: Final = (OperationalError, InterfaceError, PoolTimeout)
_TOOK_TOO_LONG: Final = "57014"  # query_canceled: PostgreSQL would not be any faster

# Where PostgreSQL has begun a new file and writes nothing, its position is one that no replica comes to.
_NUDGE: Final = "SELECT pg_wal_lsn_diff(pg_logical_emit_message(false, 'laurel', ''), '0/0')::bigint"

# Which database this thread's heavy reads go to, where that is decided already.
_decided: ContextVar[str | None] = ContextVar("decided", default=None)


def using() -> str:
    """Return the database to ask now for what is heavy, and may be as old as LARGEST_LAG_S.

    Within a transaction, which reads what it has written, that is never the replica.
    """
    if REPLICA not in settings.DATABASES or connection.in_atomic_block:
        return DEFAULT_DB_ALIAS
    return _decided.get() or (REPLICA if _watch().is_close() else DEFAULT_DB_ALIAS)


@contextmanager
def decided(alias: str) -> Iterator[None]:
    """Let all heavy reads within go to one database: such as belong together, or follow an own write."""
    before = _decided.set(alias)
    try:
        yield
    finally:
        _decided.reset(before)


def read(sql: str, params: Sequence[Any]) -> list[tuple[Any, ...]]:
    """Run a heavy query where `using` says; its shape is `core.db.run_prepared`'s.

    What fails on the replica is asked of PostgreSQL: it may be gone, or have taken away rows that were being read.
    """
    alias = using()
    try:
        return run_prepared(sql, params, using=alias)
    except _AWAY as error:
        took_too_long = getattr(error.__cause__, "sqlstate", None) == _TOOK_TOO_LONG
        if alias == DEFAULT_DB_ALIAS or took_too_long or connections[alias].in_atomic_block:
            raise
        log.warning("the replica failed", error=str(error).split("\n")[0])
        _watch().doubt()
        connections[alias].close()
    return run_prepared(sql, params)


def lag_seconds() -> float | None:
    """Return how far the replica is behind; None while that is not known, as at first and while one does not answer."""
    return _watch().lag() if REPLICA in settings.DATABASES else None


class Watch:
    """Measures how far the replica is behind, on a thread of its own, while somebody asks."""

    def __init__(self) -> None:
        """Know nothing yet."""
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._positions: deque[tuple[float, int]] = deque(maxlen=_REMEMBERED)
        self._measured: tuple[float, float] | None = None  # when, and how far behind it was
        self._asked_at = 0.0
        self._here = Direct(within_s=_ANSWERS_WITHIN_S)
        self._there = Direct(REPLICA, within_s=_ANSWERS_WITHIN_S)

    def lag(self) -> float | None:
        """Return the seconds that the replica is behind at most, or None."""
        self._asked_at = time.monotonic()
        if self._thread is None:
            self._begin()
        if self._measured is None:
            return None
        at, lag = self._measured
        age = self._asked_at - at
        return None if age > _SILENT_S else lag + age

    def is_close(self) -> bool:
        """Say whether the replica is near enough to be read."""
        lag = self.lag()
        return lag is not None and lag <= LARGEST_LAG_S

    def doubt(self) -> None:
        """Forget how far behind it was: until it is measured again, it is not read."""
        self._measured = None

    def measure(self) -> None:
        """Measure once. Raises what PostgreSQL or the replica raise."""
        here: int = self._here.ask(_HERE)[0][0]
        is_idle = bool(self._positions) and self._positions[-1][1] == here
        self._positions.append((time.monotonic(), here))
        there: int | None = self._there.ask(_THERE)[0][0]
        if there is None:
            raise LookupError("DATABASE_REPLICA_URL names a server that is no replica")
        if is_idle and there < here:
            self._here.ask(_NUDGE)
        now = time.monotonic()
        passed = [at for at, position in self._positions if position <= there]
        lag = 0.0 if there >= here else now - (passed[-1] if passed else self._positions[0][0])
        # One that has come to none of them may be hours behind, or a moment: that shows.
        if passed or lag > LARGEST_LAG_S:
            self._measured = now, lag

    def _begin(self) -> None:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="replica", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while time.monotonic() - self._asked_at < _NOBODY_ASKED_S:
            try:
                self.measure()
            except (*direct.AWAY, LookupError) as error:
                log.warning("the replica's lag is not known", error=str(error).split("\n")[0])
            time.sleep(MEASURED_EVERY_S)
        self._here.close()
        self._there.close()
        self._positions.clear()
        self._thread = None


@cache
def _watch() -> Watch:
    return Watch()
