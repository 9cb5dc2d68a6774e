"""The scheduled jobs of the log, of mail, and of the audit log."""

from celery import shared_task
from celery.signals import worker_shutting_down

from core import clock, followers, log_keeping, mail, relay
from core.audit import sealing
from core.exports import making


@shared_task(name="core.sweep")
def sweep() -> None:
    """Hint every follower that is behind: what the relay missed, or all of it while no relay runs."""
    relay.hint_all_behind()


@shared_task(name="core.keep_log")
def keep_log() -> None:
    """Make and drop the log's days."""
    log_keeping.keep(now=clock.now())


@shared_task(name="core.send_mail")
def send_mail() -> None:
    """Send the mail that waits."""
    mail.send_waiting(now=clock.now())


@shared_task(name="core.seal_audit")
def seal_audit() -> None:
    """Seal what was written to the audit log."""
    sealing.seal()


@shared_task(name="core.run_exports")
def run_exports() -> None:
    """Go on with the files that studios wait for."""
    making.run_some(now=clock.now())


@worker_shutting_down.connect
def stop_following(**_: object) -> None:
    """Let lingering followers end, so that a worker stops at once."""
    followers.stopping.set()
