"""Who may sign up to the portal, and how secrets of second factors are kept: what allauth leaves to us."""

import base64
import hashlib
from functools import cache
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from cryptography.fernet import Fernet
from django.conf import settings
from django.http import HttpRequest

from accounts import invitations


def may_sign_up(request: HttpRequest, email: str | None) -> bool:
    """Say whether somebody may make an account, once it is known with that address.

    Everybody may, or who came by an invitation that is open, and only with the address that it was sent to.
    """
    return settings.SIGN_UP == "open" or invitations.is_invited(request, email)


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts by e-mail address and password."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Say whether somebody may sign up."""
        return may_sign_up(request, request.POST.get("email"))

    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        """Say whether an address needs no proof: an invitation's link was sent there."""
        return invitations.is_invited(request, email)

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address that limits count, as those of django-ratelimit do."""
        address: str = request.META.get(settings.RATELIMIT_IP_META_KEY) or request.META.get("REMOTE_ADDR", "")
        return address


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Accounts that another service vouches for."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Say whether somebody may sign up."""
        # What is typed into the form counts, whatever the other service said.
        return may_sign_up(request, request.POST.get("email") or sociallogin.user.email or None)


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors: their secrets are encrypted with a key of SECRET_KEY, so that a copy of the database has none."""

    def encrypt(self, text: str) -> str:
        """Return a secret as it is stored."""
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return a stored secret. Raises cryptography's InvalidToken when SECRET_KEY is another."""
        return _fernet().decrypt(encrypted_text.encode()).decode()


@cache
def _fernet() -> Fernet:
    key = hashlib.sha256(b"laurel second factors " + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
