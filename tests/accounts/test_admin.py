"""The operator's admin: what it shows, what it writes, and the door to it."""

import re
from typing import Any
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.contrib import admin
from django.core.mail import send_mail
from django.db.transaction import atomic, set_rollback
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from post_office.models import Email

from accounts import sessions
from accounts.keys import is_well_formed, key_hash
from accounts.models import Game, Player, ServerKey, Studio, User
from core import followers
from core.models import DeadLetter
from tests import factories
from tests.accounts.players import somebody

pytestmark = pytest.mark.django_db

EMAIL, PASSWORD = "operator@example.com", "a-long-enough-password"
SIGN_IN = "/account/login/"
BROWSER = {"Accept": "text/html"}


@pytest.fixture
def operator() -> Client:
    client = Client(headers=BROWSER)
    client.force_login(User.objects.create_superuser(EMAIL, PASSWORD))
    return client


@pytest.fixture
def studio() -> Studio:
    return factories.studio()


def sign_in(client: Client, password: str = PASSWORD) -> Any:
    return client.post(SIGN_IN, {"login": EMAIL, "password": password, "next": "/admin/"})


@pytest.mark.slow
def test_every_page_of_the_admin_opens(operator: Client, studio: Studio) -> None:
    game = factories.game(studio)
    factories.achievement(game)
    factories.player(studio)
    factories.server_key(studio)
    followers.ensure_rows()
    assert operator.get("/admin/").status_code == 200
    for model, registered in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        listed = operator.get(reverse(f"{name}_changelist"), {"q": "x"} if registered.search_fields else {})
        assert listed.status_code == 200, name
        if (row := model._default_manager.first()) is not None:
            assert operator.get(reverse(f"{name}_change", args=[row.pk])).status_code == 200, name
        adding = operator.get(reverse(f"{name}_add")).status_code
        assert adding in (200, 403), name


@pytest.mark.slow
def test_no_address_of_the_admin_breaks_by_what_stands_in_it(operator: Client) -> None:
    operator.raise_request_exception = False
    broken = []
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        fields = [field.name for field in model._meta.get_fields()]
        for odd in ("text", "9" * 30, "\0"):
            # A list stops at the first that it can't understand; a form takes all that it knows.
            asked = [("changelist", {field: odd}) for field in fields]
            for page, query in [*asked, ("add", dict.fromkeys(fields, odd))]:
                with atomic():  # what PostgreSQL refuses ends a transaction
                    answer = operator.get(reverse(f"{name}_{page}"), query)
                    set_rollback(True)
                if answer.status_code not in (200, 302, 400, 403):
                    broken.append((name, page, list(query), odd, answer.status_code))
    assert broken == []


@pytest.mark.slow
def test_who_an_operator_makes_or_renames_has_proved_the_address(operator: Client) -> None:
    add = {
        "email": "New@Northlight.example",
        "usable_password": "true",
        "password1": PASSWORD,
        "password2": PASSWORD,
    }
    assert operator.post(reverse("admin:accounts_user_add"), add).status_code == 302
    made = User.objects.get(email="new@northlight.example")
    change = reverse("admin:accounts_user_change", args=[made.pk])
    when = {"date_joined_0": "2026-01-01", "date_joined_1": "00:00:00", "is_active": "on"}
    for email in ("new@northlight.example", "newer@northlight.example"):
        assert operator.post(change, {"email": email, **when}).status_code == 302
        address = EmailAddress.objects.get(user=made)
        assert (address.email, address.verified, address.primary) == (email, True, True)
    answer = Client(headers=BROWSER).post(
        SIGN_IN, {"login": "newer@northlight.example", "password": PASSWORD}
    )
    assert answer["Location"] == "/portal/"


