"""Second factors: each code works once, few wrong ones are taken, and secrets lie encrypted."""

import time
from datetime import UTC, datetime
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.mfa.totp.internal import auth
from cryptography.fernet import InvalidToken
from django.core.cache import cache
from django.db import connection
from django.test import Client, override_settings

from accounts import signing_in
from accounts.models import User
from config.embedded import Servers
from tests.accounts.entrance import (
    EMAIL,
    PASSWORD,
    app,
    browser,
    code,
    is_signed_in,
    mails,
    recovery_codes,
    sign_in,
    user,
)
from tests.patience import valkey_frozen

pytestmark = pytest.mark.django_db
ENTER = "/account/2fa/authenticate/"


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.EMAIL_BACKEND = "core.mail.Queue"  # pytest-django sets another


@pytest.fixture(autouse=True)
def step(monkeypatch: pytest.MonkeyPatch) -> int:
    """Hold the step of codes, which would turn in the middle of a test."""
    now = int(time.time()) // 30
    monkeypatch.setattr(auth, "yield_hotp_counters_from_time", lambda: iter((now - 1, now, now + 1)))
    return now


@pytest.fixture
def ada() -> User:
    return user()


def asked() -> Client:
    """Return a browser that has sent the password and is asked for a code."""
    client = browser()
    assert sign_in(client)["Location"] == ENTER
    return client


def enter(client: Client, typed: str) -> int:
    return int(client.post(ENTER, {"code": typed}).status_code)


def test_a_password_alone_signs_nobody_in_who_has_an_app(ada: User) -> None:
    secret = app(ada)
    client = asked()
    assert not is_signed_in(client)
    assert client.get("/portal/").status_code == 302
    assert enter(client, code(secret)) == 302
    assert is_signed_in(client)


