"""The part of a worker that takes messages from RabbitMQ."""

from typing import Any, ClassVar

import structlog
from celery import bootsteps
from celery.worker.consumer import Consumer

from config.rabbitmq import dead_letters

log = structlog.get_logger(__name__)


class _DeadLetters(bootsteps.StartStopStep):
    """Declares where dead letters go before anything is taken."""

    requires = ("celery.worker.consumer.connection:Connection",)

    def start(self, parent: Any) -> None:
        """Declare it on the worker's connection."""
        dead_letters()(parent.connection.default_channel).declare()


class Worker(Consumer):
    """A worker's part that takes messages: what it can't read it gives away instead of saying that it was done."""

    class Blueprint(Consumer.Blueprint):  # type: ignore[valid-type,misc]
        """Celery's own steps, but for the 28 queues in which tasks would wait for their time: none of ours does."""

        default_steps: ClassVar = [
            *(step for step in Consumer.Blueprint.default_steps if "delayed_delivery" not in step),
            _DeadLetters,
        ]

    def on_decode_error(self, message: Any, exc: Exception) -> None:
        """Say why, and let it become a dead letter."""
        log.critical("message can't be read", error=str(exc), content_type=message.content_type)
        errors = self.connection_errors  # type: ignore[attr-defined]
        message.reject_log_error(log, errors)
