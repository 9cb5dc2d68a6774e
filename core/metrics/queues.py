"""How many tasks wait in the broker."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

import redis
from amqp.exceptions import NotFound
from django.conf import settings
from prometheus_client.core import GaugeMetricFamily, Metric
from redis.backoff import NoBackoff
from redis.retry import Retry

from core.dependencies import rabbitmq
from core.direct import Ask

QUEUES: Final = ("live", "facts", "bulk")
_ANSWERS_WITHIN_S: Final = 1.0


def depths(_ask: Ask) -> Iterator[Metric]:
    """Tell it; nothing of a broker that can't be asked."""
    counts = count()
    if counts:
        family = GaugeMetricFamily("laurel_queue_depth", "Tasks that wait in a queue.", labels=["queue"])
        for queue, depth in counts.items():
            family.add_metric([queue], depth)
        yield family


def count() -> dict[str, int]:
    """Return it by queue. Raises what the broker's client raises."""
    url: str = settings.CELERY_BROKER_URL
    if url.startswith(("redis", "valkey")):
        lengths: Any = _valkey(url)
        return dict(zip(QUEUES, lengths, strict=True))
    if url.startswith(("amqp", "pyamqp")):
        return _rabbitmq(url)
    return {}


def _valkey(url: str) -> list[int]:
    pipeline = _client(url).pipeline(transaction=False)
    for queue in QUEUES:
        pipeline.llen(queue)
    lengths: list[int] = pipeline.execute()
    return lengths


@cache
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=_ANSWERS_WITHIN_S,
        socket_connect_timeout=_ANSWERS_WITHIN_S,
        retry=Retry(NoBackoff(), 1),
        client_name="laurel-watch",
    )


def _rabbitmq(url: str) -> dict[str, int]:
    found = {}
    with rabbitmq(url, within_s=_ANSWERS_WITHIN_S) as connection:
        for queue in QUEUES:
            channel: Any = connection.channel()  # a queue that is not there closes it
            try:
                found[queue] = channel.queue_declare(queue=queue, passive=True).message_count
            except NotFound:
                found[queue] = 0
    return found