def test_the_admin_too_takes_the_second_factor(ada: User) -> None:
    User.objects.update(is_staff=True, is_superuser=True)
    secret = app(ada)
    client = browser()
    sign_in(client, next="/admin/")
    assert client.get("/admin/").status_code == 302
    client.post("/admin/login/", {"username": EMAIL, "password": PASSWORD})
    assert client.get("/admin/").status_code == 302
    assert client.post(ENTER, {"code": code(secret)})["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200


def test_a_code_works_once_within_its_window(ada: User) -> None:
    secret = app(ada)
    shown = code(secret)
    assert enter(asked(), shown) == 302
    cache.clear()  # as when Valkey begins anew: what was taken is known to PostgreSQL
    replay = asked()
    assert enter(replay, shown) == 422
    assert not is_signed_in(replay)
    assert enter(asked(), code(secret, steps=-1)) == 422, "nor does one that is older still"
    assert enter(asked(), code(secret, steps=1)) == 302


def test_a_code_works_once_while_valkey_is_away(ada: User, servers: Servers) -> None:
    secret = app(ada)
    shown = code(secret)
    first, second = asked(), asked()
    with valkey_frozen(servers):
        assert enter(first, shown) == 302
        assert enter(second, shown) == 422


def test_the_code_that_set_an_app_up_signs_nobody_in(ada: User, step: int) -> None:
    secret = app(ada)
    Authenticator.objects.update(created_at=datetime.fromtimestamp(step * 30 + 1, UTC))
    assert enter(asked(), code(secret)) == 422
    assert enter(asked(), code(secret, steps=1)) == 302


def test_codes_of_another_time_or_another_app_are_wrong(ada: User) -> None:
    secret = app(ada)
    other = app(user("bram@northlight.example"))
    for typed in (
        code(secret, steps=-2),
        code(secret, steps=2),
        code(other),
        "",
        "000000x",
        "\u0660" * 6,
        "9" * 300,
    ):
        assert enter(asked(), typed) == 422, typed


def test_a_recovery_code_works_once(ada: User) -> None:
    app(ada)
    codes = recovery_codes(ada)
    assert len(set(codes)) == 10
    assert enter(asked(), codes[3]) == 302
    replay = asked()
    assert enter(replay, codes[3]) == 422
    assert not is_signed_in(replay)
    assert enter(asked(), codes[4]) == 302


def test_ten_codes_are_taken_in_a_quarter_of_an_hour_from_wherever_they_come(ada: User) -> None:
    secret = app(ada)
    for n in range(10):
        client = browser(f"198.51.100.{n}")
        sign_in(client)
        assert enter(client, "000000") == 422
    client = asked()
    refused = client.post(ENTER, {"code": code(secret)})
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert not is_signed_in(client)


def test_secrets_lie_encrypted_and_open_with_the_instance_s_key_only(ada: User) -> None:
    secret = app(ada)
    codes = recovery_codes(ada)
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(data::text, ' ') FROM mfa_authenticator")
        stored = cursor.fetchone()[0]
    assert secret not in stored
    assert not any(one in stored for one in codes)
    totp = Authenticator.objects.get(type=Authenticator.Type.TOTP)
    assert signing_in.FactorAdapter().decrypt(totp.data["secret"]) == secret
    signing_in._fernet.cache_clear()
    try:
        with override_settings(SECRET_KEY="another"), pytest.raises(InvalidToken):
            signing_in.FactorAdapter().decrypt(totp.data["secret"])
        totp.data["secret"] = signing_in.FactorAdapter().encrypt(secret)[:-9] + "AAAAAAAA="
        totp.save()
        assert enter(asked(), code(secret)) == 422
    finally:
        signing_in._fernet.cache_clear()


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
def test_an_app_is_set_up_and_removed_by_who_proves_to_be_there(ada: User) -> None:
    client = browser()
    sign_in(client)
    path = "/account/2fa/totp/activate/"
    asked_again = client.get(path)["Location"]
    assert asked_again.startswith("/account/reauthenticate/")
    assert client.post(asked_again, {"password": "wrong"}).status_code == 422
    client.post(asked_again, {"password": PASSWORD})
    page = client.get(path)
    assert 'src="data:image/svg+xml' in page.content.decode()
    assert " style=" not in page.content.decode()
    secret = page.context["form"].secret
    assert client.post(path, {"code": "000000"}).status_code == 422
    secret = client.get(path).context["form"].secret
    assert client.post(path, {"code": code(secret)}).status_code == 302
    assert {row.type for row in Authenticator.objects.all()} == {"totp", "recovery_codes"}
    assert mails()[-1].subject == "An authenticator app was set up"
    for page in (client.get("/account/2fa/"), client.get("/account/2fa/recovery-codes/")):
        assert page.status_code == 200
    client.post("/account/2fa/totp/deactivate/")
    assert not Authenticator.objects.exists()


def test_nobody_removes_another_s_key(ada: User) -> None:
    key = Authenticator.objects.create(user=ada, type="webauthn", data={"name": "k", "credential": {}})
    client = browser()
    bram = user("bram@northlight.example")
    client.force_login(bram)
    session = client.session
    session["account_authentication_methods"] = [
        {"method": "password", "at": time.time(), "reauthenticated": True}
    ]
    session["account_authentication_methods_user"] = str(bram.pk)
    session.save()
    for path in ("remove", "edit"):
        unknown = client.get(f"/account/2fa/webauthn/keys/999999/{path}/")
        foreign = client.get(f"/account/2fa/webauthn/keys/{key.pk}/{path}/")
        assert (foreign.status_code, unknown.status_code) == (404, 404)
        assert client.post(f"/account/2fa/webauthn/keys/{key.pk}/{path}/", {"name": "x"}).status_code == 404
    assert Authenticator.objects.get().data["name"] == "k"


@pytest.mark.parametrize(
    "credential", ["", "x", "null", "[]", "{}", '{"id": 1}', '{"response": {}}', "1" * 5000]
)
def test_what_is_no_passkey_signs_nobody_in(credential: str) -> None:
    client = browser()
    client.get("/account/2fa/webauthn/login/", headers={"Accept": "application/json"})
    assert client.post("/account/2fa/webauthn/login/", {"credential": credential}).status_code < 500
    assert not is_signed_in(client)


@pytest.mark.parametrize(
    "credential", ["", "x", "[]", "{}", '{"id": "x", "rawId": "x"}', "1" * 5000, "[" * 100_000]
)
def test_what_is_no_passkey_is_not_added(ada: User, credential: str) -> None:
    client = browser()
    sign_in(client)
    path = "/account/2fa/webauthn/add/"
    client.post(client.get(path)["Location"], {"password": PASSWORD})
    assert client.get(path).status_code == 200
    assert client.post(path, {"name": "x", "credential": credential}).status_code == 422
    assert not Authenticator.objects.exists()


def test_an_address_must_be_proved_before_factors_are_added(ada: User) -> None:
    client = browser()
    sign_in(client)
    EmailAddress.objects.update(verified=False)
    assert client.get("/account/2fa/totp/activate/")["Location"] == "/account/2fa/"