@pytest.mark.parametrize("through", ["page", "list"])
def test_who_is_deleted_hears_nothing_more(operator: Client, through: str) -> None:
    anna = somebody()
    page = anna.client.get("/me/")
    assert page.status_code == 200
    secret = anna.client.cookies[settings.PLAYER_COOKIE].value
    assert sessions.holder(secret, at=timezone.now()) is not None
    pk = User.objects.exclude(email=EMAIL).get().pk
    if through == "page":
        answer = operator.post(f"/admin/accounts/user/{pk}/delete/", {"post": "yes"})
    else:
        sent = {"action": "delete_selected", "_selected_action": [pk], "post": "yes"}
        answer = operator.post("/admin/accounts/user/", sent)
    assert answer.status_code == 302
    assert not User.objects.filter(pk=pk).exists()
    assert sessions.holder(secret, at=timezone.now()) is None


def test_no_page_shows_a_hash_or_a_key(operator: Client, studio: Studio) -> None:
    key = factories.server_key(studio)
    row = ServerKey.objects.get()
    for path in (
        reverse("admin:accounts_serverkey_changelist"),
        reverse("admin:accounts_serverkey_change", args=[row.pk]),
    ):
        text = operator.get(path).content.decode()
        assert key not in text
        assert key_hash(key).hex() not in text
        assert "hash" not in text.lower()


def test_a_key_is_issued_and_shown_once(operator: Client, studio: Studio) -> None:
    form = {"studio": studio.pk, "name": "Production", "scopes": ["unlocks:write", "players:read"]}
    answer = operator.post(reverse("admin:accounts_serverkey_add"), form)
    assert answer.status_code == 200, answer.content
    (key,) = re.findall(r"lrl_sk_[0-9A-Za-z]{49}", answer.content.decode())
    assert is_well_formed(key)
    assert "no-store" in answer["Cache-Control"]
    assert key not in str(answer.cookies)
    row = ServerKey.objects.get()
    assert (bytes(row.hash), row.scopes) == (key_hash(key), ["players:read", "unlocks:write"])
    assert factories.api(key).get("/players/nobody").status_code == 404
    operator.post(
        reverse("admin:accounts_serverkey_changelist"), {"action": "revoke", "_selected_action": [row.pk]}
    )
    assert factories.api(key).get("/players/nobody").status_code == 401


def test_a_key_is_not_issued_for_another_studio_s_game(operator: Client, studio: Studio) -> None:
    form = {"studio": studio.pk, "game": factories.game().pk, "name": "x", "scopes": ["unlocks:write"]}
    answer = operator.post(reverse("admin:accounts_serverkey_add"), form)
    assert "belongs to another studio" in answer.content.decode()
    assert not ServerKey.objects.exists()


def test_a_game_is_made_and_changed_as_the_api_does(operator: Client, studio: Studio) -> None:
    inline = {"testers-TOTAL_FORMS": 0, "testers-INITIAL_FORMS": 0}
    add = reverse("admin:accounts_game_add")
    bad = operator.post(add, {"studio": studio.pk, "title": "X", "regions": "eu,E U", **inline})
    assert "letters, digits" in bad.content.decode()
    made = operator.post(add, {"studio": studio.pk, "title": "Emberwake", "regions": "eu,na", **inline})
    assert made.status_code == 302
    game = Game.objects.get()
    assert (game.title, game.regions, game.uuid.version) == ("Emberwake", ["EU", "NA"], 7)
    api = factories.api(factories.server_key(studio))
    assert api.get(f"/games/{game.uuid}").json()["title"] == "Emberwake"
    change = reverse("admin:accounts_game_change", args=[game.pk])
    assert operator.post(change, {"title": "Second", "regions": "eu", **inline}).status_code == 302
    assert api.get(f"/games/{game.uuid}").json()["regions"] == ["EU"]


def test_a_player_is_found_by_either_id_and_by_nothing_else(operator: Client, studio: Studio) -> None:
    factories.player(studio, "p-1", display_name="marenok")
    factories.player(studio, "p-2", display_name="other")
    players = reverse("admin:accounts_player_changelist")
    uuid = Player.objects.get(display_name="marenok").uuid
    for term, found in (("p-1", 1), (str(uuid), 1), ("p-", 0), (str(uuid4()), 0), ("%", 0)):
        assert operator.get(players, {"q": term}).context["cl"].result_count == found, term


