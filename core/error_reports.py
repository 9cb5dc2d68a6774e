"""Errors told to Sentry, where SENTRY_DSN names one: what broke and where, and nothing of whom it happened to.

An error is what is logged as one. Told are the line's constant message, the exception with its stack, and whose work it
was (request, follower, job); not the line's other fields, no variables, nothing of the request. A request costs nothing
more for it. Source: docs.sentry.io, "Scrubbing Sensitive Data".
"""

import logging
import sys
from typing import Any, Final

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.integrations.dedupe import DedupeIntegration
from sentry_sdk.integrations.excepthook import ExcepthookIntegration
from sentry_sdk.types import Event, Hint

_TAGS: Final = ("request_id", "follower", "job")
_LONGEST: Final = 200  # characters of what an exception says
_FLUSHES_WITHIN_S: Final = 2


def begin(dsn: str, *, environment: str, release: str) -> None:
    """Be ready to tell; nothing is sent yet."""
    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        release=release,
        default_integrations=False,  # they watch requests, and take what they hold with them
        auto_enabling_integrations=False,
        integrations=[
            AtexitIntegration(callback=lambda *_: None),
            DedupeIntegration(),
            ExcepthookIntegration(),
        ],
        send_default_pii=False,
        include_local_variables=False,
        max_breadcrumbs=0,
        auto_session_tracking=False,
        shutdown_timeout=_FLUSHES_WITHIN_S,
        before_send=_scrubbed,
    )


class Reporter(logging.Handler):
    """Tells of each line that is an error."""

    def emit(self, record: logging.LogRecord) -> None:
        """Tell of a line; its arguments, which may name somebody, are left out."""
        said: dict[str, Any] = record.msg if isinstance(record.msg, dict) else {"event": record.msg}
        with sentry_sdk.new_scope() as scope:
            for name in _TAGS:
                if name in said:
                    scope.set_tag(name, said[name])
            scope.set_tag("logger", record.name)
            error = _exception(said.get("exc_info") or record.exc_info)
            if error is not None:
                scope.set_extra("message", str(said.get("event", "")))
                scope.capture_exception(error)
            else:
                scope.capture_message(str(said.get("event", "")), level="error")


def _exception(exc_info: Any) -> BaseException | None:
    if isinstance(exc_info, BaseException):
        return exc_info
    found = exc_info if isinstance(exc_info, tuple) else sys.exc_info() if exc_info else (None, None, None)
    return found[1] if isinstance(found[1], BaseException) else None


def _scrubbed(event: Event, _hint: Hint) -> Event:
    """Cut what exceptions say to its first line: PostgreSQL quotes rows in those that follow."""
    for exception in event.get("exception", {}).get("values", []):
        exception["value"] = (exception.get("value") or "").split("\n")[0][:_LONGEST]
    return event
