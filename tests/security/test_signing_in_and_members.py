"""The entrance of the portal: sessions, links, codes and invitations that are used twice, by others, or guessed."""

import time
from datetime import timedelta
from typing import Any, Final

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.totp.internal import auth
from django.test import Client
from django.utils import timezone

from accounts.models import Invitation, Member
from tests import factories
from tests.accounts.entrance import (
    EMAIL,
    RESET,
    app,
    browser,
    code,
    is_signed_in,
    link,
    mails,
    recovery_codes,
    sign_in,
    user,
)
from tests.accounts.members import House
from tests.accounts.visitors import Visitor, member, membership, visitor
from tests.security.nothing_changed import nothing_changed

pytestmark = pytest.mark.django_db
ENTER: Final = "/account/2fa/authenticate/"
NEW: Final = "another-long-enough-password"


@pytest.fixture(autouse=True)
def _mail_waits(settings: Any) -> None:
    settings.EMAIL_BACKEND = "core.mail.Queue"  # pytest-django sets another


@pytest.fixture(autouse=True)
def _step(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hold the step of codes, which would turn in the middle of a test."""
    now = int(time.time()) // 30
    monkeypatch.setattr(auth, "yield_hotp_counters_from_time", lambda: iter((now - 1, now, now + 1)))


def test_a18_a_session_that_somebody_else_knew_before_is_not_the_one_that_is_signed_in() -> None:
    user()
    victim = browser()
    victim.session["fixed"] = True
    victim.session.save()
    planted = victim.session.session_key
    sign_in(victim)
    after = victim.session.session_key
    assert after != planted
    attacker = browser()
    attacker.cookies["sessionid"] = str(planted)
    with nothing_changed():
        assert not is_signed_in(attacker)
    victim.post("/account/logout/")
    attacker.cookies["sessionid"] = str(after)
    with nothing_changed():
        assert not is_signed_in(attacker)


def _reset_link() -> str:
    assert browser().post(RESET, {"email": EMAIL}).status_code == 302
    return link(mails()[-1])


def _set_password(client: Client, path: str, password: str) -> int:
    led = client.get(path)
    if led.status_code != 302:
        return int(led.status_code)
    return int(client.post(led["Location"], {"password1": password, "password2": password}).status_code)


@pytest.mark.parametrize(
    "over", [pytest.param(over, id=f"A19-{over}") for over in ("used", "address", "password", "forged")]
)
def test_a_link_for_a_new_password_that_is_over_sets_none(over: str) -> None:
    ada, path = user(), _reset_link()
    if over == "used":
        assert _set_password(browser(), path, NEW) == 302
    if over == "address":
        ada.email = "ada@elsewhere.example"
        ada.save()
        EmailAddress.objects.update(email=ada.email)
    if over == "password":
        ada.set_password(NEW)
        ada.save()
    if over == "forged":
        path = path.rstrip("/")[:-1] + ("a/" if path.rstrip("/")[-1] != "a" else "b/")
    with nothing_changed():
        assert _set_password(browser(), path, "the-password-of-somebody-else") == 410


def _asked() -> Client:
    """Return a browser that has sent the password and is asked for a code."""
    client = browser()
    assert sign_in(client)["Location"] == ENTER
    return client


@pytest.mark.parametrize("kind", [pytest.param(kind, id=f"A20-{kind}") for kind in ("app", "recovery")])
def test_a_code_works_once(kind: str) -> None:
    ada = user()
    secret = app(ada)
    typed = code(secret) if kind == "app" else recovery_codes(ada)[3]
    assert _asked().post(ENTER, {"code": typed}).status_code == 302
    again = _asked()
    with nothing_changed():
        assert again.post(ENTER, {"code": typed}).status_code == 422
    assert not is_signed_in(again)


def test_a21_who_guesses_from_one_address_is_stopped_and_the_owner_is_not() -> None:
    user()
    guesser = browser("198.51.100.1")
    with nothing_changed():
        for _ in range(10):
            assert sign_in(guesser, password="wrong").status_code == 422
        refused = sign_in(guesser)
    assert refused.status_code == 429
    assert 0 < int(refused["Retry-After"]) <= 15 * 60
    assert sign_in(browser("198.51.100.2")).status_code == 302


@pytest.mark.slow
def test_a21_who_guesses_from_many_addresses_does_not_lock_a_known_browser_out() -> None:
    user()
    own = browser("203.0.113.1")
    sign_in(own)
    own.post("/account/logout/")
    with nothing_changed():
        for number in range(50):
            assert sign_in(browser(f"198.51.100.{number}"), password="wrong").status_code == 422
        assert sign_in(browser("198.51.100.99")).status_code == 429
    assert sign_in(own).status_code == 302


OWNERS_FORMS: Final[dict[str, tuple[str, dict[str, Any]]]] = {
    "invite": ("members", {"email": "new@example.com", "role": "owner"}),
    "a key": ("keys/new", {"name": "Mine", "scopes": ["unlocks:write"]}),
    "a webhook": ("webhooks/new", {"url": "https://hooks.example.com/", "events": ["player.created"]}),
    "a game": ("games/new", {"title": "Mine"}),
    "the studio": ("settings", {"name": "Mine"}),
    "put a game away": ("games/{game}/put-away", {"reason": "x", "confirm": "Emberwake"}),
    "settings of a game": ("games/{game}/settings", {"title": "Mine"}),
    "an achievement": ("games/{game}/achievements/new", {"key": "mine", "name": "Mine"}),
}


@pytest.mark.parametrize("form", [pytest.param(form, id=f"T9-{form}") for form in OWNERS_FORMS])
@pytest.mark.parametrize("role", ["analyst", "outsider"])
def test_who_may_only_look_changes_nothing(form: str, role: str) -> None:
    house = House()
    path, fields = OWNERS_FORMS[form]
    house.get("", by=role)
    with nothing_changed():
        answer = house.post(path.format(game=house.game.uuid), fields, by=role)
    assert answer.status_code == (403 if role == "analyst" else 404)


def test_t10_a_removed_member_is_out_at_his_next_request() -> None:
    studio = factories.studio()
    owner, bram = member(studio, "owner"), member(studio, "developer")
    assert bram.get("portal-home", studio.uuid).status_code == 200
    answer = owner.post("remove-member", studio.uuid, membership(studio, bram), reason="left us")
    assert answer.status_code == 302
    with nothing_changed():
        for name in ("portal-home", "members", "studio-settings"):
            assert bram.get(name, studio.uuid).status_code == 404
        assert bram.post("members", studio.uuid, email="x@example.com", role="owner").status_code == 404


def _invite(owner: Visitor, studio: Any) -> str:
    owner.post("members", studio.uuid, email="priya@example.com", role="admin")
    return link(mails("priya@example.com")[-1]).rsplit("/", 1)[-1]


@pytest.mark.parametrize(
    "how", [pytest.param(how, id=f"T11-{how}") for how in ("another's", "used", "over", "guessed")]
)
def test_an_invitation_lets_in_whom_it_was_sent_to_and_once(how: str) -> None:
    studio = factories.studio()
    owner = member(studio, "owner")
    token = _invite(owner, studio)
    guest = visitor("other@example.com" if how == "another's" else "priya@example.com")
    status = {"another's": 404, "used": 410, "over": 410, "guessed": 404}[how]
    if how == "used":
        assert guest.post("invitation", token).status_code == 302
        owner.post("remove-member", studio.uuid, membership(studio, guest))
    if how == "over":
        Invitation.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    if how == "guessed":
        token = token[:-1] + ("a" if token[-1] != "a" else "b")
    with nothing_changed():
        assert guest.post("invitation", token).status_code == status
    assert Member.objects.filter(studio=studio).count() == 1
