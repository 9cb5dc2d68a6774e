"""A worker outlives its broker, and beat its own end."""

import os
from typing import Any

from celery.schedules import crontab
from django.conf import settings
from kombu import Connection

from config import celery

HOUR_S = 3600.0


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


def test_a_beat_that_begins_anew_each_day_starts_every_job() -> None:
    """A fresh one waits a whole interval: what is rarer than each hour has hours of the day instead."""
    every = {name: job["schedule"] for name, job in settings.CELERY_BEAT_SCHEDULE.items()}
    assert all(isinstance(schedule, float | crontab) for schedule in every.values())
    rare = {name for name, schedule in every.items() if isinstance(schedule, float) and schedule > HOUR_S}
    assert rare == set()
