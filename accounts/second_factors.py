"""Codes of second factors: each is taken once, and few wrong ones are."""

from collections.abc import Iterator

import structlog
from allauth.core import context
from allauth.core.internal import ratelimit
from allauth.core.internal.cryptokit import compare_user_code
from allauth.mfa import app_settings
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base import forms
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import forms as totp_forms
from allauth.mfa.totp.internal import auth
from allauth.mfa.utils import decrypt
from cryptography.fernet import InvalidToken
from django.core.exceptions import ValidationError
from django.db import connection
from django.utils.translation import gettext

from accounts import devices, known_browsers, owners
from accounts.models import User
from accounts.signing_in import TooOften
from core import clock

log = structlog.get_logger(__name__)

# A code is taken if it is younger than the last one that was, and than the one that proved the app.
_TAKE = """
    UPDATE mfa_authenticator SET data = jsonb_set(data, '{taken}', to_jsonb(%(step)s::bigint))
     WHERE id = %(id)s AND coalesce((data ->> 'taken')::bigint, 0) < %(step)s
       AND floor(extract(epoch FROM created_at) / %(period)s) < %(step)s
"""


class _Code:
    """What both forms that ask for a code do."""

    def clean_code(self) -> str:
        """Return the code. Raises TooOften, or ValidationError for one that is wrong or was taken before."""
        user = self.user  # type: ignore[attr-defined]
        # Who has learned the password and guesses on elsewhere keeps the owner from none of his own browsers.
        counted = known_browsers.key(context.request, user.email) or str(user.pk)
        if not ratelimit.consume(context.request, app="allauth.account", action="second_factor", key=counted):
            log.warning("too many second factors", user=user.pk)
            raise TooOften(gettext("Too many wrong codes. Wait a quarter of an hour."))
        try:
            code: str = super().clean_code()  # type: ignore[misc]
            if not _is_taken(self.authenticator, code):  # type: ignore[attr-defined]
                raise get_adapter().validation_error("incorrect_code")
        except ValidationError:
            log.warning("second factor refused", user=user.pk)
            raise
        except InvalidToken:
            log.exception("second factor is encrypted with another SECRET_KEY", user=user.pk)
            raise get_adapter().validation_error("incorrect_code") from None
        return code


class AuthenticateForm(_Code, forms.AuthenticateForm):  # type: ignore[misc]
    """A code at signing in."""


class ReauthenticateForm(_Code, forms.ReauthenticateForm):  # type: ignore[misc]
    """A code before something that needs one anew."""


class ActivateForm(totp_forms.ActivateTOTPForm):  # type: ignore[misc]
    """A new app."""

    def clean_code(self) -> str:
        """Return the code that proves it."""
        code: str = super().clean_code()
        end_logins_without(self.user)
        return code


def end_logins_without(user: User) -> None:
    """Sign somebody out elsewhere who is about to set up his first factor: there a password alone opened the door."""
    if not owners.has_factor(user):
        devices.end_others(context.request, user, at=clock.now())


def _is_taken(authenticator: Authenticator, code: str) -> bool:
    """Take a code, in PostgreSQL: Valkey may be away. Recovery codes were taken when they were checked."""
    if authenticator.type != Authenticator.Type.TOTP:
        return True
    return any(_take(authenticator, step) for step in _steps_of(authenticator, code))


def _steps_of(authenticator: Authenticator, code: str) -> Iterator[int]:
    secret = decrypt(authenticator.data["secret"])
    for step in auth.yield_hotp_counters_from_time():
        if compare_user_code(actual=code, expected=auth.format_hotp_value(auth.hotp_value(secret, step))):
            yield step


def _take(authenticator: Authenticator, step: int) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, {"id": authenticator.pk, "step": step, "period": app_settings.TOTP_PERIOD})
        return bool(cursor.rowcount == 1)
