"""Queue ⇄ Python for stats."""

from celery import shared_task

from core import clock
from stats.services import keeping


@shared_task(name="stats.keep_events")
def keep_events() -> None:
    """Let go of old reports' events."""
    keeping.forget_events(now=clock.now())
