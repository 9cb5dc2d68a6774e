"""What is told of how Laurel runs: to Prometheus, to `manage.py status`, and of errors to Sentry."""

from pathlib import Path

from config.settings.environment import VAR_DIR, env

__all__ = [
    "INSTALLATION_FIGURES",
    "METRICS_DIR",
    "METRICS_HOST",
    "METRICS_PORT",
    "POSTGRESQL_FOLDER",
    "REQUEST_CLASSES",
    "STORAGE_FULL_GIB",
    "STORAGE_FULL_RATIO",
]

# Where a process answers GET /metrics, besides web's own port; 0 for nowhere. Each process of a machine needs another
# port, but those of one web share theirs. Nobody but Prometheus may reach it.
METRICS_PORT: int = env.int("METRICS_PORT", default=0)
METRICS_HOST: str = env.str("METRICS_HOST", default="127.0.0.1")
# Where the processes of one web, on this machine or in this container, tell each other what they counted.
METRICS_DIR = Path(env.str("METRICS_DIR", default="") or VAR_DIR / "metrics")

_API = "/api/v1"
_READS = "(?:GET|HEAD)"
# Classes of requests, as metrics name them: a request is of the first that its `METHOD /address` begins with.
REQUEST_CLASSES = [
    ("unlocks", rf"POST {_API}/achievements/unlock"),
    ("progress", rf"POST {_API}/achievements/progress"),
    ("stats", rf"POST {_API}/stats/report"),
    ("scores", rf"POST {_API}/leaderboards/[^/]+/[^/]+/scores"),
    ("exports", rf"{_READS} {_API}/(?:games/[^/]+/(?:facts|achievements/export)|players/.+/export)"),
    ("exports", r"[A-Z]+ /portal/[^/]+/(?:exports|audit\.csv|requests\.csv|players/[^/]+/export)"),
    ("exports", r"[A-Z]+ /(?:portal/[^/]+/games/[^/]+/achievements/export|me/settings/export)"),
    ("analytics", rf"{_READS} {_API}/games/[^/]+/analytics/|[A-Z]+ /portal/[^/]+/games/[^/]+/analytics"),
    ("dashboards", rf"{_READS} {_API}/players/.+/(?:dashboard|trends|recap|compare)"),
    ("boards", rf"{_READS} {_API}/leaderboards/"),
    ("reads", rf"{_READS} {_API}"),
    ("portal", r"[A-Z]+ /portal/"),
    ("site", rf"{_READS} /(?!api/|static/|livez|readyz|metrics)"),
]
# Where PostgreSQL keeps its data, if that is on this machine: how full its volume is. Above both bounds nothing is
# written any more (core/disk.py).
POSTGRESQL_FOLDER = Path(env.str("POSTGRESQL_FOLDER", default="") or VAR_DIR / "postgres")
STORAGE_FULL_RATIO: float = env.float("STORAGE_FULL_RATIO", default=0.95)
STORAGE_FULL_GIB: float = env.float("STORAGE_FULL_GIB", default=10.0)
# What the relay tells of the whole installation, besides core's own (core/metrics/installation.py).
INSTALLATION_FIGURES = ["core.backups.figures", "webhooks.metrics.figures", "leaderboards.metrics.figures"]
