"""Signing in: what leads in, what is told to whom who may not, and how often somebody may try."""

from typing import Any

import pytest
from django.core import signing
from django.test import override_settings

from accounts import known_browsers
from accounts.models import User
from config.embedded import Servers
from tests.accounts.entrance import (
    EMAIL,
    PASSWORD,
    SIGN_IN,
    browser,
    is_signed_in,
    sign_in,
    user,
)
from tests.patience import valkey_frozen

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def test_a_password_leads_to_the_portal_and_from_there_to_the_first_studio() -> None:
    user()
    client = browser()
    assert client.get("/portal/")["Location"] == "/account/login/?next=/portal/"
    assert sign_in(client)["Location"] == "/portal/"
    assert client.get("/portal/")["Location"] == "/portal/new"


def test_an_address_is_one_person_in_any_case() -> None:
    User.objects.create_superuser("Ada@Northlight.example", PASSWORD)
    client = browser()
    assert sign_in(client, "ADA@northlight.EXAMPLE").status_code == 302
    assert is_signed_in(client)


def test_a_session_begins_anew_at_signing_in_and_ends_at_signing_out() -> None:
    user()
    client = browser()
    client.session["fixed"] = True
    client.session.save()
    before = client.session.session_key
    sign_in(client)
    after = client.session.session_key
    assert after != before
    client.post("/account/logout/")
    stale = browser()
    for key in (before, after):
        stale.cookies["sessionid"] = str(key)
        assert not is_signed_in(stale)


def test_signing_out_takes_a_form() -> None:
    client = browser()
    client.force_login(user())
    assert client.get("/account/logout/").status_code == 200
    assert is_signed_in(client)


def test_no_page_is_shown_inside_another_and_none_has_scripts_of_its_own() -> None:
    client = browser()
    for path in (SIGN_IN, "/account/signup/", "/account/password/reset/", "/account/confirm-email/"):
        answer = client.get(path)
        policy = answer["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert "unsafe" not in policy
        assert answer["X-Frame-Options"] == "DENY"
        page = answer.content.decode()
        assert " style=" not in page
        assert page.count("<script") == page.count("<script src=") + page.count('type="application/json"')


def test_a_form_needs_its_token() -> None:
    user()
    strict = browser(enforce_csrf_checks=True)
    assert sign_in(strict).status_code == 403
    assert not is_signed_in(strict)


def test_an_address_tries_ten_times_and_is_told_how_long_to_wait() -> None:
    user()
    guesser = browser("198.51.100.1")
    for _ in range(10):
        assert sign_in(guesser, password="wrong").status_code == 422
    refused = sign_in(guesser)
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 15 * 60
    assert refused["Content-Type"].startswith("text/html")
    assert "Too many wrong passwords" in refused.content.decode()
    assert not is_signed_in(guesser)
    assert sign_in(browser("198.51.100.2")).status_code == 302


@pytest.mark.slow
def test_who_guesses_from_many_addresses_does_not_lock_the_owner_out() -> None:
    user()
    own = browser("203.0.113.1")
    sign_in(own)
    own.post("/account/logout/")
    for n in range(50):
        assert sign_in(browser(f"198.51.100.{n}"), password="wrong").status_code == 422
    assert sign_in(browser("198.51.100.99")).status_code == 429
    assert sign_in(own).status_code == 302
    assert is_signed_in(own)


@pytest.mark.slow
def test_a_known_browser_has_ten_tries_too_and_is_known_for_its_own_account_only() -> None:
    user()
    user("bram@northlight.example")
    own = browser()
    sign_in(own)
    own.post("/account/logout/")
    for _ in range(10):
        assert sign_in(own, password="wrong").status_code == 422
    assert sign_in(own).status_code == 429
    for _ in range(10):
        assert sign_in(own, "bram@northlight.example", "wrong").status_code == 422
    assert sign_in(own, "bram@northlight.example").status_code == 429


def test_a_right_password_is_not_counted() -> None:
    user()
    for _ in range(12):
        client = browser()
        assert sign_in(client).status_code == 302


def test_nobody_makes_a_known_browser_by_hand(settings: Any) -> None:
    user()
    client = browser()
    forged = signing.dumps(["x", [known_browsers._digest(EMAIL)]], salt="another")
    client.cookies[settings.KNOWN_BROWSER_COOKIE] = forged
    for _ in range(10):
        sign_in(client, password="wrong")
    client.cookies[settings.KNOWN_BROWSER_COOKIE] = forged[:-1]
    assert sign_in(client).status_code == 429


def test_a_browser_knows_five_people_and_forgets_who_came_longest_ago(settings: Any) -> None:
    names = [f"p{n}@northlight.example" for n in range(6)]
    client = browser()
    for name in names:
        user(name)
        sign_in(client, name)
        client.post("/account/logout/")
    browser_name, people = signing.loads(
        client.cookies[settings.KNOWN_BROWSER_COOKIE].value, salt="accounts.known_browsers"
    )
    assert browser_name
    assert people == [known_browsers._digest(name) for name in reversed(names[1:])]


def test_too_many_forms_of_any_kind_are_answered_with_a_page_of_ours() -> None:
    client = browser()
    for _ in range(20):
        assert client.post("/account/signup/", {"email": "x"}).status_code == 422
    refused = client.post("/account/signup/", {"email": "x"})
    assert refused.status_code == 429
    assert refused["Retry-After"] == "60"
    assert "Too many requests" in refused.content.decode()


def test_who_was_closed_out_is_told_so() -> None:
    closed = user()
    closed.is_active = False
    closed.save()
    client = browser()
    answer = sign_in(client)
    assert answer["Location"] == "/account/inactive/"
    assert "This account is closed" in client.get(answer["Location"]).content.decode()
    assert not is_signed_in(client)


def test_without_valkey_people_still_sign_in(servers: Servers) -> None:
    user()
    with valkey_frozen(servers):
        client = browser()
        assert sign_in(client, password="wrong").status_code == 422
        assert sign_in(client).status_code == 302
        assert is_signed_in(client)


def test_nothing_of_other_services_is_shown_where_none_is_configured() -> None:
    page = browser().get(SIGN_IN).content.decode()
    assert "Continue with" not in page
    assert browser().get("/account/signup/").content.decode().count("<form") == 3  # theme, language, its own


def test_a_configured_service_has_a_button_that_posts() -> None:
    app = {"APPS": [{"client_id": "id", "secret": "secret"}]}
    sso = {
        "APPS": [
            {
                "client_id": "id",
                "secret": "secret",
                "provider_id": "sso",
                "name": "sso.example",
                "settings": {"server_url": "https://sso.example"},
            }
        ]
    }
    with override_settings(SOCIALACCOUNT_PROVIDERS={"github": app, "openid_connect": sso}):
        page = browser().get(SIGN_IN).content.decode()
    assert "Continue with" not in page  # none of their apps is installed
