"""Where data lives, in PostgreSQL (the truth) and Valkey (derived), and for how long."""

from typing import Any

from django.core.exceptions import ImproperlyConfigured

from config.settings.environment import S3_ENDPOINT, VAR_DIR, env, folder_or_bucket, valkey
from core.deadlines import DeadlineConnection

__all__ = [
    "ANALYTICS_HOURS_KEPT_DAYS",
    "ANALYTICS_TAKEN_EVERY_S",
    "ARCHIVE_S3_ENDPOINT",
    "ARCHIVE_URL",
    "CACHES",
    "CHANNEL_LAYERS",
    "DATABASES",
    "DATABASE_PATIENCE_MS",
    "DATABASE_POOLED_BY",
    "FACT_RETENTION_DAYS",
    "HISTORY_DAYS_KEPT_DAYS",
    "HISTORY_HOURS_KEPT_DAYS",
    "LEADERBOARD_EXACT_PLAYERS",
    "LEADERBOARD_SNAPSHOT_S",
    "VALKEY_URLS",
]


# PgBouncer in transaction mode lends a session for one transaction: nothing that outlives it may be asked of one, and
# no time-outs of our own. PgBouncer sets those for each of its databases (docs/operations/postgresql.md).
DATABASE_POOLED_BY: str = env.str("DATABASE_POOLED_BY", default="")
if DATABASE_POOLED_BY not in ("", "pgbouncer"):
    raise ImproperlyConfigured("DATABASE_POOLED_BY takes pgbouncer, or is left out.")
# From 1.22 on PgBouncer keeps each client's prepared statements apart, `DEALLOCATE ALL` included, which psycopg sends
# after a rollback; before, there can be none.
_is_prepared = env.bool("DATABASE_PREPARED", default=not DATABASE_POOLED_BY)
_statement_ms = env.int("DATABASE_STATEMENT_TIMEOUT_MS", default=0)
# Longer than PostgreSQL's deadlock_timeout of 1 s: a deadlock is to be told as one, and is tried again then.
_LOCK_MS = 1500
# How long PostgreSQL bears with a session of this process, in milliseconds; 0 is for ever.
DATABASE_PATIENCE_MS = {
    "statement_timeout": _statement_ms,
    "lock_timeout": min(_statement_ms, _LOCK_MS),
    "idle_in_transaction_session_timeout": env.int("DATABASE_IDLE_TIMEOUT_MS", default=60_000),
}
# A server whose machine lost its power or its network says nothing more. By itself the kernel waits a quarter of an
# hour for what was sent to arrive, and asks after two hours where nothing was: here 15 s, and 25 s.
_SERVER_IS_GONE_AFTER: dict[str, Any] = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


def _database(name: str, *, default: str = "", pooled_by: str = "", pool_size: int) -> dict[str, Any]:
    """Read a database's URL; time-outs and the pool's size belong to the kind of process (see config/wsgi.py)."""
    database: dict[str, Any] = env.db_url(name, default=default)
    database["ENGINE"] = "core.postgresql"
    options: dict[str, Any] = {
        "connect_timeout": 2,
        "application_name": env.str("LAUREL_PROCESS", default="laurel"),
        "prepare_threshold": 5 if _is_prepared or not pooled_by else None,
    }
    if not pooled_by:
        options["options"] = " ".join(f"-c {name}={ms}" for name, ms in DATABASE_PATIENCE_MS.items())
    if pool_size:
        options["pool"] = {
            "min_size": 2,
            "max_size": pool_size,
            "timeout": 1.5,
            "max_idle": 300,
            # By default it would wait ever longer between its attempts: after an outage, as long again.
            "reconnect_timeout": 1,
            "connection_class": DeadlineConnection,
        }
    database["OPTIONS"] = {**_SERVER_IS_GONE_AFTER, **database.get("OPTIONS", {}), **options}
    database["CONN_MAX_AGE"] = 0 if pool_size else None
    database["CONN_HEALTH_CHECKS"] = True
    database["DISABLE_SERVER_SIDE_CURSORS"] = True
    database["ATOMIC_REQUESTS"] = False
    return database


def _archive_url() -> str:
    return folder_or_bucket("ARCHIVE_URL", default=VAR_DIR / "archive")


def _days(name: str, *, default: int, least: int) -> int:
    """Read for how long something is kept."""
    days: int = env.int(name, default=default)
    if days < least:
        raise ImproperlyConfigured(f"{name} must be {least} or more: trends show as much.")
    return days


_pool_size = env.int("DATABASE_POOL_SIZE", default=0)
DATABASES = {
    "default": _database(
        "DATABASE_URL", default="postgres:///laurel", pooled_by=DATABASE_POOLED_BY, pool_size=_pool_size
    )
}
# Where analytics and other heavy reads go while it keeps up (core/replica.py): by itself, since they are few at once.
if env.str("DATABASE_REPLICA_URL", default=""):
    _replica_pool_size = env.int("DATABASE_REPLICA_POOL_SIZE", default=min(_pool_size, 4))
    DATABASES["replica"] = _database("DATABASE_REPLICA_URL", pool_size=_replica_pool_size)
# How old what is taken of a whole game may get (times to unlock, playtime, values), in seconds; where taking it is
# slow, it gets older.
ANALYTICS_TAKEN_EVERY_S = env.int("ANALYTICS_TAKEN_EVERY_S", default=900)
ANALYTICS_HOURS_KEPT_DAYS = env.int("ANALYTICS_HOURS_KEPT_DAYS", default=30)
FACT_RETENTION_DAYS = env.int("FACT_RETENTION_DAYS", default=7)
# For how long what players did is kept by the hour, and by the day and week; months are kept for ever. What is older
# is in the archive. The least is a trend's longest window, 7 days of hours and 365 days of weeks, and a bucket.
HISTORY_HOURS_KEPT_DAYS = _days("HISTORY_HOURS_KEPT_DAYS", default=14, least=9)
HISTORY_DAYS_KEPT_DAYS = _days("HISTORY_DAYS_KEPT_DAYS", default=731, least=374)
ARCHIVE_URL = _archive_url()
ARCHIVE_S3_ENDPOINT = S3_ENDPOINT
# Boards of more players have exact ranks at the top only (leaderboards/estimating.py); about 140 bytes a player.
LEADERBOARD_EXACT_PLAYERS = env.int("LEADERBOARD_EXACT_PLAYERS", default=2_000_000)
# How often a changed board's first places are kept, in seconds; what they are kept for is in services/snapshots.py.
LEADERBOARD_SNAPSHOT_S = env.int("LEADERBOARD_SNAPSHOT_S", default=300)

# One server is enough to start with; a larger installation gives each role its own.
VALKEY_URLS = {
    "boards": env.str("BOARDS_REDIS_URL", default=valkey(0)),
    "cache": env.str("CACHE_REDIS_URL", default=valkey(1)),
    "limits": env.str("LIMITS_REDIS_URL", default=valkey(4)),
    "live": env.str("LIVE_REDIS_URL", default=valkey(2)),
}
CACHES = {
    "default": {
        "BACKEND": "core.cache.FailOpenCache",
        "LOCATION": VALKEY_URLS["cache"],
        "KEY_PREFIX": "cache",
        "OPTIONS": {
            "SOCKET_CONNECT_TIMEOUT": 0.2,
            "SOCKET_TIMEOUT": 0.2,
        },
    }
}
CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [VALKEY_URLS["live"]], "prefix": "channels"},
    }
}
