"""What webhooks tell Prometheus."""

from collections.abc import Iterator
from typing import Final

from prometheus_client import Counter, Histogram
from prometheus_client.core import Metric

from core.direct import Ask
from core.metrics import alive
from core.metrics.installation import gauge
from webhooks.queue import Outcome

_MOST_COUNTED: Final = 100_000
_BOUNDS_S: Final = (0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15)
# By the word that an attempt's error begins with; any other one is an `error`.
_OUTCOMES: Final = {"": "delivered", "status": "refused", "timeout": "timeout", "blocked-address": "blocked"}

_attempts = Counter("laurel_webhook_attempts", "Attempts to deliver a webhook.", ["outcome"])
_seconds = Histogram(
    "laurel_webhook_attempt_seconds", "How long an attempt took.", ["outcome"], buckets=_BOUNDS_S
)
_sent = 0
alive.rated["webhooks"] = lambda: _sent


def count(outcome: Outcome) -> None:
    """Count an attempt."""
    global _sent  # noqa: PLW0603 - the client library's counters can't be read
    label = _OUTCOMES.get(outcome.error.partition(":")[0], "error")
    _attempts.labels(label).inc()
    _seconds.labels(label).observe(outcome.duration_ms / 1000)
    _sent += 1


_DUE = """
SELECT (SELECT count(*) FROM (SELECT FROM webhooks_delivery WHERE state = 'pending' AND next_attempt_at <= now()
                               LIMIT $1) AS due),
       (SELECT coalesce(greatest(0, extract(epoch FROM now() - min(first.next_attempt_at))), 0)::float8
          FROM webhooks_endpoint e
         CROSS JOIN LATERAL (SELECT next_attempt_at FROM webhooks_delivery d
                              WHERE d.endpoint_id = e.id AND d.state = 'pending'
                              ORDER BY next_attempt_at, id LIMIT 1) AS first
         WHERE e.disabled = '' AND e.deleted_at IS NULL)
"""


def figures(ask: Ask) -> Iterator[Metric]:
    """Tell how many wait to be sent, of at most a hundred thousand, and for how long the oldest has been due."""
    due, oldest_s = ask(_DUE, [_MOST_COUNTED])[0]
    yield gauge("laurel_webhooks_due", "Webhooks that are to be sent by now.", due)
    yield gauge(
        "laurel_webhook_oldest_due_seconds", "For how long the oldest of them has been due.", oldest_s
    )
