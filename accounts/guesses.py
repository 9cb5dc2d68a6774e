"""Link codes that were not valid: a studio, each of its ids, and each account may give so many and then have to wait.

(ADR 0031, 0051)
"""

from datetime import datetime, timedelta

from django.db import connection

from accounts.models import AccountLinkFailure, LinkFailure
from core.refusals import Refused

WINDOW = timedelta(minutes=15)
MOST_FAILURES = 10  # of one id of a studio in the window
MOST_FAILURES_OF_STUDIO = 100  # of all its ids: else it would try with another id each time
_DELETED_AT_ONCE = 100
_LOCK_SPACE, _ACCOUNTS_LOCK_SPACE = 0x4C4B, 0x4C4D  # keep our advisory locks apart from others'
_TOO_MANY = "Too many link codes that are not valid. Wait, then ask the person for a new code."


def take_turns(studio_id: int) -> None:
    """Let one attempt of a studio run at a time: so failures are counted without a gap."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_LOCK_SPACE, studio_id])


def require_few(studio_id: int, external_id: str, *, at: datetime) -> None:
    """Refuse a studio, or one of its ids, that guessed too often lately. Raises Refused (`rate-limited`)."""
    recent = LinkFailure.objects.filter(studio_id=studio_id, at__gt=at - WINDOW).order_by("-at")
    times = list(recent.values_list("external_id", "at")[:MOST_FAILURES_OF_STUDIO])
    mine = [failed_at for name, failed_at in times if name == external_id]
    blocking = None
    if len(times) >= MOST_FAILURES_OF_STUDIO:
        blocking = times[-1][1]
    elif len(mine) >= MOST_FAILURES:
        blocking = mine[MOST_FAILURES - 1]
    if blocking is not None:
        raise _too_many(_TOO_MANY, blocking, at=at)


def _too_many(said: str, blocking: datetime, *, at: datetime) -> Refused:
    wait = max(1, int((blocking + WINDOW - at).total_seconds()) + 1)
    return Refused(said, slug="rate-limited", headers={"Retry-After": str(wait)})


def note(studio_id: int, external_id: str, *, at: datetime) -> None:
    """Count a code that was not valid; the caller commits it with his refusal."""
    LinkFailure.objects.create(studio_id=studio_id, external_id=external_id, at=at)


def take_turns_of_account(user_id: int) -> None:
    """Let one attempt of an account run at a time."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [_ACCOUNTS_LOCK_SPACE, user_id])


def require_few_of_account(user_id: int, *, at: datetime) -> None:
    """Refuse an account that guessed too often lately. Raises Refused (`rate-limited`)."""
    recent = AccountLinkFailure.objects.filter(user_id=user_id, at__gt=at - WINDOW).order_by("-at")
    times = list(recent.values_list("at", flat=True)[:MOST_FAILURES])
    if len(times) >= MOST_FAILURES:
        said = (
            "Too many codes that are not valid. Wait a quarter of an hour, then let your game show a new one."
        )
        raise _too_many(said, times[-1], at=at)


def note_of_account(user_id: int, *, at: datetime) -> None:
    """Count a code that was not valid; the caller commits it with his refusal."""
    AccountLinkFailure.objects.create(user_id=user_id, at=at)


_FORGET = """
    DELETE FROM {table} WHERE id = ANY(ARRAY(
        SELECT id FROM {table} WHERE at < %s LIMIT %s FOR UPDATE SKIP LOCKED))
"""


def forget_some(*, at: datetime) -> None:
    """Delete some of the failures that count no more."""
    with connection.cursor() as cursor:
        for table in ("accounts_linkfailure", "accounts_accountlinkfailure"):
            cursor.execute(_FORGET.format(table=table), [at - WINDOW, _DELETED_AT_ONCE])
