"""What allauth leaves to us: who may sign up, how often one may try, how secrets are kept, what status pages have."""

import base64
import hashlib
from functools import cache
from http import HTTPStatus
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.core.internal import ratelimit
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from cryptography.fernet import Fernet
from django.conf import settings
from django.contrib.auth import HASH_SESSION_KEY
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.deprecation import MiddlewareMixin
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import get_language, gettext
from django.utils.translation import gettext_lazy as _

from accounts import invitations, known_browsers, listening, selectors
from accounts.forms import CAME_TO, asked_for, purpose_of, unquoted_address
from accounts.hashing import TooMany
from accounts.models import User
from core.client_address import counted_address
from core.middleware import PagesOnly
from core.refusals import Conflict, Refused

LONGEST_EMAIL = 254
WAIT_S = 15 * 60  # the window of the limits in settings
NO_ADDRESS = "::"
PLAYERS_HOME = "/me/"
FOR_PLAYERS = frozenset({"steam", "discord", "twitch", "epicgames"})  # who makes games has other accounts


class TooOften(Refused):
    """Too many wrong passwords or codes."""

    slug = "rate-limited"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Retry-After": str(WAIT_S)})


def may_sign_up(request: HttpRequest, email: str | None) -> bool:
    """Say whether somebody may make an account, once it is known with that address.

    Everybody may, or who came by an invitation that is open, and only with the address that it was sent to.
    """
    return settings.SIGN_UP == "open" or invitations.is_invited(request, email)


def wants_to_play(came_from: str, purpose: str | None) -> bool:
    """Say whether who signs up is led to the player site: by the page that he came from, else by what he says."""
    return (purpose_of(came_from) or purpose) == "play"


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """Accounts by e-mail address and password."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Say whether somebody may sign up."""
        return may_sign_up(request, request.POST.get("email"))

    def is_email_verified(self, request: HttpRequest, email: str) -> bool:
        """Say whether an address needs no proof: an invitation's link was sent there."""
        return invitations.is_invited(request, email)

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return what limits count: an address, and of IPv6 the first one of its network.

        Devices are noted with it, and PostgreSQL takes addresses only.
        """
        counted = counted_address(request).partition("/")[0]
        return NO_ADDRESS if counted == "unknown" else counted

    def clean_email(self, email: str) -> str:
        """Return an address.

        Raises ValidationError for one that is too long, which would be kept shortened, or in quotes.
        """
        if len(email) > LONGEST_EMAIL:
            raise ValidationError(_("This address is too long."), code="too_long")
        unquoted_address(email)
        return email

    def save_user(self, request: HttpRequest, user: User, *args: Any, **kwargs: Any) -> User:
        """Save a new user, who hears from us in the language of the page from now on.

        Raises Conflict if another request took the address at the same moment.
        """
        user.language = get_language() or ""
        form: Any = args[0] if args else kwargs.get("form")
        user.plays = user.plays or wants_to_play(asked_for(request), form.cleaned_data.get("purpose"))
        try:
            with transaction.atomic():
                saved: User = super().save_user(request, user, *args, **kwargs)
        except IntegrityError:
            raise Conflict(
                gettext("This address was taken a moment ago. Sign in, or reset its password.")
            ) from None
        return saved

    def is_safe_url(self, url: str | None) -> bool:
        """Say whether somebody may be led on to an address: to pages of this instance only, under the name he is at."""
        here = url_has_allowed_host_and_scheme(url, allowed_hosts=None)
        return here and url is not None and url.startswith("/")

    def get_login_redirect_url(self, request: HttpRequest) -> str:
        """Return where who signs in is led to who came for no page in particular."""
        user = request.user
        plays = isinstance(user, User) and user.plays and not selectors.memberships(user.pk)
        return PLAYERS_HOME if plays else str(super().get_login_redirect_url(request))

    def get_signup_redirect_url(self, request: HttpRequest) -> str:
        """Return where who signed up is led to who came for no page in particular."""
        return self.get_login_redirect_url(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Count an attempt, which a right password takes back. Raises TooOften."""
        email = str(credentials.get("email") or credentials.get("username") or "").lower()
        browser = known_browsers.key(request, email)
        self._login_failed_rl_usage = ratelimit.consume(
            request,
            app="allauth.account",
            action="known_browser" if browser else "login_failed",
            key=browser or self._get_login_attempts_cache_key(request, email=email),
        )
        if not self._login_failed_rl_usage:
            raise TooOften(
                gettext("Too many wrong passwords. Wait a quarter of an hour, or reset the password.")
            )

    def authenticate(self, request: HttpRequest, **credentials: Any) -> User | None:
        """Return whose password it is. Raises TooOften, and TooMany, which counts for no attempt."""
        try:
            user: User | None = super().authenticate(request, **credentials)
        except TooMany:
            self._rollback_login_failed_rl_usage()
            raise
        return user

    def reauthenticate(self, user: User, password: str) -> bool:
        """Say whether it is somebody's password; its hash may be exchanged, which must not sign him out here."""
        is_right: bool = super().reauthenticate(user, password)
        session = context.request.session
        if is_right and HASH_SESSION_KEY in session:
            user.refresh_from_db(fields=["password"])
            session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        return is_right

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        """Return what an account's attempts are counted by, under whichever name this host is reached."""
        return str(credentials.get("email") or "").lower()

    def post_login(self, request: HttpRequest, user: User, **others: Any) -> HttpResponse:
        """Lead on, and know this browser from now on."""
        response: HttpResponse = super().post_login(request, user, **others)
        known_browsers.remember(request, response, user.email)
        return response

    def logout(self, request: HttpRequest) -> None:
        """Sign somebody out; what listens as his player in this browser ends with it."""
        key = request.session.session_key
        with transaction.atomic():
            super().logout(request)
            listening.stop(request, key)  # after it: what begins meanwhile holds the login, and is found

    def set_password(self, user: User, password: str) -> None:
        """Give an account another password: whoever signed in by the old one is out, and hears nothing more."""
        with transaction.atomic():
            super().set_password(user, password)
            listening.stop_everywhere(user)

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Queue a mail; its links begin with the instance's own address, whatever Host the request named."""
        super().send_mail(template_prefix, email, {**context, "public_url": settings.PUBLIC_URL})

    def get_reset_password_from_key_url(self, key: str) -> str:
        """Return the link of a mail that resets a password."""
        uid, _, token = key.partition("-")
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": uid, "key": token})
        return f"{settings.PUBLIC_URL}{path}"

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:
        """Return the link of a mail that proves an address."""
        return f"{settings.PUBLIC_URL}{reverse('account_confirm_email', args=[emailconfirmation.key])}"


