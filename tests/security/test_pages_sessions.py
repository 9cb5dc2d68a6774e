"""Logins end when they are to: by their owner, by a new password, by an operator; with what listens beside them."""

from collections.abc import Callable
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import sessions
from accounts.models import User
from tests.accounts.entrance import EMAIL, PASSWORD, RESET, browser, is_signed_in, link, mails, sign_in, user

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
NEW = "quarry and heather 7"


@pytest.fixture(autouse=True)
def _mail(settings: Any) -> None:
    settings.EMAIL_BACKEND = "core.mail.Queue"  # pytest-django sets another


@pytest.fixture
def ada() -> User:
    return user()


def listening(address: str) -> Client:
    """Return a browser that is signed in, and whose page listens."""
    client = browser(address)
    assert sign_in(client).status_code == 302
    assert client.get("/me/").status_code == 200
    assert hears(client)
    return client


def hears(client: Client) -> bool:
    return sessions.holder(client.cookies["laurel_player"].value, at=timezone.now()) is not None


@pytest.fixture
def here(ada: User) -> Client:
    return listening("203.0.113.1")


@pytest.fixture
def there(ada: User) -> Client:
    return listening("198.51.100.1")


def operator() -> Client:
    client = Client(headers={"Accept": "text/html"})
    client.force_login(User.objects.create_superuser("operator@example.com", PASSWORD))
    return client


def device(client: Client) -> int:
    found: int = UserSession.objects.get(session_key=client.session.session_key).pk
    return found


def end_device(here: Client, there: Client, ada: User) -> None:
    assert here.post("/me/settings/devices", {"device": device(there)}).status_code == 302


def end_others(here: Client, there: Client, ada: User) -> None:
    assert here.post("/me/settings/devices", {"device": "others"}).status_code == 302


def change_password(here: Client, there: Client, ada: User) -> None:
    fields = {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW}
    assert here.post("/account/password/change/", fields).status_code == 302


@pytest.mark.parametrize("ends", [end_device, end_others, change_password])
def test_what_is_ended_elsewhere_is_signed_out_at_the_next_request(
    here: Client, there: Client, ada: User, ends: Callable[[Client, Client, User], None]
) -> None:
    ends(here, there, ada)
    assert not hears(there)
    assert not is_signed_in(there)
    assert there.get("/me/").status_code == 302
    assert there.post("/me/session").status_code == 401
    assert is_signed_in(here)


def test_a_password_that_was_lost_signs_everybody_out(here: Client, there: Client) -> None:
    browser().post(RESET, {"email": EMAIL})
    client = browser("192.0.2.1")
    page = client.get(link(mails()[-1]))
    assert client.post(page["Location"], {"password1": NEW, "password2": NEW}).status_code == 302
    for one in (here, there):
        assert not hears(one)
        assert not is_signed_in(one)


def test_a_password_that_an_operator_gives_signs_everybody_out(
    here: Client, there: Client, ada: User
) -> None:
    path = reverse("admin:auth_user_password_change", args=[ada.pk])
    form = {"usable_password": "true", "password1": NEW, "password2": NEW}
    assert operator().post(path, form).status_code == 302
    for one in (here, there):
        assert not hears(one)
        assert not is_signed_in(one)
    assert sign_in(browser(), password=NEW).status_code == 302


def test_who_is_locked_out_is_out_everywhere(here: Client, there: Client, ada: User) -> None:
    form = {"email": EMAIL, "date_joined_0": "2026-01-01", "date_joined_1": "00:00:00"}
    assert operator().post(reverse("admin:accounts_user_change", args=[ada.pk]), form).status_code == 302
    for one in (here, there):
        assert not hears(one)
        assert not is_signed_in(one)
    assert not UserSession.objects.filter(user=ada).exists()
