"""Queue ⇄ Python for webhooks."""

from celery import shared_task

from core import clock, followers, relay
from webhooks.services import deliveries, following


@shared_task(name="webhooks.follow")
def follow() -> None:
    """Queue what studios are to be told of what happened since."""
    if followers.follow(following.FOLLOWER):
        relay.hint(following.FOLLOWER)


@shared_task(name="webhooks.keep_deliveries")
def keep_deliveries() -> None:
    """Delete deliveries after 3 days, those that failed after 30."""
    deliveries.keep(now=clock.now())


@shared_task(name="webhooks.tidy")
def tidy() -> None:
    """Park what waits for disabled endpoints, and remove deleted ones."""
    deliveries.tidy(now=clock.now())
