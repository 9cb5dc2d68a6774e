"""Where somebody is signed in: the login sessions of an account, as allauth notes them, and their end."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from allauth.usersessions.models import UserSession
from django.db import transaction
from django.http import HttpRequest

from accounts import sessions
from accounts.models import User
from core import shifts
from core.db import run_prepared

SEEN_EVERY: Final = timedelta(minutes=10)  # how exact the last sign of life is
_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Device:
    """A browser in which somebody is signed in; `address` is the network address that it was seen at last."""

    id: int
    name: str
    address: str
    since: datetime
    seen_at: datetime
    is_this: bool


def devices(request: HttpRequest, user: User) -> list[Device]:
    """Return where a user is signed in: this browser first, then who was seen last."""
    know(request)
    found = [
        Device(
            id=row.pk,
            name=browser_name(row.user_agent),
            address=row.ip,
            since=row.created_at,
            seen_at=row.last_seen_at,
            is_this=row.session_key == request.session.session_key,
        )
        for row in UserSession.objects.purge_and_list(user)
    ]
    return sorted(found, key=lambda one: (one.is_this, one.seen_at), reverse=True)


def know(request: HttpRequest) -> None:
    """Note a browser that signed in before devices were noted."""
    if not UserSession.objects.filter(session_key=request.session.session_key).exists():
        UserSession.objects.create_from_request(request)


_SEEN = """
UPDATE usersessions_usersession SET last_seen_at = $2 WHERE session_key = $1 AND last_seen_at < $3 RETURNING 1
"""


def seen(request: HttpRequest, *, at: datetime, is_new: bool) -> None:
    """Note that a browser is used, once in a while; of one that is new here, that it is signed in at all."""
    if is_new:
        know(request)
    run_prepared(_SEEN, [request.session.session_key or "", at, at - SEEN_EVERY])


def end(user: User, device_id: int, *, at: datetime) -> bool:
    """Sign a user out in one browser; what listens there ends with it. Say whether there was one."""
    return _end(list(UserSession.objects.filter(user=user, pk=device_id)), at=at)


def end_others(request: HttpRequest, user: User, *, at: datetime) -> bool:
    """Sign a user out in every browser but this one; say whether there was any."""
    rows = UserSession.objects.filter(user=user).exclude(session_key=request.session.session_key)
    return _end(list(rows), at=at)


def end_all(user: User, *, at: datetime) -> None:
    """Sign a user out everywhere: his account goes."""
    _end(list(UserSession.objects.filter(user=user)), at=at)


def _end(rows: list[UserSession], *, at: datetime) -> bool:
    with transaction.atomic():
        for row in sorted(
            rows, key=lambda one: one.session_key
        ):  # in one order: who ends the same ones waits
            row.end()
        # After that: what begins meanwhile holds its login (accounts/logins.py), and is found.
        sessions.end_of_logins([sessions.login_of(row.session_key) for row in rows], at=at)
    return bool(rows)


_FORGET = """
WITH gone AS (DELETE FROM usersessions_usersession WHERE id IN (
    SELECT u.id FROM usersessions_usersession u
     WHERE NOT EXISTS (SELECT FROM django_session s WHERE s.session_key = u.session_key AND s.expire_date > now())
     LIMIT $1) RETURNING 1) SELECT count(*) FROM gone
"""


def keep() -> None:
    """Forget browsers whose logins have ended."""
    while not shifts.is_over() and run_prepared(_FORGET, [_AT_ONCE])[0][0]:
        pass


# The first that is found: most browsers name others, too.
_BROWSERS: Final = (
    ("Edg", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("Chrom", "Chrome"),
    ("CriOS/", "Chrome"),
    ("Safari/", "Safari"),
)
_SYSTEMS: Final = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("CrOS", "ChromeOS"),
    ("Linux", "Linux"),
)


def browser_name(user_agent: str) -> str:
    """Return what people call a browser and what it runs on, as far as it says: `Firefox on Linux`."""
    browser = next((name for sign, name in _BROWSERS if sign in user_agent), "")
    system = next((name for sign, name in _SYSTEMS if re.search(rf"\b{sign}", user_agent)), "")
    if not browser:
        return f"A program on {system}" if system else "An unknown browser"
    return f"{browser} on {system}" if system else browser
