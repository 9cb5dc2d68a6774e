"""A worker outlives its broker."""

import os
from typing import Any

from kombu import Connection

from config import celery


def test_a_task_that_ends_after_its_connection_is_not_said_to_be_done_and_harms_nothing() -> None:
    assert celery.app.main == "laurel"
    with Connection(os.environ["REDIS_URL"]) as connection:
        channel: Any = connection.channel()
        taken = channel.qos
        assert isinstance(taken, celery._Taken)
        channel.close()
    assert channel.connection is None
    taken.ack("a task")
    taken.reject("another", requeue=True)
    assert taken.restore_unacked() is None
