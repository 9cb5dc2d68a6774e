"""What Celery's Beat asks for, and how often."""

from celery.schedules import crontab

from config.settings.data import LEADERBOARD_SNAPSHOT_S

__all__ = [
    "CELERY_BEAT_SCHEDULE",
    "CELERY_BEAT_SCHEDULER",
]

CELERY_BEAT_SCHEDULER = "config.celery:Scheduler"
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
