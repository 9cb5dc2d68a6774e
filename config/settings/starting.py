"""With what an instance that others reach does not start: each process reads this, and ends with words that help.

What only PostgreSQL knows is asked by core/starting.py.
"""

from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from config.settings.apps import IN_PRODUCTION, LOOPBACK_NAMES, PUBLIC_URL
from config.settings.environment import DEBUG
from config.settings.security import ALLOWED_HOSTS, SECRET_KEY

__all__: list[str] = []

_LEAST_LENGTH = 50
_LEAST_DIFFERENT = 10  # characters
# Those of this repository's tests, and what others' examples have in its place.
_KNOWN = (
    "known-to-everybody",
    "only-for-debugging",
    "django-insecure-",
    "change",
    "secret",
    "example",
    "insecure",
)
_MAKE_ONE = "`python3 -c 'import secrets; print(secrets.token_urlsafe(48))'` makes one; keep it."


def _faults() -> list[str]:
    """Return what is wrong, and what to do about it."""
    if DEBUG and urlsplit(PUBLIC_URL).hostname not in (*LOOPBACK_NAMES, "::1"):
        danger = f"DEBUG is on, and PUBLIC_URL is {PUBLIC_URL}: whoever causes an error there reads settings and code."
        return [
            f"{danger} Set DEBUG=0, or PUBLIC_URL to an address of this machine alone (http://127.0.0.1:8000)."
        ]
    if not IN_PRODUCTION:
        return []
    found = []
    if len(SECRET_KEY) < _LEAST_LENGTH or len(set(SECRET_KEY)) < _LEAST_DIFFERENT:
        found.append(
            f"SECRET_KEY is too short to be a secret: set it to 50 or more random characters. {_MAKE_ONE}"
        )
    elif SECRET_KEY.lower().startswith(_KNOWN):
        found.append(f"SECRET_KEY is one that everybody can read: set it to random characters. {_MAKE_ONE}")
    if "*" in ALLOWED_HOSTS:
        found.append(
            "ALLOWED_HOSTS holds *, so a request may name any host: name those that lead here, separated by commas, "
            f"or leave ALLOWED_HOSTS out and it is {urlsplit(PUBLIC_URL).hostname}."
        )
    return found


if faults := _faults():
    raise ImproperlyConfigured(" ".join(["Laurel does not start.", *faults]))
