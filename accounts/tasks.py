"""Queue ⇄ Python for accounts."""

from celery import shared_task
from django.utils import timezone

from accounts import sessions


@shared_task(name="accounts.keep_sessions")
def keep_sessions() -> None:
    """Delete sessions and dismissals that are over."""
    sessions.keep(now=timezone.now())