def test_players_and_definitions_are_looked_at_only(operator: Client, studio: Studio) -> None:
    player = factories.player(studio)
    definition = factories.achievement(factories.game(studio))
    for name, row in (("accounts_player", player), ("achievements_achievement", definition)):
        for path in (
            reverse(f"admin:{name}_change", args=[row.pk]),
            reverse(f"admin:{name}_delete", args=[row.pk]),
        ):
            assert operator.post(path, {"post": "yes"}).status_code == 403
        assert type(row).objects.filter(pk=row.pk).exists()


def test_a_dead_letter_is_replayed_from_its_list(operator: Client, studio: Studio) -> None:
    player = factories.player(studio)
    game = factories.game(studio)
    now = timezone.now()
    common = {
        "follower": "leaderboards",
        "fact_at": now,
        "kind": "achievements_unlocked",
        "error": "Traceback\nOops",
    }
    good = DeadLetter.objects.create(
        fact_id=1,
        fact_tx=1,
        payload={"game": game.pk, "unlocks": [], "totals": [[player.pk, "", 10, 1, 1_000, 1]]},
        **common,
    )
    bad = DeadLetter.objects.create(fact_id=2, fact_tx=2, payload={"nonsense": True}, **common)
    letters = reverse("admin:core_deadletter_changelist")
    assert "Oops" in operator.get(letters).content.decode()
    answer = operator.post(letters, {"action": "replay", "_selected_action": [good.pk, bad.pk]}, follow=True)
    text = answer.content.decode()
    assert "1 applied." in text
    assert f"Letter {bad.pk} failed again and stays" in text
    good.refresh_from_db()
    bad.refresh_from_db()
    assert good.replayed_at is not None
    assert bad.replayed_at is None


def test_only_staff_come_in_and_others_are_told_so() -> None:
    User.objects.create_user("developer@example.com", PASSWORD)
    client = Client(headers=BROWSER)
    client.force_login(User.objects.get())
    door = client.get("/admin/")["Location"]
    for answer in (client.get(door), client.post(door, {"username": EMAIL, "password": PASSWORD})):
        assert answer.status_code == 403
        assert "developer@example.com" in answer.content.decode()
        assert "/portal/" in answer.content.decode()
    assert client.get("/admin/").status_code == 302


def test_the_admin_s_door_leads_to_the_one_page_for_signing_in() -> None:
    User.objects.create_superuser(EMAIL, PASSWORD)
    client = Client(headers=BROWSER)
    door = client.get("/admin/accounts/game/")["Location"]
    assert door == "/admin/login/?next=/admin/accounts/game/"
    page = client.get(door)["Location"]
    assert page == "/account/login/?next=/admin/accounts/game/"
    assert client.post("/admin/login/", {"username": EMAIL, "password": PASSWORD}).status_code == 302
    assert client.get("/admin/").status_code == 302
    assert sign_in(client)["Location"] == "/admin/"
    assert client.get(door)["Location"] == "/admin/accounts/game/"


def test_mail_is_looked_at_and_neither_sent_nor_read_here(operator: Client, settings: Any) -> None:
    settings.EMAIL_BACKEND = "core.mail.Queue"
    send_mail("Prove it", "A link that works.", None, ["ada@northlight.example"])
    (mail,) = Email.objects.all()
    mail.logs.create(status=1, message="550 nobody here")
    for path in ("", f"{mail.pk}/change/"):
        page = operator.get(f"/admin/post_office/email/{path}").content.decode()
        assert "ada@northlight.example" in page
        assert "A link that works." not in page
    assert "550 nobody here" in page
    before = Email.objects.values().get()
    for path in (f"email/{mail.pk}/resend/", "emailtemplate/", "log/", "attachment/"):
        operator.get(f"/admin/post_office/{path}")
    assert Email.objects.values().get() == before
