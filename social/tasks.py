"""Social's tasks: following the log, and keeping the inbox."""

from celery import shared_task

from core import clock, followers, relay
from social import fanning, services


@shared_task(name="social.follow")
def follow() -> None:
    """Tell players of what the log has to say since the last time."""
    if followers.follow("social"):
        relay.hint("social")


@shared_task(name="social.tell_due")
def tell_due() -> None:
    """Tell players of progress that had to wait, every second."""
    services.tell_due(now=clock.now())


@shared_task(name="fanning.follow")
def follow_for_friends() -> None:
    """Tell players' friends of what they unlocked since the last time."""
    if followers.follow(fanning.FOLLOWER):
        relay.hint(fanning.FOLLOWER)


@shared_task(name="social.tell_friends")
def tell_friends() -> None:
    """Tell players' friends of what had to wait for its minute, every second."""
    fanning.tell_friends(now=clock.now())


@shared_task(name="social.keep_inbox")
def keep_inbox() -> None:
    """Delete notifications after 30 days, and what friends were told after an hour."""
    now = clock.now()
    services.keep_inbox(now=now)
    fanning.forget_old(now=now)
