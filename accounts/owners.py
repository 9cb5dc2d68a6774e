"""Owners of studios: where the instance says so, a password alone does not open what is theirs (ADR 0061)."""

from allauth.mfa.models import Authenticator
from django.conf import settings

from accounts.models import Role, User

OWNER = Role.OWNER.value
FACTORS = (Authenticator.Type.TOTP, Authenticator.Type.WEBAUTHN)  # recovery codes stand in for one of these


def lacks_factor(user: User) -> bool:
    """Say whether somebody, as an owner, still has to set up a second factor."""
    needs = settings.OWNERS_NEED_SECOND_FACTOR
    return needs and not has_factor(user)


def has_factor(user: User) -> bool:
    """Say whether somebody has set up an app or a passkey, and is asked for it when he signs in."""
    has: bool = Authenticator.objects.filter(user=user, type__in=FACTORS).exists()
    return has
