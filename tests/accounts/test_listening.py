"""Who is signed in may listen, in each browser until he signs out there."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.utils import timezone

from accounts import player_accounts, sessions
from accounts.models import PlayerIdentity, PlayerSession, User
from accounts.visitors import Visitor as Looks
from accounts.visitors import visitors_page
from social.live import door
from tests import factories
from tests.accounts.visitors import BROWSER, Visitor, visitor

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> Visitor:
    return visitor("anna@players.example")


def listen(client: Client) -> Any:
    """Ask as the script of a page does before it connects."""
    return client.post("/me/session")


def held(client: Client) -> sessions.SessionInfo | None:
    cookie = client.cookies.get("laurel_player")
    return sessions.holder(cookie.value if cookie else "", at=timezone.now())


def test_a_page_of_ones_own_lets_its_browser_listen(rf: Any, anna: Visitor) -> None:
    def page(request: HttpRequest, visitor: Looks) -> HttpResponse:
        return HttpResponse(visitor.id)

    request = rf.get("/me/")
    request.user, request.session = anna.user, anna.client.session
    request.COOKIES["sessionid"] = request.session.session_key
    answer = visitors_page(page)(request)
    cookie = answer.cookies["laurel_player"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    guest = door.admit_session(cookie.value, at=timezone.now())
    assert (guest.player_id, guest.studio_id) == (player_of(anna.user), None)
    request.COOKIES["laurel_player"] = cookie.value
    assert not visitors_page(page)(request).cookies
    assert PlayerSession.objects.count() == 1


def player_of(user: User) -> int:
    return player_accounts.player_of(user, at=timezone.now()).id


def test_signing_out_ends_it_here_and_nowhere_else(anna: Visitor) -> None:
    phone = Visitor(anna.user)
    assert (listen(anna.client).status_code, listen(phone.client).status_code) == (204, 204)
    anna.client.post("/account/logout/")
    assert (held(anna.client), held(phone.client) is not None) == (None, True)
    assert [told.kind for told in sessions.dismissed(within_s=60)] == ["session"]
    assert listen(anna.client).status_code == 401


def test_another_password_ends_it_everywhere(anna: Visitor) -> None:
    listen(anna.client)
    anna.user.set_password("moss and lichen 42")
    anna.user.save()
    anna.client.force_login(anna.user)
    listen(anna.client)
    fields = {
        "oldpassword": "moss and lichen 42",
        "password1": "granite and fern 43",
        "password2": "granite and fern 43",
    }
    assert anna.client.post("/account/password/change/", fields).status_code == 302
    assert held(anna.client) is None
    assert PlayerSession.objects.filter(ended_at=None).count() == 0


def test_who_signs_in_after_another_in_a_browser_listens_as_himself(anna: Visitor) -> None:
    listen(anna.client)
    before = anna.client.cookies["laurel_player"].value
    ben = User.objects.create_user("ben@players.example")
    anna.client.force_login(ben)
    listen(anna.client)
    now = held(anna.client)
    assert now is not None
    assert now.player_id == player_of(ben)
    assert sessions.holder(before, at=timezone.now()) is None


def test_a_studio_ends_what_its_token_began_and_not_what_the_account_did(anna: Visitor) -> None:
    game = factories.game()
    PlayerIdentity.objects.create(studio=game.studio, external_id="p-1", player_id=player_of(anna.user))
    player = PlayerIdentity.objects.get().player
    by_game = Client(headers=BROWSER)
    token = factories.player_token(game, player)
    by_game.post("/session", headers={"Authorization": f"Bearer {token}"})
    listen(anna.client)
    guest = door.admit_session(anna.client.cookies["laurel_player"].value, at=timezone.now())
    factories.ban(game.studio, "p-1")
    assert (held(by_game), held(anna.client) is not None) == (None, True)
    assert not any(door.dismissal(told, guest) for told in sessions.dismissed(within_s=60))


def test_a_form_of_another_site_begins_none(anna: Visitor) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(anna.user)
    assert strict.post("/me/session").status_code == 403
    assert not PlayerSession.objects.exists()
