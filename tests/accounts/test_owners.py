"""Owners who need a second factor: led to one, kept from nothing once they have it, and nobody else is."""

import json
import os
import secrets
import subprocess
import sys
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse

from accounts.models import Member, Studio
from config.children import BASE_DIR
from core.models import AuditEntry
from tests import factories
from tests.accounts.entrance import PASSWORD, app, browser, code, is_signed_in, link, mails, sign_in, user
from tests.accounts.visitors import Visitor, member, membership, visitor
from tests.security.addresses import addresses

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _needed(settings: Any) -> None:
    settings.OWNERS_NEED_SECOND_FACTOR = True
    settings.EMAIL_BACKEND = "core.mail.Queue"  # pytest-django sets another


@pytest.fixture
def studio() -> Studio:
    return factories.studio()


@pytest.fixture
def owner(studio: Studio) -> Visitor:
    return member(studio, "owner")


def is_led(who: Visitor, studio: Studio) -> bool:
    answer = who.get("portal-home", studio.uuid)
    assert answer.status_code in (200, 302)
    return bool(answer.headers.get("Location") == reverse("owner-factor"))


@pytest.mark.slow
def test_an_owner_without_one_is_led_to_it_from_every_page_and_no_form_is_taken(
    studio: Studio, owner: Visitor
) -> None:
    game, before = factories.game(studio), AuditEntry.objects.count()
    below = [one for one in addresses() if one.route.startswith("portal/<uuid:studio>")]
    assert len(below) > 60
    for address in below:
        named = dict.fromkeys(address.parts, "0198f2c4-6f1e-7000-8000-64656d6f0001") | {
            "studio": studio.uuid,
            "game": game.uuid,
        }
        numbers = {"member": 1, "call": 1, "letter": 1, "version": 1, "attempt": 1, "number": 1}
        path = address.path(named | {name: n for name, n in numbers.items() if name in address.parts})
        for method in ("get", "post"):
            answer = getattr(owner.client, method)(path)
            led = answer.headers.get("Location") == "/portal/second-factor"
            assert led or answer.status_code in (403, 404, 405), (method, path, answer.status_code)
    assert AuditEntry.objects.count() == before
    said = owner.post("studio-settings", studio.uuid, name="Another")
    assert said.status_code == 403
    assert "Owners need a second factor here" in said.content.decode()
    studio.refresh_from_db()
    assert studio.name != "Another"


def test_the_page_offers_both_kinds_and_leads_on_once_there_is_one(studio: Studio, owner: Visitor) -> None:
    page = owner.get("owner-factor").content.decode()
    assert reverse("mfa_activate_totp") in page
    assert reverse("mfa_add_webauthn") in page
    app(owner.user)
    assert owner.get("owner-factor")["Location"] == reverse("portal")
    assert not is_led(owner, studio)
    Authenticator.objects.all().delete()
    assert is_led(owner, studio)
    assert visitor(None).get("owner-factor")["Location"].startswith("/account/login/")


def test_an_app_that_is_set_up_by_its_form_opens_the_studio(studio: Studio) -> None:
    Member.objects.create(studio=studio, user=user(), role="owner")
    client = browser()
    assert sign_in(client, next=f"/portal/{studio.uuid}/").status_code == 302
    assert client.get(f"/portal/{studio.uuid}/")["Location"] == "/portal/second-factor"
    path = "/account/2fa/totp/activate/"
    client.post(client.get(path)["Location"], {"password": PASSWORD})
    form = client.get(path).context["form"]
    assert client.post(path, {"code": code(form.secret)}).status_code == 302
    assert client.get(f"/portal/{studio.uuid}/").status_code == 200


