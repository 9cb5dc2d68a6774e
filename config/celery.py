"""The Celery application: workers for the queues `live`, `facts` and `bulk`, and beat."""

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from config import naming

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
if name := naming.of_celery(sys.argv):
    os.environ.setdefault("LAUREL_PROCESS", name)

import structlog
from amqp.exceptions import MessageNacked
from celery import Celery, Task
from celery.beat import PersistentScheduler, SchedulingError
from celery.signals import beat_init, setup_logging, task_postrun, task_prerun, worker_init, worker_ready
from django.conf import settings
from django.db import DatabaseError, InterfaceError, close_old_connections
from kombu.exceptions import OperationalError
from kombu.transport import redis as broker
from prometheus_client import Gauge
from psycopg_pool import PoolTimeout

from core import shifts
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


class _Laurel(Celery):
    """Celery, of which nobody who sends a task waits for a broker that hangs."""

    def send_task(self, *args: Any, **options: Any) -> Any:
        """Send it, within seconds. Raises kombu's OperationalError, or OSError, where that is not possible.

        On a connection of the pool, Beat as well, which would keep its own when that is broken. After a failure nobody
        knows what is still to come on a connection: it is left without a word, and the next one opens another.
        """
        seconds = settings.BROKER_PATIENCE_S
        options |= {"timeout": seconds, "confirm_timeout": seconds}
        with self.producer_or_acquire() as producer:
            try:
                return super().send_task(*args, **{**options, "producer": producer})
            except (MessageNacked, OperationalError, OSError) as error:
                producer.connection.collect()
                if isinstance(error, MessageNacked):
                    raise OperationalError("the broker did not take the message") from error
                raise


app = _Laurel("laurel", task_cls=_RoomyTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_django_logging(**_: object) -> None:
    """Leave logging as Django's settings made it."""


@worker_init.connect
@beat_init.connect
def look_before_it_begins(**_: object) -> None:
    """Let neither a worker nor beat run on a PostgreSQL that may lose what it has acknowledged, or is not migrated."""
    from core.starting import wait_for_postgresql  # noqa: PLC0415 - it reads settings, which come after us

    wait_for_postgresql()
    from core import tracing  # noqa: PLC0415 - likewise
    from core.metrics import serving  # noqa: PLC0415 - likewise

    serving.begin()
    tracing.begin()


class Scheduler(PersistentScheduler):
    """Beat's schedule, which says when it looked at it last: one that hangs or is gone says nothing more."""

    def setup_schedule(self) -> None:
        """Take the schedule up, and say that from now on: no other process has a tick that could be old."""
        super().setup_schedule()
        self._ticked = Gauge(
            "laurel_beat_last_tick_timestamp_seconds", "When beat looked last at what is due."
        )

    def tick(self, *args: Any, **named: Any) -> Any:
        """Send what is due."""
        self._ticked.set_to_current_time()
        return super().tick(*args, **named)

    def apply_async(self, *args: Any, **named: Any) -> Any:
        """Send a task. Beat would keep a connection whose broker was killed, and send no task ever again."""
        try:
            return super().apply_async(*args, **named)
        except SchedulingError:
            self.connection.collect()
            for kept in ("connection", "producer"):
                self.__dict__.pop(kept, None)
            raise


@task_prerun.connect
def begin_a_task(task_id: str = "", sender: Any = None, **_: object) -> None:
    """Let the task's thread connect anew if PostgreSQL was away since its last task, as Django does for requests."""
    from core import server_time  # noqa: PLC0415 - as above
    from core.metrics import jobs  # noqa: PLC0415 - as above

    shifts.begin()
    close_old_connections()
    with suppress(DatabaseError, InterfaceError, PoolTimeout):  # the task itself says so
        server_time.learn()
    jobs.began(task_id, sender.name)


@task_postrun.connect
def end_a_task(
    task_id: str = "", sender: Any = None, state: str = "", retval: object = None, **_: object
) -> None:
    """Note how it went; the thread's next task has nothing to do with this one."""
    from core.metrics import jobs  # noqa: PLC0415 - as above

    shifts.end()
    jobs.ended(task_id, sender.name, retval if isinstance(retval, BaseException) else None)
    structlog.contextvars.clear_contextvars()


@worker_ready.connect
def begin(**_: object) -> None:
    """Begin to work; tell config/run.py, if it started this worker, that tasks are taken from now on."""
    settle()
    if file := os.environ.get("READY_FILE"):
        Path(file).touch()
