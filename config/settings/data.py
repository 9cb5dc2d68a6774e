"""Where data lives: PostgreSQL (the truth) and Valkey (derived)."""

from typing import Any

from celery.schedules import crontab
from django.core.exceptions import ImproperlyConfigured

from config.settings.environment import S3_ENDPOINT, VAR_DIR, env, folder_or_bucket, valkey
from core.deadlines import DeadlineConnection

__all__ = [
    "ACHIEVEMENT_GROWTH",
    "ANALYTICS_HOURS_KEPT_DAYS",
    "ANALYTICS_TAKEN_EVERY_S",
    "ARCHIVE_S3_ENDPOINT",
    "ARCHIVE_URL",
    "CACHES",
    "CELERY_BEAT_SCHEDULE",
    "CELERY_BEAT_SCHEDULER",
    "CHANNEL_LAYERS",
    "DATABASES",
    "DATABASE_PATIENCE_MS",
    "DATABASE_POOLED_BY",
    "DEFINITION_SECTIONS",
    "ERASURE_STEPS",
    "EXPORTS",
    "FACT_RETENTION_DAYS",
    "GAME_BOARDS",
    "GAME_HOLDERS",
    "HISTORY_DAYS_KEPT_DAYS",
    "HISTORY_HOURS_KEPT_DAYS",
    "LEADERBOARD_EXACT_PLAYERS",
    "LEADERBOARD_FRIENDS",
    "LEADERBOARD_SNAPSHOT_S",
    "PLAYERS_SEEN",
    "PLAYER_ERASURES",
    "PLAYER_FRIENDS",
    "PLAYER_HOLDINGS",
    "PLAYER_MOVES",
    "PLAYER_NUMBERS",
    "PLAYER_SIGHT",
    "PORTAL_NEEDS",
    "REPORT_CONSEQUENCES",
    "REVIEW_SOURCES",
    "STATS_RESET",
    "STAT_USES",
    "STUDIO_LIMITS",
    "SUBSCRIPTIONS",
    "VALKEY_URLS",
    "WEBHOOK_ALLOWED_NETWORKS",
    "WEBHOOK_CA_FILE",
    "WEBHOOK_NAME_SERVERS",
    "WEBHOOK_PLAIN_HTTP",
    "WEBHOOK_PORTS",
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
# How long PostgreSQL bears with a session of this process, in milliseconds; 0 is for ever.
DATABASE_PATIENCE_MS = {
    "statement_timeout": _statement_ms,
    "lock_timeout": min(_statement_ms, 1000),
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

SUBSCRIPTIONS = "config.subscriptions.SUBSCRIPTIONS"
EXPORTS = "config.exports.EXPORTS"
# Whom a friends' board shows: leaderboards lie upstream of social and may not import it.
LEADERBOARD_FRIENDS = "social.selectors.friend_ids"
# Who may see whom: accounts know players and social knows their friends.
PLAYER_SIGHT = "social.selectors.seeing.sees"
# What the players' pages of games and achievements show of rooms downstream (achievements/selectors/company.py).
PLAYER_FRIENDS = "social.selectors.seeing.friends_of"
PLAYERS_SEEN = "social.selectors.seeing.seen"
GAME_BOARDS = "leaderboards.selectors.showcase.of_game"
ACHIEVEMENT_GROWTH = "analytics.selectors.growth.by_month"
# What needs somebody of a studio: the portal's home asks each room of its own things (accounts/needs.py).
PORTAL_NEEDS = [
    "webhooks.needing.webhooks",
    "accounts.portal.needing.keys",
    "accounts.portal.needing.review_queue",
    "achievements.portal.needing.unanswered",
    "achievements.portal.needing.drafts",
]
# What has to happen in the commit of a report of stats: stats lie upstream of achievements and may not import them.
REPORT_CONSEQUENCES = ["achievements.services.thresholds.follow"]
# What reads a game's stats, which whoever changes one is told: those rooms lie downstream, too.
STAT_USES = [
    "achievements.selectors.definitions.fed_by_stats",
    "leaderboards.selectors.definitions.fed_by_stats",
]
# Which rooms hold something of a player, which goes over if he is joined to another: accounts may not import them
# (ADR 0031).
PLAYER_HOLDINGS = [
    "stats.selectors.values.holds_anything",
    "achievements.selectors.unlocks.holds_anything",
    "leaderboards.selectors.submitted.holds_anything",
    "social.selectors.holds_anything",
]
# Who takes stats away where a player begins anew in a game, in the commit that takes back the unlocks (ADR 0039).
STATS_RESET = "stats.services.resets.reset"
# How many players hold something of a game, which whoever puts it away is told.
GAME_HOLDERS = "achievements.selectors.standings.holders"
# Which limits a studio's page of usage shows; rooms do not know each other.
STUDIO_LIMITS = [
    "accounts.allowances.limits",
    "webhooks.allowances.limits",
    "stats.allowances.limits",
    "leaderboards.allowances.limits",
    "achievements.allowances.limits",
    "social.allowances.limits",
]
# Who moves it, one after the other in the order in which reports take their locks (ADR 0033).
PLAYER_MOVES = [
    "stats.services.joining.move",
    "achievements.services.joining.move",
    "leaderboards.services.joining.move",
    "social.joining.move",
]
# Who takes away what rooms have of somebody who is erased, in the commit of that and in the same order (ADR 0047).
PLAYER_ERASURES = [
    "stats.services.erasing.erase",
    "achievements.services.erasing.erase",
    "leaderboards.services.erasing.erase",
    "social.erasing.erase",
]
# What rooms have of him, in words, which whoever is about to erase him is told.
PLAYER_NUMBERS = [
    "achievements.selectors.persons.in_numbers",
    "leaderboards.selectors.persons.in_numbers",
    "stats.selectors.persons.in_numbers",
]
# Who looks afterwards for what is left of him, and takes it away by its keys; again until all find nothing (ADR 0084).
ERASURE_STEPS = {
    "accounts": "accounts.erasure.texts.look",
    "stats": "stats.services.erasing.look",
    "achievements": "achievements.services.erasing.look",
    "leaderboards": "leaderboards.services.erasing.look",
    "social": "social.erasing.look",
    "history": "history.services.erasing.look",
    "archive": "history.services.erasing.look_into_archive",
    "analytics": "analytics.services.erasing.look",
    "webhooks": "webhooks.services.erasing.look",
    "log": "core.persons_kept.look",
}
# What is kept apart until somebody looks at it: who lists and decides each kind (ADR 0040).
REVIEW_SOURCES = {
    "unlock": "achievements.services.flagged.SOURCE",
    "score": "leaderboards.services.flagged.SOURCE",
}
# Parts of a game's file of definitions, besides its achievements: who stores them and reads them out.
DEFINITION_SECTIONS = {
    "stats": "stats.services.importing.SECTION",
    "leaderboards": "leaderboards.services.importing.SECTION",
}

# Webhooks go to public addresses over https only (webhooks/rules/targets.py), unless the operator allows more: networks
# of his own (10.1.0.0/16), more ports, http. Name servers and a file of certificate authorities are the system's.
WEBHOOK_ALLOWED_NETWORKS = env.list("WEBHOOK_ALLOWED_NETWORKS", default=[])
WEBHOOK_PORTS = env.list("WEBHOOK_PORTS", cast=int, default=[])
WEBHOOK_PLAIN_HTTP = env.bool("WEBHOOK_PLAIN_HTTP", default=False)
WEBHOOK_NAME_SERVERS = env.list("WEBHOOK_NAME_SERVERS", default=[])
WEBHOOK_CA_FILE = env.str("WEBHOOK_CA_FILE", default="")

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

CELERY_BEAT_SCHEDULER = "config.celery:Scheduler"
# Boards of more players have exact ranks at the top only (leaderboards/estimating.py); about 140 bytes a player.
LEADERBOARD_EXACT_PLAYERS = env.int("LEADERBOARD_EXACT_PLAYERS", default=2_000_000)
# How often a changed board's first places are kept, in seconds; what they are kept for is in services/snapshots.py.
LEADERBOARD_SNAPSHOT_S = env.int("LEADERBOARD_SNAPSHOT_S", default=300)

# Beat only sees to it that nothing sleeps too long; whatever is urgent is hinted by the relay. What is rare has hours
# of the day: a beat that begins anew, as with each version, waits a whole interval, and so may wait for ever.
CELERY_BEAT_SCHEDULE = {
    "sweep-followers": {"task": "core.sweep", "schedule": 5.0, "options": {"expires": 5, "queue": "facts"}},
    "send-mail": {"task": "core.send_mail", "schedule": 3.0, "options": {"expires": 3, "queue": "bulk"}},
    "seal-audit": {"task": "core.seal_audit", "schedule": 2.0, "options": {"expires": 2, "queue": "bulk"}},
    "keep-log": {"task": "core.keep_log", "schedule": 600.0, "options": {"expires": 600, "queue": "bulk"}},
    "run-exports": {"task": "core.run_exports", "schedule": 3.0, "options": {"expires": 3, "queue": "bulk"}},
    "reconcile-rarity": {
        "task": "achievements.reconcile_rarity",
        "schedule": crontab(hour="4", minute="20"),
        "options": {"expires": 3600, "queue": "bulk"},
    },
    "backfill": {
        "task": "achievements.backfill",
        "schedule": 5.0,
        "options": {"expires": 5, "queue": "bulk"},
    },
    "keep-icons": {
        "task": "achievements.keep_icons",
        "schedule": crontab(hour="*/6", minute="40"),
        "options": {"expires": 21_600, "queue": "bulk"},
    },
    "keep-progress": {
        "task": "achievements.keep_progress",
        "schedule": 3600.0,
        "options": {"expires": 3600, "queue": "bulk"},
    },
    "build-dashboards": {
        "task": "history.build_dashboards",
        "schedule": 1.0,
        "options": {"expires": 1, "queue": "bulk"},
    },
    "keep-history": {
        "task": "history.keep_partitions",
        "schedule": 3600.0,
        "options": {"expires": 3600, "queue": "bulk"},
    },
    "tell-progress": {
        "task": "social.tell_due",
        "schedule": 1.0,
        "options": {"expires": 1, "queue": "live"},
    },
    "tell-friends": {
        "task": "social.tell_friends",
        "schedule": 1.0,
        "options": {"expires": 1, "queue": "facts"},
    },
    "keep-inbox": {
        "task": "social.keep_inbox",
        "schedule": 3600.0,
        "options": {"expires": 3600, "queue": "bulk"},
    },
    "check-boards": {
        "task": "leaderboards.check_boards",
        "schedule": 15.0,
        "options": {"expires": 15, "queue": "facts"},
    },
    "turn-periods": {
        "task": "leaderboards.turn_periods",
        "schedule": 10.0,
        "options": {"expires": 10, "queue": "bulk"},
    },
    "tell-ranks": {
        "task": "leaderboards.tell_ranks",
        "schedule": 2.0,
        "options": {"expires": 2, "queue": "facts"},
    },
    "take-snapshots": {
        "task": "leaderboards.take_snapshots",
        "schedule": float(LEADERBOARD_SNAPSHOT_S),
        "options": {"expires": LEADERBOARD_SNAPSHOT_S, "queue": "bulk"},
    },
    "reconcile-boards": {
        "task": "leaderboards.reconcile",
        "schedule": 300.0,
        "options": {"expires": 300, "queue": "bulk"},
    },
    "keep-boards": {
        "task": "leaderboards.keep_boards",
        "schedule": 3600.0,
        "options": {"expires": 3600, "queue": "bulk"},
    },
    "keep-stats": {
        "task": "stats.keep_events",
        "schedule": 3600.0,
        "options": {"expires": 3600, "queue": "bulk"},
    },
    "finish-erasures": {
        "task": "accounts.finish_erasures",
        "schedule": 5.0,
        # Behind a queue that is longer than that it must come, too: people wait for it.
        "options": {"expires": 60, "queue": "bulk"},
    },
    "keep-sessions": {
        "task": "accounts.keep_sessions",
        "schedule": 3600.0,
        "options": {"expires": 3600, "queue": "bulk"},
    },
    "take-distributions": {
        "task": "analytics.take_distributions",
        "schedule": 30.0,
        "options": {"expires": 30, "queue": "bulk"},
    },
    "keep-analytics": {
        "task": "analytics.keep",
        "schedule": 3600.0,
        "options": {"expires": 3600, "queue": "bulk"},
    },
    "keep-calls": {
        "task": "accounts.keep_calls",
        "schedule": 600.0,
        "options": {"expires": 600, "queue": "bulk"},
    },
    "keep-webhooks": {
        "task": "webhooks.keep_deliveries",
        "schedule": 3600.0,
        "options": {"expires": 3600, "queue": "bulk"},
    },
    "tidy-webhooks": {
        "task": "webhooks.tidy",
        "schedule": 60.0,
        "options": {"expires": 60, "queue": "bulk"},
    },
    "tidy-boards": {
        "task": "leaderboards.tidy_boards",
        "schedule": 300.0,
        "options": {"expires": 300, "queue": "bulk"},
    },
}