def test_who_signed_in_by_the_password_alone_is_out_once_there_is_one(studio: Studio) -> None:
    Member.objects.create(studio=studio, user=user(), role="owner")
    page, path = f"/portal/{studio.uuid}/", "/account/2fa/totp/activate/"
    thief, client = browser("203.0.113.9"), browser()
    for one in (thief, client):
        assert sign_in(one).status_code == 302
        assert one.get(page)["Location"] == "/portal/second-factor"
    client.post(client.get(path)["Location"], {"password": PASSWORD})
    wrong = client.post(path, {"code": "000000"})
    assert wrong.status_code == 422
    assert is_signed_in(thief)
    assert client.post(path, {"code": code(client.get(path).context["form"].secret)}).status_code == 302
    assert client.get(page).status_code == 200
    assert thief.get(page)["Location"].startswith("/account/login/")


def test_recovery_codes_alone_are_none(studio: Studio, owner: Visitor) -> None:
    Authenticator.objects.create(user=owner.user, type="recovery_codes", data={"seed": "", "used_mask": 0})
    assert is_led(owner, studio)


@pytest.mark.parametrize("role", ["admin", "developer", "support", "analyst"])
def test_who_becomes_an_owner_is_led_from_the_next_page_on(studio: Studio, owner: Visitor, role: str) -> None:
    app(owner.user)
    other = member(studio, role)
    assert not is_led(other, studio)
    assert owner.post("member", studio.uuid, membership(studio, other), role="owner").status_code == 302
    assert is_led(other, studio)
    assert owner.post("member", studio.uuid, membership(studio, other), role=role).status_code == 302
    assert not is_led(other, studio)


def test_who_is_invited_as_an_owner_is_led_too(studio: Studio, owner: Visitor) -> None:
    app(owner.user)
    owner.post("members", studio.uuid, email="bram@northlight.example", role="owner")
    bram = visitor("bram@northlight.example")
    assert bram.client.post(link(mails("bram@northlight.example")[0])).status_code == 302
    assert is_led(bram, studio)


def test_who_makes_a_studio_is_led_to_it_before_its_first_page() -> None:
    maker = visitor("maker@northlight.example")
    made = maker.post("new-studio", name="Northlight")
    assert maker.client.get(made["Location"])["Location"] == reverse("owner-factor")


def test_a_studio_that_one_does_not_own_stays_open(studio: Studio, owner: Visitor) -> None:
    elsewhere = factories.studio("Tidewright")
    Member.objects.create(studio=elsewhere, user=owner.user, role="developer")
    assert is_led(owner, studio)
    assert not is_led(owner, elsewhere)
    assert owner.get("portal-home", factories.studio("Third").uuid).status_code == 404


def test_keys_and_the_owner_s_own_pages_go_on(studio: Studio, owner: Visitor) -> None:
    factories.game(studio)
    key = factories.server_key(studio)
    assert Client().get("/api/v1/games", headers={"Authorization": f"Bearer {key}"}).status_code == 200
    assert owner.client.get("/me/").status_code == 200
    assert owner.client.get("/account/2fa/").status_code == 200


def test_where_it_is_not_asked_for_nobody_is_led(studio: Studio, owner: Visitor, settings: Any) -> None:
    settings.OWNERS_NEED_SECOND_FACTOR = False
    assert not is_led(owner, studio)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("said", "needed"),
    [
        ({"PUBLIC_URL": "https://laurel.example"}, True),
        ({"PUBLIC_URL": "https://laurel.example", "DEMO": "1"}, False),
        ({"PUBLIC_URL": "https://laurel.example", "OWNERS_NEED_SECOND_FACTOR": "0"}, False),
        ({}, False),
        ({"OWNERS_NEED_SECOND_FACTOR": "1"}, True),
    ],
)
def test_it_is_asked_for_in_production_unless_somebody_says_otherwise(
    said: dict[str, str], needed: bool
) -> None:
    asks = (
        "import json; from django.conf import settings; print(json.dumps(settings.OWNERS_NEED_SECOND_FACTOR))"
    )
    env = {**os.environ, "SECRET_KEY": secrets.token_urlsafe(48), "DEBUG": "0", "DEMO": "0", **said}
    done = subprocess.run(
        [sys.executable, "-c", asks], cwd=BASE_DIR, env=env, capture_output=True, check=True
    )
    assert json.loads(done.stdout) is needed