class SocialAdapter(DefaultSocialAccountAdapter):  # type: ignore[misc]
    """Accounts that another service vouches for."""

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Say whether somebody may sign up."""
        # What is typed into the form counts, whatever the other service said.
        return may_sign_up(request, request.POST.get("email") or sociallogin.user.email or None)

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Say whether somebody becomes a user at once: where it is known what he comes for; else he is asked."""
        says = purpose_of(sociallogin.state.get("next") or "")
        is_known = bool(says) or sociallogin.account.provider in FOR_PLAYERS
        return is_known and bool(super().is_auto_signup_allowed(request, sociallogin))

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Take no address in quotes from another service: who signs up by it is asked for one that mail can go to."""
        sociallogin.email_addresses = [one for one in sociallogin.email_addresses if '"' not in one.email]
        if '"' in (sociallogin.user.email or ""):
            sociallogin.user.email = ""

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> User:
        """Save a new user, who plays if he came from a player's page or by a service for players."""
        came_from = sociallogin.state.get("next") or ""
        purpose = (form.cleaned_data.get("purpose") if form else "") or (
            "play" if sociallogin.account.provider in FOR_PLAYERS else "make"
        )
        sociallogin.user.plays = wants_to_play(came_from, purpose)
        user: User = super().save_user(request, sociallogin, form)
        return user


class FactorAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    """Second factors: their secrets are encrypted with a key of SECRET_KEY, so that a copy of the database has none."""

    def generate_authenticator_name(self, user: User, type: Authenticator.Type) -> str:
        """Return how a new key is called until its owner calls it something else."""
        number = Authenticator.objects.filter(user=user, type=type).count() + 1
        return gettext("Key {number}").format(number=number)

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Return for which host a passkey is, and how browsers name it."""
        return {**super().get_public_key_credential_rp_entity(), "name": "Laurel"}

    def encrypt(self, text: str) -> str:
        """Return a secret as it is stored."""
        return _fernet().encrypt(text.encode()).decode()

    def decrypt(self, encrypted_text: str) -> str:
        """Return a stored secret. Raises cryptography's InvalidToken when SECRET_KEY is another."""
        return _fernet().decrypt(encrypted_text.encode()).decode()


def shown(request: HttpRequest) -> dict[str, Any]:
    """Give the pages around signing in the theme of the site that they are the door of, where nobody chose one.

    The players' pages and the front page are dark; the portal follows the system, for members of studios and those on
    their way to it. `is_for_players` says which site they lead back to.
    """
    if not request.path.startswith("/account/") or purpose_of(asked_for(request)) == "make":
        return {}
    if getattr(request, "is_refused", False):
        return {"default_theme": "dark"}  # the database may be what does not answer
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return {} if request.session.get(CAME_TO) == "make" else {"default_theme": "dark"}
    return {} if selectors.memberships(user.pk) else {"default_theme": "dark", "is_for_players": user.plays}


class Statuses(PagesOnly, MiddlewareMixin):
    """Gives allauth's pages the statuses that ours have: 422 with a form's errors, 410 for a link that is used up."""

    def process_template_response(self, request: HttpRequest, response: TemplateResponse) -> TemplateResponse:
        """Set the status of a page around signing in, before it is rendered."""
        match = request.resolver_match
        name = match.url_name if match else None
        if name and name.startswith(_NAMES) and response.status_code == HTTPStatus.OK:
            response.status_code = _status(response)
        return response


_NAMES = ("account_", "mfa_", "socialaccount_")


def _status(response: TemplateResponse) -> HTTPStatus:
    shown = response.context_data or {}
    if shown.get("token_fail") or ("confirmation" in shown and not shown["confirmation"]):
        return HTTPStatus.GONE
    if response.template_name == "account/signup_closed.html":
        return HTTPStatus.FORBIDDEN
    forms = (shown.get("form"), shown.get("webauthn_form"))
    if any(form is not None and form.is_bound and form.errors for form in forms):
        return HTTPStatus.UNPROCESSABLE_ENTITY
    return HTTPStatus.OK


@cache
def _fernet() -> Fernet:
    key = hashlib.sha256(b"laurel second factors " + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
