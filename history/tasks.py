"""Queue ⇄ Python for history."""

import structlog
from celery import shared_task

from core import clock, followers, relay
from core.redis import AWAY
from history import partitions
from history.services import dashboards, rolling

log = structlog.get_logger(__name__)


@shared_task(name="history.follow")
def follow() -> None:
    """Add up what happened since."""
    if followers.follow(rolling.FOLLOWER):
        relay.hint(rolling.FOLLOWER)


@shared_task(name="history.build_dashboards")
def build_dashboards() -> None:
    """Build dashboards that somebody waits for, or that a change has made stale, every second."""
    try:
        dashboards.build_some()
    except AWAY as error:
        log.warning("dashboards wait", error=str(error).split("\n")[0])


@shared_task(name="history.keep_partitions")
def keep_partitions() -> None:
    """Make the tables of the time to come, then archive and drop those that are over."""
    # Kept out of processes that archive nothing: its libraries take 60 MiB.
    from history.services import retention  # noqa: PLC0415

    now = clock.now()
    partitions.ensure(now=now)
    retention.apply(now=now)
