"""The Celery application: workers for the queues `live`, `facts` and `bulk`, and beat."""

import os
from pathlib import Path
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from celery import Celery, Task
from celery.signals import beat_init, setup_logging, task_prerun, worker_init, worker_ready
from django.db import close_old_connections
from kombu.transport import redis as broker

from core.collector import settle
from core.roomy import roomy


class _Taken(broker.QoS):
    """What this worker has taken from Valkey as a broker and not begun.

    kombu gives it back as it closes its channel, and says of a task that ends later that it was done. Where the broker
    has gone it has let go of the connection by then, and the worker ended with an AttributeError. What was taken comes
    back by itself after the visibility time-out; a task that runs twice does no harm.
    """

    def restore_unacked(self, client: Any = None) -> Any:
        """Give back what can be given back."""
        return None if self._is_cut_off() else super().restore_unacked(client)

    def ack(self, delivery_tag: str) -> None:
        """Say that a task was done, if there is still somebody to say it to."""
        if not self._is_cut_off():
            super().ack(delivery_tag)

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Give a task back or away, likewise."""
        if not self._is_cut_off():
            super().reject(delivery_tag, requeue=requeue)

    def _is_cut_off(self) -> bool:
        connection: Any = self.channel.connection  # a closed channel has none
        return connection is None or connection.client is None


broker.Channel.QoS = _Taken


class _RoomyTask(Task[Any, Any]):
    """A task whose work finds room on the stack (core/roomy.py)."""

    @roomy
    def __call__(self, *args: Any, **named: Any) -> Any:
        """Do it."""
        return self.run(*args, **named)


app = Celery("laurel", task_cls=_RoomyTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_django_logging(**_: object) -> None:
    """Leave logging as Django's settings made it."""


@worker_init.connect
@beat_init.connect
def look_before_it_begins(**_: object) -> None:
    """Let neither a worker nor beat run on a PostgreSQL that may lose what it has acknowledged."""
    from core.starting import require_safe_postgresql  # noqa: PLC0415 - it reads settings, which come after us

    require_safe_postgresql()


@task_prerun.connect
def begin_with_a_connection_that_lives(**_: object) -> None:
    """Let the task's thread connect anew if PostgreSQL was away since its last task, as Django does for requests."""
    close_old_connections()


@worker_ready.connect
def begin(**_: object) -> None:
    """Begin to work; tell config/run.py, if it started this worker, that tasks are taken from now on."""
    settle()
    if file := os.environ.get("READY_FILE"):
        Path(file).touch()
