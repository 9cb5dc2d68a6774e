"""What Laurel stands on, and how far away each of it is: PostgreSQL, PgBouncer, a replica, Valkey by role, the broker.

Each is asked over a connection of its own, all at the same time, and none for longer than whoever asks can wait: one
that hangs is as far away as one that is gone (`/readyz`, the relay's metrics, `manage.py status`).
"""

import socket
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from functools import cache
from threading import Lock
from typing import Any, Final

import kombu
import redis
from amqp.exceptions import AMQPError
from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.migrations.loader import MigrationLoader
from kombu.exceptions import OperationalError as BrokerError
from redis.backoff import NoBackoff
from redis.retry import Retry

from core import direct, reopening
from core.direct import Direct
from core.redis import AWAY

WITHIN_S = 0.2  # what answers later is as good as gone
KEPT_S = 1.0
OK: Final = "ok"
DOWN: Final = "down"
UNSAFE: Final = "unsafe"
READ_ONLY: Final = "takes no writes"
PENDING: Final = "migrations pending"
OTHER_TIME_OUTS: Final = "other time-outs"
CLOSED: Final = "restored, and not reopened"
POSTGRESQL: Final = "postgresql"
PGBOUNCER: Final = "pgbouncer"
REPLICA: Final = "replica"
BROKER: Final = "broker"
# What PostgreSQL may lose what it has acknowledged by, where one of them is off.
SAFE_SETTINGS: Final = ("fsync", "synchronous_commit", "full_page_writes")
# A standby, also one that an address leads to since a failover.
_TAKES_NO_WRITES: Final = (
    "SELECT pg_is_in_recovery() OR current_setting('default_transaction_read_only')::boolean"
)
# “Do you speak TLS?” (PostgreSQL's SSLRequest), which PgBouncer answers by itself, before it knows who asks.
_SSL_REQUEST: Final = bytes.fromhex("00000008 04d2162f")
_AWAY: Final = (*direct.AWAY, *AWAY, redis.RedisError, BrokerError, AMQPError, TimeoutError)


@dataclass(frozen=True, slots=True)
class Found:
    """How a dependency is.

    Attributes:
        status: OK, DOWN, or of PostgreSQL UNSAFE, READ_ONLY, PENDING, CLOSED or OTHER_TIME_OUTS.
        latency_s: how long it took to answer; None if it did not.
        off: of PostgreSQL, which of SAFE_SETTINGS are off.
        others: of PostgreSQL, which time-outs are not those of this kind of process, in milliseconds.
        error: why there was no answer; it may name addresses, which are for operators only.

    """

    status: str
    latency_s: float | None = None
    off: tuple[str, ...] = ()
    others: tuple[tuple[str, int], ...] = ()
    error: str = ""

    @property
    def serves(self) -> bool:
        """Say whether it can be relied on; with other time-outs it only waits longer or shorter than it should."""
        return self.status in (OK, OTHER_TIME_OUTS)

    def told(self) -> dict[str, Any]:
        """Return it as `/readyz` says it to everybody."""
        off: dict[str, Any] = {"off": list(self.off)} if self.off else {}
        others = {"ms": dict(self.others)} if self.others else {}
        latency = {} if self.latency_s is None else {"latency_ms": round(self.latency_s * 1000, 1)}
        return {"status": self.status, **off, **others, **latency}


