"""Who signs up to play lands on the player site; nobody learns who else has an account, or is led astray."""

from typing import Any

import pytest
from django.test import Client

from accounts.models import User
from tests import factories
from tests.accounts.entrance import EMAIL, PASSWORD, SIGN_IN, SIGN_UP, browser, link, mails, sign_in, user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.EMAIL_BACKEND = "core.mail.Queue"  # pytest-django sets another


def signed_up(client: Client, **fields: str) -> Any:
    """Sign up, prove the address in the same browser, and return where that leads."""
    client.post(SIGN_UP, {"email": EMAIL, "password1": PASSWORD, **fields})
    return client.post(link(mails()[0]))["Location"]


@pytest.mark.parametrize(
    ("fields", "lands", "lands_later"),
    [
        ({"next": "/me/friends"}, "/me/friends", "/me/"),
        ({"next": "/games/x"}, "/games/x", "/me/"),
        ({"next": "/portal/new"}, "/portal/new", "/portal/"),
        ({"purpose": "play"}, "/me/", "/me/"),
        ({"purpose": "make"}, "/portal/", "/portal/"),
        ({"next": "/account/email/", "purpose": "play"}, "/account/email/", "/me/"),
        ({"next": "/invitations/unknown"}, "/invitations/unknown", "/portal/"),
        ({"next": "/portal/", "purpose": "play"}, "/portal/", "/portal/"),
    ],
)
def test_who_came_to_play_is_led_to_the_player_site(
    fields: dict[str, str], lands: str, lands_later: str
) -> None:
    assert signed_up(browser(), **fields) == lands
    assert sign_in(browser())["Location"] == lands_later, "in another browser, later"


@pytest.mark.parametrize(
    ("fields", "theme"),
    [({"purpose": "make"}, "auto"), ({"purpose": "play"}, "dark"), ({"next": "/me/"}, "dark")],
)
def test_who_is_sent_to_his_mail_sees_the_theme_that_he_came_from(fields: dict[str, str], theme: str) -> None:
    user()
    for email in (EMAIL, "new@players.example"):
        somebody = browser()
        somebody.post(SIGN_UP, {"email": email, "password1": PASSWORD, **fields})
        assert f'data-bs-theme="{theme}"' in somebody.get("/account/confirm-email/").content.decode(), email


@pytest.mark.parametrize(("plays", "back"), [(True, "Back to your settings"), (False, "Back to the portal")])
def test_pages_about_an_account_lead_back_to_the_site_it_is_used_on(plays: bool, back: str) -> None:
    person = user()
    User.objects.filter(pk=person.pk).update(plays=plays)
    somebody = browser()
    sign_in(somebody)
    assert back in somebody.get("/account/password/change/").content.decode()


def test_the_question_is_put_where_the_page_does_not_answer_it() -> None:
    assert 'name="purpose"' in browser().get(SIGN_UP).content.decode()
    assert 'name="purpose"' not in browser().get(f"{SIGN_UP}?next=/me/").content.decode()
    assert f"{SIGN_UP}?next=%2Fme%2F" in browser().get(f"{SIGN_IN}?next=/me/").content.decode()


@pytest.mark.parametrize("fields", [{}, {"purpose": ""}, {"purpose": "both"}, {"next": "/account/email/"}])
def test_nobody_is_taken_for_a_maker_of_games_who_did_not_say_so(fields: dict[str, str]) -> None:
    answer = browser().post(SIGN_UP, {"email": EMAIL, "password1": PASSWORD, **fields})
    assert answer.status_code == 422
    text = answer.content.decode()
    assert 'href="#id_purpose_0"' in text
    assert 'aria-describedby="id_purpose_error"' in text
    assert not User.objects.exists()
    assert not mails()


def test_a_player_who_joined_a_studio_is_led_to_its_portal() -> None:
    made = user()
    User.objects.update(plays=True)
    assert sign_in(browser())["Location"] == "/me/"
    factories.studio().members.create(user=made, role="support")
    assert sign_in(browser())["Location"] == "/portal/"
