"""Signing up, proving an address, and a new password for who forgot the old one."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import signing
from django.core.cache import cache
from django.db import connection
from post_office.models import Email

from accounts.models import User
from tests.accounts.entrance import (
    EMAIL,
    PASSWORD,
    RESET,
    SIGN_UP,
    browser,
    is_signed_in,
    link,
    mails,
    sign_in,
    user,
)

pytestmark = pytest.mark.django_db
NEW = "another-long-password"
DONE = "/account/confirm-email/"


@pytest.fixture(autouse=True)
def _quick(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.EMAIL_BACKEND = "core.mail.Queue"  # pytest-django sets another


def sign_up(client: Any, email: str = EMAIL, password: str = PASSWORD) -> Any:
    return client.post(SIGN_UP, {"email": email, "password1": password, "purpose": "make"})


def reset_link(email: str = EMAIL) -> str:
    assert browser().post(RESET, {"email": email}).status_code == 302
    return link(mails(email)[-1])


def set_password(client: Any, path: str, password: str = NEW) -> Any:
    """Follow a link as a browser does, and send the form that it leads to."""
    led = client.get(path)
    return client.post(led["Location"], {"password1": password, "password2": password})


def test_signing_up_takes_a_link_and_then_leads_in() -> None:
    client = browser()
    answer = sign_up(client, "Ada@Northlight.example")
    assert answer["Location"] == DONE
    assert "Look into your mail" in client.get(DONE).content.decode()
    assert not is_signed_in(client)
    assert sign_in(browser()).headers["Location"] == DONE
    (mail,) = mails()
    assert mail.subject == "Prove your address for Laurel"
    page = client.get(link(mail))
    assert page.status_code == 200
    assert not EmailAddress.objects.get().verified, "a mail scanner that follows links proves nothing"
    assert client.post(link(mail))["Location"] == "/portal/"
    assert is_signed_in(client)
    assert User.objects.get().email == EMAIL
    assert User.objects.get().language == "en"


def test_the_link_signs_nobody_in_elsewhere() -> None:
    sign_up(browser())
    elsewhere = browser()
    assert elsewhere.post(link(mails()[0]))["Location"] == "/account/login/"
    assert not is_signed_in(elsewhere)
    assert sign_in(elsewhere)["Location"] == "/portal/"


def test_a_link_that_proved_an_address_works_once() -> None:
    client = browser()
    sign_up(client)
    path = link(mails()[0])
    client.post(path)
    before = list(EmailAddress.objects.values())
    for visitor in (client, browser()):
        page = visitor.get(path)
        assert page.status_code == 410
        assert "This link no longer works" in page.content.decode()
        assert visitor.post(path).status_code == 404
    assert list(EmailAddress.objects.values()) == before
    assert not is_signed_in(browser())


def test_a_link_to_an_address_that_was_changed_again_proves_nothing() -> None:
    client = browser()
    client.force_login(user())
    for new in ("first@northlight.example", "second@northlight.example"):
        client.post("/account/email/", {"email": new, "action_add": ""})
        client.post("/account/reauthenticate/?next=/account/email/", {"password": PASSWORD})
        client.post("/account/email/", {"email": new, "action_add": ""})
    old, new = mails("first@northlight.example")[0], mails("second@northlight.example")[0]
    assert client.get(link(old)).status_code == 410
    assert sign_in(browser()).status_code == 302, "until it is proved the old address stays"
    assert client.post(link(new)).status_code == 302
    assert User.objects.get().email == "second@northlight.example"
    assert [row.email for row in EmailAddress.objects.all()] == ["second@northlight.example"]
    assert "from now on" in mails(EMAIL)[-1].message, "whoever had the address is told"


def claim(email: str) -> None:
    """Let somebody write into the form for another address one that is not his."""
    client = browser()
    client.force_login(user("mallory@northlight.example"))
    client.post("/account/email/", {"email": email, "action_add": ""})
    client.post("/account/reauthenticate/?next=/account/email/", {"password": PASSWORD})
    client.post("/account/email/", {"email": email, "action_add": ""})
    assert EmailAddress.objects.filter(email=email, verified=False).exists()


def test_an_address_that_another_only_wants_is_free_and_who_proves_it_has_it() -> None:
    claim(EMAIL)
    wanted = mails()[-1]
    cache.clear()  # minutes later: an address gets one such mail in three minutes
    client = browser()
    assert sign_up(client).status_code == 302
    assert len(mails()) == 2
    assert client.post(link(mails()[-1])).status_code == 302
    assert is_signed_in(client)
    made = User.objects.get(email=EMAIL)
    assert EmailAddress.objects.get(user=made).verified
    browser().post(link(wanted))  # comes too late
    assert set(User.objects.values_list("email", flat=True)) == {EMAIL, "mallory@northlight.example"}
    assert EmailAddress.objects.get(email=EMAIL, verified=True).user == made


def test_a_lost_password_of_an_address_that_another_only_wants_opens_nobody_s_account() -> None:
    claim(EMAIL)
    before = len(mails())
    assert browser().post(RESET, {"email": EMAIL}).status_code == 302
    told = mails()[before:]
    assert len(told) == 1
    assert "/password/reset/key/" not in told[0].message


def test_a_forged_or_old_link_is_no_link(monkeypatch: pytest.MonkeyPatch) -> None:
    sign_up(browser())
    row = EmailAddress.objects.get()
    with monkeypatch.context() as then:
        past = time.time() - 4 * 24 * 3600
        then.setattr("time.time", lambda: past)
        old = signing.dumps(row.pk, salt="account")
    for key in (old, signing.dumps(row.pk, salt="another"), "x", f"{row.pk}"):
        assert browser().get(f"{DONE}{key}/").status_code == 410


def test_who_signs_up_twice_learns_nothing_and_the_owner_is_told() -> None:
    user()
    unknown, known = browser(), browser()
    answers = [sign_up(unknown, "new@northlight.example"), sign_up(known)]
    assert [answer.headers["Location"] for answer in answers] == [DONE, DONE]
    assert sorted(answers[0].cookies) == sorted(answers[1].cookies)
    pages = [client.get(DONE) for client in (unknown, known)]
    assert [page.status_code for page in pages] == [200, 200]
    assert len(pages[0].content) - len(pages[1].content) == len("new@northlight.example") - len(EMAIL)
    assert mails()[0].subject == "You already have an account on Laurel"
    assert not is_signed_in(known)
    assert User.objects.get(email=EMAIL).check_password(PASSWORD)


def test_a_new_password_is_set_once_and_signs_others_out() -> None:
    user()
    other = browser()
    sign_in(other)
    path = reset_link()
    client = browser()
    assert set_password(client, path).status_code == 302
    assert not is_signed_in(other)
    assert sign_in(browser()).status_code == 422
    assert sign_in(browser(), password=NEW).status_code == 302
    for visitor in (client, browser()):
        page = visitor.get(path)
        assert page.status_code == 410
        assert "Send another link" in page.content.decode()
    assert User.objects.get().check_password(NEW)
    assert mails()[-1].subject == "Your password was reset"


def test_a_link_for_a_new_password_ends_with_the_old_password_or_address() -> None:
    ada = user()
    by_password = reset_link()
    ada.set_password("changed-in-the-meantime")
    ada.save()
    assert browser().get(by_password).status_code == 410
    by_address = reset_link()
    ada.email = "ada@elsewhere.example"
    ada.save()
    EmailAddress.objects.update(email=ada.email)
    assert browser().get(by_address).status_code == 410
    assert User.objects.get().check_password("changed-in-the-meantime")


def test_a_form_that_was_open_while_the_link_was_used_sets_nothing() -> None:
    user()
    path = reset_link()
    late, early = browser(), browser()
    form = late.get(path)["Location"]
    set_password(early, path)
    answer = late.post(form, {"password1": "too-late-for-this", "password2": "too-late-for-this"})
    assert answer.status_code == 410
    assert User.objects.get().check_password(NEW)


def test_links_begin_with_the_instance_s_own_address_whatever_the_request_said(settings: Any) -> None:
    settings.PUBLIC_URL = "https://laurel.example"
    user()
    evil = browser(SERVER_NAME="localhost")
    evil.post(RESET, {"email": EMAIL})
    evil.post(RESET, {"email": "new@northlight.example"})
    sign_up(evil, "zoe@northlight.example")
    sign_up(evil)
    texts = [mail.message for mail in Email.objects.all()]
    assert len(texts) == 4
    for text in texts:
        assert "https://laurel.example/account/" in text
        assert "localhost" not in text


def test_mails_are_calm() -> None:
    client = browser()
    sign_up(client)
    client.post(link(mails()[0]))
    cache.clear()  # the next mail to the same address would wait three minutes
    sign_up(browser())
    browser().post(RESET, {"email": EMAIL})
    client.post("/account/password/change/", {"oldpassword": PASSWORD, "password1": NEW, "password2": NEW})
    assert len(mails()) == 4
    for mail in mails():
        for word in ("!", "example.com", "lease", "&#", "Hello"):
            assert word not in mail.subject + mail.message, mail.message


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("", PASSWORD),
        ("x", PASSWORD),
        (EMAIL, "short"),
        (EMAIL, "password1234"),
        (f"{EMAIL}\nBcc: all@example.com", PASSWORD),
        (f"{'a' * 250}@x.example", PASSWORD),
        ("a\x00@x.example", PASSWORD),
        (f'"a,{EMAIL},b"@evil.example', PASSWORD),
        ('"<img/src=x>"@evil.example', PASSWORD),
        (EMAIL, ""),
    ],
)
def test_what_can_t_be_an_account_is_refused(email: str, password: str) -> None:
    assert sign_up(browser(), email, password).status_code == 422
    assert not User.objects.exists()
    assert not Email.objects.exists()


def test_where_only_the_invited_may_sign_up_others_are_told_how(settings: Any) -> None:
    settings.SIGN_UP = "invited"
    client = browser()
    for answer in (client.get(SIGN_UP), sign_up(client)):
        assert answer.status_code == 403
        assert "by invitation" in answer.content.decode()
    assert not User.objects.exists()


@pytest.fixture
def _kept_here(settings: Any) -> None:
    settings.MAIL_IS_KEPT_HERE = True
    settings.EMAIL_FILE_PATH = "/somewhere/var/mail"
    settings.DEMO = False


@pytest.mark.usefixtures("_kept_here")
@pytest.mark.parametrize(
    ("public_url", "demo", "is_said"),
    [
        ("http://127.0.0.1:8000", False, True),
        ("http://localhost:8000", False, True),
        ("https://laurel.example", True, True),
        ("https://laurel.example", False, False),
    ],
)
def test_where_mail_lies_is_said_to_whoever_sits_there(
    settings: Any, public_url: str, demo: bool, is_said: bool
) -> None:
    settings.PUBLIC_URL, settings.DEMO = public_url, demo
    for path in (DONE, RESET, f"{RESET}done/"):
        assert ("/somewhere/var/mail" in browser().get(path).content.decode()) == is_said
    settings.MAIL_IS_KEPT_HERE = False
    assert "/somewhere/var/mail" not in browser().get(DONE).content.decode()


def test_who_was_a_user_before_addresses_were_proved_signs_in_as_ever() -> None:
    old = import_module("accounts.migrations.0011_users_have_proved_their_addresses")
    User.objects.bulk_create([User(email="Old@Northlight.example"), User(email="new@northlight.example")])
    for row in User.objects.all():
        row.set_password(PASSWORD)
        row.save()
    proved = user()
    EmailAddress.objects.create(user=User.objects.get(email="new@northlight.example"), email="new@x.example")
    with connection.cursor() as cursor:
        for _ in range(2):
            for operation in old.Migration.operations:
                cursor.execute(operation.sql)
    made = EmailAddress.objects.get(user__email="old@northlight.example")
    assert (made.email, made.verified, made.primary) == ("old@northlight.example", True, True)
    assert EmailAddress.objects.filter(user=proved).count() == 1
    assert not EmailAddress.objects.get(email="new@x.example").verified
    assert sign_in(browser(), "old@northlight.example")["Location"] == "/portal/"


@pytest.mark.django_db(transaction=True)
def test_two_who_sign_up_with_an_address_at_once_make_one_account() -> None:
    clients = [browser() for _ in range(4)]
    together = threading.Barrier(len(clients))

    def go(client: Any) -> int:
        try:
            together.wait()
            return int(sign_up(client).status_code)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(clients)) as pool:
        answers = list(pool.map(go, clients))
    assert set(answers) <= {302, 409}
    assert 302 in answers
    assert User.objects.count() == 1
    assert EmailAddress.objects.count() == 1