class Watch:
    """Asks all of them, again and again."""

    def __init__(self, *, within_s: float) -> None:
        """Connect later; every answer may take `within_s`."""
        self._within_s = within_s
        self._closers: list[Callable[[], None]] = []
        self._probes = self._made()
        self._pool = ThreadPoolExecutor(len(self._probes), thread_name_prefix="dependencies")
        self._asked: dict[str, Future[Found]] = {}

    def look(self) -> dict[str, Found]:
        """Return how each is, after `within_s` at the latest."""
        for name, probe in self._probes.items():
            # One that has not answered the last time holds up its own thread, and is asked by no second one.
            if name not in self._asked or self._asked[name].done():
                self._asked[name] = self._pool.submit(_timed, probe)
        wait(self._asked.values(), timeout=self._within_s)
        late = Found(DOWN, error=f"no answer within {self._within_s * 1000:.0f} ms")
        return {name: asked.result() if asked.done() else late for name, asked in self._asked.items()}

    def close(self) -> None:
        """Let go of every connection."""
        self._pool.shutdown(wait=False)
        for close in self._closers:
            close()

    def _made(self) -> dict[str, Callable[[], Found]]:
        found: dict[str, Callable[[], Found]] = {POSTGRESQL: self._postgresql()}
        if settings.DATABASE_POOLED_BY:
            found[PGBOUNCER] = self._pgbouncer
        replicas = [name for name in settings.DATABASES if name != DEFAULT_DB_ALIAS]
        if replicas:
            found[REPLICA] = self._replica(replicas[0])
        for role in sorted(settings.VALKEY_URLS):
            found[f"valkey_{role}"] = self._valkey(settings.VALKEY_URLS[role])
        url: str = settings.CELERY_BROKER_URL
        if url.startswith(("redis", "valkey")):
            found[BROKER] = self._valkey(url)
        elif url.startswith(("amqp", "pyamqp")):
            found[BROKER] = self._rabbitmq(url)
        return found

    def _postgresql(self) -> Callable[[], Found]:
        way = Direct(within_s=self._within_s)
        self._closers.append(way.close)
        migrated = Migrated()

        def probe() -> Found:
            off = unsafe_settings(way.ask)
            if off:
                return Found(UNSAFE, off=tuple(off))
            if way.ask(_TAKES_NO_WRITES)[0][0]:
                return Found(READ_ONLY)
            if not migrated.holds(way.ask):
                return Found(PENDING)
            if not reopening.is_open(way.ask):
                return Found(CLOSED)
            others = other_time_outs(way.ask)
            return Found(OTHER_TIME_OUTS, others=tuple(others.items())) if others else Found(OK)

        return probe

    def _pgbouncer(self) -> Found:
        """Tell it from PostgreSQL behind it, whose silence looks the same to who asks for rows."""
        params = connections[DEFAULT_DB_ALIAS].get_connection_params()
        host, port = params.get("host") or "127.0.0.1", int(params.get("port") or 5432)
        with _reached(str(host), port, within_s=self._within_s) as asked:
            asked.sendall(_SSL_REQUEST)
            return Found(OK if asked.recv(1) else DOWN)

    def _replica(self, using: str) -> Callable[[], Found]:
        way = Direct(using, within_s=self._within_s)
        self._closers.append(way.close)

        def probe() -> Found:
            if way.ask("SELECT pg_is_in_recovery()") == [(True,)]:
                return Found(OK)
            # One that was promoted answers, and never again hears what is written.
            return Found(DOWN, error="it follows no other server")

        return probe

    def _valkey(self, url: str) -> Callable[[], Found]:
        client = redis.Redis.from_url(
            url,
            socket_timeout=self._within_s,
            socket_connect_timeout=self._within_s,
            retry=Retry(NoBackoff(), 0),
            client_name="laurel-watch",
        )
        self._closers.append(client.close)

        def probe() -> Found:
            try:
                client.ping()
            except redis.TimeoutError:
                raise
            except redis.ConnectionError:
                client.ping()  # the connection was from before the server was started again
            return Found(OK)

        return probe

    def _rabbitmq(self, url: str) -> Callable[[], Found]:
        connection = rabbitmq(url, within_s=self._within_s)
        self._closers.append(connection.close)

        def probe() -> Found:
            try:
                # The cheapest question that is answered by the broker and not by its socket.
                channel: Any = connection.default_channel  # its types are those of all transports
                channel.basic_qos(0, 1, False)
            except Exception:
                connection.collect()  # whatever comes of it is not to be read as the next answer
                raise
            return Found(OK)

        return probe


