"""Queue ⇄ Python for analytics."""

from celery import shared_task
from django.utils import timezone

from analytics.services import usage
from core import followers, relay


@shared_task(name="usage.follow")
def follow_usage() -> None:
    """Add up what studios used since."""
    if followers.follow(usage.FOLLOWER):
        relay.hint(usage.FOLLOWER)


@shared_task(name="analytics.keep_usage")
def keep_usage() -> None:
    """Forget who was active long ago."""
    usage.keep(now=timezone.now())
