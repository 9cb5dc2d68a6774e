"""The Celery application: workers for the queues `live`, `facts` and `bulk`, and beat."""

import os
from pathlib import Path

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from celery import Celery
from celery.signals import setup_logging, worker_ready

app = Celery("laurel")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@setup_logging.connect
def keep_django_logging(**_: object) -> None:
    """Leave logging as Django's settings made it."""


@worker_ready.connect
def say_ready(**_: object) -> None:
    """Tell config/run.py, if it started this worker, that tasks are taken from now on."""
    if file := os.environ.get("READY_FILE"):
        Path(file).touch()