def rabbitmq(url: str, *, within_s: float) -> kombu.Connection:
    """Return a connection to RabbitMQ, made when it is needed, that waits for nothing longer than `within_s`."""
    times = dict.fromkeys(("read_timeout", "write_timeout"), within_s)
    # By itself it would try again for a hundred times, ever more slowly.
    tries = {"max_retries": 1, "interval_start": 0, "interval_step": 0}
    return kombu.Connection(url, connect_timeout=within_s, transport_options={**times, **tries})


def unsafe_settings(ask: direct.Ask) -> list[str]:
    """Return which of PostgreSQL's settings are off by which it may lose what it has acknowledged."""
    asked = ", ".join(f"current_setting('{name}')" for name in SAFE_SETTINGS) or "1"
    values = ask(f"SELECT {asked}")[0]
    return sorted(name for name, value in zip(SAFE_SETTINGS, values, strict=False) if value == "off")


def other_time_outs(ask: direct.Ask) -> dict[str, int]:
    """Return which of PostgreSQL's time-outs are not those of this kind of process, in milliseconds; 0 is for ever.

    Where PgBouncer stands between, it sets them, as its operator says (docs/operations/postgresql.md).
    """
    wanted = settings.DATABASE_PATIENCE_MS
    found = ask("SELECT name, setting::integer FROM pg_settings WHERE name = ANY($1)", [list(wanted)])
    return {name: ms for name, ms in sorted(found) if ms != wanted[name]}


class Migrated:
    """Whether PostgreSQL has all that this code knows of; once it has, nobody looks again."""

    def __init__(self) -> None:
        """Read what there is to know."""
        self._holds = False
        migrations()

    def holds(self, ask: direct.Ask) -> bool:
        """Look. Raises one of core.direct.AWAY."""
        if not self._holds:
            applied = set(ask("SELECT app, name FROM django_migrations"))
            self._holds = migrations() <= applied
        return self._holds


def prepare() -> None:
    """Read now what takes long to read, so that nobody waits for it who asks."""
    migrations()


@cache
def migrations() -> frozenset[tuple[str, ...]]:
    """Return every migration of this code, by app and name; the first time it takes a while to read them."""
    return frozenset(MigrationLoader(None).graph.nodes)


def _reached(host: str, port: int, *, within_s: float) -> socket.socket:
    """Connect as libpq does: a host that is a folder holds a socket."""
    if not host.startswith("/"):
        return socket.create_connection((host, port), timeout=within_s)
    reached = socket.socket(socket.AF_UNIX)
    reached.settimeout(within_s)
    reached.connect(f"{host}/.s.PGSQL.{port}")
    return reached


def _timed(probe: Callable[[], Found]) -> Found:
    began = time.perf_counter()
    try:
        found = probe()
    except _AWAY as error:
        return Found(DOWN, error=(str(error).strip() or type(error).__name__).split("\n")[0][:200])
    return replace(found, latency_s=time.perf_counter() - began)


class Kept:
    """What was found a moment ago: asked a thousand times a second, it looks once."""

    def __init__(self) -> None:
        """Look when somebody asks."""
        self._lock = Lock()
        self._watch: Watch | None = None
        self._found: dict[str, Found] = {}
        self._at = float("-inf")

    def look(self) -> dict[str, Found]:
        """Return how each dependency is, or was a moment ago."""
        with self._lock:
            if time.monotonic() - self._at > KEPT_S:
                if self._watch is None:
                    self._watch = Watch(within_s=WITHIN_S)
                self._found = self._watch.look()
                self._at = time.monotonic()
            return self._found

    def forget(self) -> None:
        """Know nothing, and let go of every connection (between tests)."""
        with self._lock:
            if self._watch is not None:
                self._watch.close()
            self._watch, self._at = None, float("-inf")


kept = Kept()
