"""Queue ⇄ Python for analytics."""

from celery import shared_task

from analytics.services import counting, distributions, retention, usage
from core import clock, followers, relay


@shared_task(name="analytics.follow")
def follow() -> None:
    """Count what happened since."""
    if followers.follow(counting.FOLLOWER):
        relay.hint(counting.FOLLOWER)


@shared_task(name="analytics.take_distributions")
def take_distributions() -> None:
    """Take what is due of whole games."""
    distributions.take_some()


@shared_task(name="analytics.keep")
def keep() -> None:
    """Delete what is kept no longer."""
    now = clock.now()
    retention.forget_hours(now=now)
    usage.keep(now=now)
