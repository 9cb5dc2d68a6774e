"""Queue ⇄ Python for history."""

from celery import shared_task
from django.utils import timezone

from core import followers, relay
from history import partitions
from history.services import rolling


@shared_task(name="history.follow")
def follow() -> None:
    """Add up what happened since."""
    if followers.follow(rolling.FOLLOWER):
        relay.hint(rolling.FOLLOWER)


@shared_task(name="history.keep_partitions")
def keep_partitions() -> None:
    """Make the tables of the time to come."""
    partitions.ensure(now=timezone.now())
