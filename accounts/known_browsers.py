"""Browsers that somebody signed in with before: who guesses at an account from elsewhere locks its owner out of none.

A cookie proves it. It opens nothing: its bearer only has a count of wrong passwords of his own.
"""

import secrets
from typing import Any

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import salted_hmac

_SALT = "accounts.known_browsers"
_KEPT_S = 365 * 24 * 3600
_PEOPLE = 5  # of one browser


def key(request: HttpRequest, email: str) -> str:
    """Return what the attempts of this browser at an account are counted by; empty if it is not known."""
    browser, people = _read(request)
    person = _digest(email)
    return f"{browser}:{person}" if person in people else ""


def remember(request: HttpRequest, response: HttpResponse, email: str) -> None:
    """Let the browser that gets the response be known as one of the account's."""
    browser, people = _read(request)
    person = _digest(email)
    newest = [person, *(one for one in people if one != person)][:_PEOPLE]
    response.set_cookie(
        settings.KNOWN_BROWSER_COOKIE,
        signing.dumps([browser or secrets.token_urlsafe(12), newest], salt=_SALT),
        max_age=_KEPT_S,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def _read(request: HttpRequest) -> tuple[str, list[str]]:
    try:
        read: Any = signing.loads(
            request.COOKIES.get(settings.KNOWN_BROWSER_COOKIE, ""), salt=_SALT, max_age=_KEPT_S
        )
    except signing.BadSignature:
        return "", []
    return str(read[0]), [str(one) for one in read[1]]


def _digest(email: str) -> str:
    return salted_hmac(_SALT, email.lower()).hexdigest()[:20]
