"""What webhooks tell Prometheus."""

from collections.abc import Iterator
from typing import Final

from prometheus_client import Counter, Histogram
from prometheus_client.core import Metric

from core.direct import Ask
from core.metrics import alive
from core.metrics.installation import gauge
from webhooks.queue import LEASE_S, MOST_OF_ONE, Outcome

_MOST_COUNTED: Final = 100_000
_ANSWERED_WITHIN_S: Final = 5  # by a receiver that is no reason to wait
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


# What waits for its receiver is no delay of ours. A sender gives each endpoint a few places, and fewer once it hangs:
# what it has taken is due again in LEASE_S at the latest, so that shows how many it has, and since when. Who has half
# of them, or one for seconds, is served as fast as he answers; when senders stall, these end within LEASE_S, and all
# endpoints count. An attempt that is to be repeated within that time looks the same until then.
_DUE = """
SELECT (SELECT count(*) FROM (SELECT FROM webhooks_delivery WHERE state = 'pending' AND next_attempt_at <= now()
                               LIMIT $1) AS due),
       (SELECT coalesce(greatest(0, extract(epoch FROM now() - min(first.next_attempt_at))), 0)::float8
          FROM webhooks_endpoint e
         CROSS JOIN LATERAL (SELECT next_attempt_at FROM webhooks_delivery d
                              WHERE d.endpoint_id = e.id AND d.state = 'pending'
                              ORDER BY next_attempt_at, id LIMIT 1) AS first
         CROSS JOIN LATERAL (SELECT count(*) AS places, min(next_attempt_at) AS until
                               FROM (SELECT next_attempt_at FROM webhooks_delivery d
                                      WHERE d.endpoint_id = e.id AND d.state = 'pending' AND d.next_attempt_at > now()
                                        AND d.next_attempt_at <= now() + make_interval(secs => $2)
                                      ORDER BY next_attempt_at, id LIMIT $3) AS taken) AS served
         WHERE e.disabled = '' AND e.deleted_at IS NULL AND e.failing_since IS NULL
           AND first.next_attempt_at <= now()
           AND served.places < $3 AND (served.until > now() + make_interval(secs => $2 - $4)) IS NOT FALSE)
"""


def figures(ask: Ask) -> Iterator[Metric]:
    """Tell how many are due, of at most a hundred thousand, and for how long the oldest that senders do not get to."""
    due, oldest_s = ask(_DUE, [_MOST_COUNTED, LEASE_S, MOST_OF_ONE // 2, _ANSWERED_WITHIN_S])[0]
    yield gauge(
        "laurel_webhooks_due", "Webhooks that are to be sent by now, to receivers that fail, too.", due
    )
    yield gauge(
        "laurel_webhook_oldest_due_seconds",
        "For how long the oldest has been due that waits for senders, not for its receiver.",
        oldest_s,
    )
