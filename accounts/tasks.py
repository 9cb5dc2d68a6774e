"""Queue ⇄ Python for accounts."""

from celery import shared_task

from accounts import avatars, devices, invitations, sessions, signatures
from accounts.calls import keeping
from accounts.erasure import finishing
from core import clock


@shared_task(name="accounts.keep_sessions")
def keep_sessions() -> None:
    """Delete sessions, devices, dismissals, nonces and invitations that are over, and pictures nobody has any more."""
    now = clock.now()
    sessions.keep(now=now)
    invitations.keep(now=now)
    devices.keep()
    signatures.keep(now=now)
    avatars.sweep(at=now)


@shared_task(name="accounts.keep_calls")
def keep_calls() -> None:
    """Make and drop the request log's days."""
    keeping.keep(now=clock.now())


@shared_task(name="accounts.finish_erasures")
def finish_erasures() -> None:
    """Look for what is left of people who are being erased."""
    finishing.finish_some(now=clock.now())
