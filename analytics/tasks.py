"""Queue ⇄ Python for analytics."""

from celery import shared_task

from analytics.services import counting
from core import followers, relay


@shared_task(name="analytics.follow")
def follow() -> None:
    """Count what happened since."""
    if followers.follow(counting.FOLLOWER):
        relay.hint(counting.FOLLOWER)
