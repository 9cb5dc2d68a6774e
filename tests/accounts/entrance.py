"""People at the portal's entrance, and the mail they get."""

import re
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal import auth
from django.test import Client
from django.utils import timezone
from post_office.models import Email

from accounts.models import User

EMAIL, PASSWORD = "ada@northlight.example", "a-long-enough-password"
SIGN_IN, SIGN_UP, RESET = "/account/login/", "/account/signup/", "/account/password/reset/"


def browser(address: str = "198.51.100.7", **options: Any) -> Client:
    """Return a browser at an address."""
    return Client(headers={"Accept": "text/html"}, REMOTE_ADDR=address, **options)


def user(email: str = EMAIL, password: str = PASSWORD) -> User:
    """Return somebody who has signed up and proved the address."""
    made = User.objects.create_user(email, password)
    EmailAddress.objects.create(user=made, email=email, verified=True, primary=True)
    return made


def sign_in(client: Client, email: str = EMAIL, password: str = PASSWORD, **others: str) -> Any:
    """Send the form."""
    return client.post(SIGN_IN, {"login": email, "password": password, **others})


def is_signed_in(client: Client) -> bool:
    """Say whether a page that needs somebody lets the browser in."""
    return client.get("/account/2fa/").status_code == 200


def mails(to: str = EMAIL) -> list[Email]:
    """Return the mail that waits for somebody, in the order in which it was written."""
    return [mail for mail in Email.objects.order_by("pk") if mail.to == [to]]


def link(mail: Email) -> str:
    """Return the path of the first link in a mail."""
    found = re.search(r"https?://\S+", mail.message)
    assert found is not None, mail.message
    return urlsplit(found[0]).path


def app(owner: User) -> str:
    """Give somebody an authenticator app, set up a while ago; return its secret."""
    secret: str = auth.generate_totp_secret()
    made = auth.TOTP.activate(owner, secret).instance
    Authenticator.objects.filter(pk=made.pk).update(created_at=timezone.now() - timedelta(hours=1))
    return secret


def code(secret: str, *, steps: int = 0) -> str:
    """Return what the app shows, now or some steps of 30 seconds later."""
    _, step, _ = auth.yield_hotp_counters_from_time()
    shown: str = auth.format_hotp_value(auth.hotp_value(secret, step + steps))
    return shown


def recovery_codes(owner: User) -> list[str]:
    """Give somebody recovery codes."""
    codes: list[str] = RecoveryCodes.activate(owner).generate_codes()
    return codes
