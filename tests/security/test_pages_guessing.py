"""Secrets that are guessed, by hand or by a thousand machines: few tries each, and no owner is locked out by them."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from tests.accounts.entrance import (
    EMAIL,
    PASSWORD,
    app,
    browser,
    code,
    is_signed_in,
    recovery_codes,
    sign_in,
    user,
)

pytestmark = [pytest.mark.django_db, pytest.mark.slow]
ENTER = "/account/2fa/authenticate/"
TRIES = 10


@pytest.fixture(autouse=True)
def _nothing_counted() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def ada() -> User:
    return user()


def tried(attempt: Callable[[], Any], *, times: int = TRIES) -> Any:
    """Return the answer to one attempt more than there are tries; those before are each told that they are wrong."""
    for _ in range(times):
        assert attempt().status_code == 422
    answer = attempt()
    assert (answer.status_code, "Retry-After" in answer.headers) == (429, True)
    return answer


def own(ada: User) -> Client:
    """Return a browser that its owner signed in with before."""
    client = browser("203.0.113.1")
    sign_in(client)
    client.post("/account/logout/")
    return client


def test_a_network_has_as_many_tries_as_an_address(ada: User) -> None:
    hosts = iter(range(1, 100))
    tried(lambda: sign_in(browser(f"2001:db8:1:2::{next(hosts):x}"), f"p{next(hosts)}@x.example", "wrong"))
    assert sign_in(browser("2001:db8:1:3::1")).status_code == 302


def test_addresses_of_ipv4_that_are_written_as_ipv6_are_counted_one_by_one(ada: User) -> None:
    tried(lambda: sign_in(browser("::ffff:198.51.100.1"), password="wrong"))
    assert sign_in(browser("::ffff:198.51.100.2")).status_code == 302


def test_who_sits_at_another_s_browser_guesses_his_password_ten_times(ada: User) -> None:
    client = browser()
    client.force_login(ada)
    tried(lambda: client.post("/account/reauthenticate/", {"password": "wrong"}))
    assert client.post("/account/reauthenticate/", {"password": PASSWORD}).status_code == 429
    assert sign_in(browser("203.0.113.9")).status_code == 302


def test_neither_does_the_form_for_a_new_password_tell_the_old_one(ada: User) -> None:
    client = browser()
    client.force_login(ada)
    new = {"password1": "quarry and heather 7", "password2": "quarry and heather 7"}
    before = User.objects.get().password
    for _ in range(TRIES):
        assert client.post("/account/password/change/", {"oldpassword": "wrong", **new}).status_code == 422
    assert client.post("/account/password/change/", {"oldpassword": PASSWORD, **new}).status_code == 429
    assert User.objects.get().password == before


@pytest.mark.parametrize("kind", ["app", "recovery"])
def test_who_has_the_password_guesses_ten_codes_and_its_owner_still_signs_in(ada: User, kind: str) -> None:
    known = own(ada)
    secret = app(ada)
    recovery_codes(ada)
    thieves = [browser(f"198.51.100.{n}") for n in range(TRIES + 1)]
    for thief in thieves:
        assert sign_in(thief)["Location"] == ENTER
    wrong = {"app": "000000", "recovery": "00000000"}[kind]
    left = iter(thieves)
    tried(lambda: next(left).post(ENTER, {"code": wrong}))
    assert thieves[0].post(ENTER, {"code": code(secret)}).status_code == 429, "a right one comes too late"
    assert sign_in(known)["Location"] == ENTER
    assert known.post(ENTER, {"code": code(secret)}).status_code == 302
    assert is_signed_in(known)


def test_codes_that_are_asked_for_again_are_counted_too(ada: User) -> None:
    client = browser()
    app(ada)
    client.force_login(ada)
    tried(lambda: client.post("/account/2fa/reauthenticate/", {"code": "000000"}))


def test_how_often_one_may_try_tells_nobody_which_accounts_there_are(ada: User) -> None:
    said = []
    for number, name in enumerate((EMAIL, "nobody@x.example")):
        client = browser(f"198.51.100.{number}")
        refused = tried(lambda name=name, client=client: sign_in(client, name, "wrong"))  # type: ignore[misc]
        said.append(re.sub(rb'value="\w{64}"|[0-9a-f-]{36}', b"", refused.content))
    assert said[0] == said[1]
