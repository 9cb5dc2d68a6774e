"""RabbitMQ as Celery's broker: its queues, and connections on which every wait ends (docs/adr/0074-rabbitmq.md)."""

from typing import Any, Final

from django.conf import settings
from kombu import Exchange, Queue, binding
from kombu.transport import pyamqp

QUEUES: Final = ("live", "facts", "bulk")
# How often a message may be taken by a worker that ends without a word, before it is taken for the reason.
_DELIVERIES: Final = 20
_DEAD: Final = "laurel.dead"
_DEAD_AT_MOST: Final = 10_000
_DEAD_FOR_MS: Final = 7 * 86_400_000
_QUORUM: Final = {"x-queue-type": "quorum"}
# Hints and ticks that nobody took in time are none: they end without a trace.
_REASONS: Final = ("rejected", "delivery_limit")


class _Connection(pyamqp.Connection):
    """A connection on which every wait ends: the library's own, for answers to what is declared, do not."""

    def blocking_read(self, timeout: float | None = None) -> Any:
        """Read what comes next. Raises TimeoutError."""
        own = self.read_timeout or settings.BROKER_PATIENCE_S
        return super().blocking_read(own if timeout is None else timeout)


pyamqp.Transport.Connection = _Connection


def queues() -> list[Queue]:
    """Return the queues of the workers."""
    arguments = {**_QUORUM, "x-delivery-limit": _DELIVERIES, "x-dead-letter-exchange": _DEAD}
    return [
        Queue(name, Exchange("laurel", type="direct"), routing_key=name, queue_arguments=arguments)
        for name in QUEUES
    ]


def dead_letters() -> Queue:
    """Return the queue of what was rejected, or has killed its workers; an operator looks there."""
    exchange = Exchange(_DEAD, type="headers")
    return Queue(
        _DEAD,
        bindings=[
            binding(exchange, arguments={"x-match": "all-with-x", "x-first-death-reason": reason})
            for reason in _REASONS
        ],
        queue_arguments={**_QUORUM, "x-max-length": _DEAD_AT_MOST, "x-message-ttl": _DEAD_FOR_MS},
    )
