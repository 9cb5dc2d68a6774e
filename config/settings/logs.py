"""Log lines: a constant message plus fields, as JSON, or readable where DEBUG is on."""

from http import HTTPStatus
from typing import Any

import structlog

from config.settings.environment import DEBUG, env
from config.settings.tracing import TRACES_ENDPOINT
from core import VERSION

__all__ = ["LOGGING", "SENTRY_DSN"]

_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]
# Only here exceptions become text: who tells of them somewhere else needs them as they are.
_RENDERERS: list[Any] = (
    # Not with every frame's variables in colours: that takes a second of a core for each error.
    [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    if DEBUG
    else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
)
if TRACES_ENDPOINT:
    from core import tracing

    _SHARED.append(tracing.name_it)
SENTRY_DSN: str = env.str("SENTRY_DSN", default="")

structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *_SHARED,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    wrapper_class=structlog.stdlib.BoundLogger,
    cache_logger_on_first_use=True,
)
_REPORTERS: dict[str, Any] = {}
if SENTRY_DSN:
    from core import error_reports

    error_reports.begin(
        SENTRY_DSN,
        environment=env.str("SENTRY_ENVIRONMENT", default="production"),
        release=f"laurel@{VERSION}",
    )
    _REPORTERS["sentry"] = {"class": "core.error_reports.Reporter", "level": "ERROR"}
LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "structured": {
            "()": structlog.stdlib.ProcessorFormatter,
            "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_RENDERERS],
            "foreign_pre_chain": _SHARED,
        }
    },
    "filters": {
        # During an outage each refused request would be a line; the outage itself is logged where it is met.
        "not_503": {
            "()": "django.utils.log.CallbackFilter",
            "callback": lambda record: getattr(record, "status_code", 0) != HTTPStatus.SERVICE_UNAVAILABLE,
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}, **_REPORTERS},
    "root": {"handlers": ["stderr", *_REPORTERS], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        # Refused requests are answered with their reason; the access log is the proxy's.
        "django.request": {"level": "ERROR", "filters": ["not_503"]},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "celery": {"level": "WARNING"},
        "kombu": {"level": "WARNING"},
        "post_office": {"level": "WARNING", "handlers": ["stderr"], "propagate": False},
        "psycopg.pool": {"level": "ERROR"},
        # It says of every batch, and of every span, that the collector is away; core/tracing does, once a minute.
        "opentelemetry": {"level": "CRITICAL"},
        # They write whole addresses, and somebody will send a token in one although it is refused.
        "uvicorn.access": {"level": "CRITICAL"},
        "uvicorn.error": {"level": "WARNING"},
        # What servers say by themselves, they say in words of their own otherwise.
        "uvicorn": {"handlers": ["stderr"], "propagate": False},
        "_granian": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
    },
}
