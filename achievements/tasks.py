"""Queue ⇄ Python for achievements."""

import structlog
from celery import shared_task

from achievements.services import backfills, counters, icons, progress, recounting
from core import clock, followers, relay

log = structlog.get_logger(__name__)


@shared_task(name="achievements.follow")
def follow() -> None:
    """Count what was unlocked since, and move totals with their players."""
    if followers.follow(counters.FOLLOWER):
        relay.hint(counters.FOLLOWER)


@shared_task(name="achievements.reconcile_rarity")
def reconcile_rarity() -> None:
    """Compare rarity's counters with what is stored, every night."""
    corrected = recounting.recount()
    if corrected:
        log.warning("rarity counters corrected", counters=corrected)


@shared_task(name="achievements.keep_progress")
def keep_progress() -> None:
    """Let go of the events of old reports."""
    progress.forget_events(now=clock.now())


@shared_task(name="achievements.backfill")
def backfill() -> None:
    """Give achievements to those who meet them since a definition changed."""
    backfills.run_some(now=clock.now())


@shared_task(name="achievements.keep_icons")
def keep_icons() -> None:
    """Remove icons that nothing has named for days."""
    icons.sweep(at=clock.now())
