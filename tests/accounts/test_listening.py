"""Who is signed in may listen, in each browser until he signs out there."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from typing import Any
from unittest.mock import patch

import pytest
from allauth.account.adapter import get_adapter
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.utils import timezone

from accounts import listening, player_accounts, selectors, services, sessions
from accounts.models import PlayerIdentity, PlayerSession, User
from accounts.visitors import Visitor as Looks
from accounts.visitors import visitors_page
from core.refusals import Unauthenticated
from social.live import door
from tests import factories
from tests.accounts.visitors import BROWSER, Visitor, visitor
from tests.patience import LONG_S

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


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("ending", ["device", "password", "logout"])
def test_what_begins_while_a_login_ends_ends_with_it(ending: str) -> None:
    """Who stole a login's cookie asks at the very moment at which its owner ends it: he would listen on for a month."""
    owner = visitor("anna@players.example")
    stolen = Visitor(owner.user)
    stolen.client.get("/me/settings")  # its device is noted
    stolen.client.cookies.pop("laurel_player")
    began, may_go_on = Event(), Event()

    def begin_slowly(**named: Any) -> str:
        secret = begin(**named)
        began.set()
        may_go_on.wait(LONG_S)
        return secret

    begin = sessions.begin_of_login
    with ThreadPoolExecutor(2) as pool, patch.object(sessions, "begin_of_login", begin_slowly):
        asking = pool.submit(_and_close, lambda: listen(stolen.client))
        assert began.wait(LONG_S)
        done = pool.submit(_and_close, lambda: _end(ending, owner, stolen))
        time.sleep(0.3)  # by now it has ended the login, or waits for what begins
        may_go_on.set()
        assert (asking.result(LONG_S).status_code, done.result(LONG_S).status_code) == (204, 302)
    assert held(stolen.client) is None


def _end(ending: str, owner: Visitor, stolen: Visitor) -> Any:
    if ending == "device":
        return owner.client.post("/me/settings/devices", {"device": "others"})
    if ending == "logout":
        twin = Client(headers=BROWSER)
        twin.cookies[settings.SESSION_COOKIE_NAME] = stolen.client.cookies[settings.SESSION_COOKIE_NAME].value
        return twin.post("/account/logout/")
    get_adapter().set_password(User.objects.get(pk=owner.user.pk), "granite and fern 43")
    return HttpResponse(status=302)


def _and_close(act: Callable[[], Any]) -> Any:
    try:
        return act()
    finally:
        connection.close()


@pytest.mark.django_db
@pytest.mark.parametrize("ending", ["login", "password"])
def test_a_request_begins_nothing_whose_login_has_ended_meanwhile(
    rf: Any, anna: Visitor, ending: str
) -> None:
    request = rf.post("/me/session")
    request.user, request.session = anna.user, anna.client.session
    assert request.session.session_key
    assert request.session["_auth_user_hash"]
    player = player_accounts.player_of(anna.user, at=timezone.now())
    if ending == "login":
        Session.objects.all().delete()
    else:
        other = User.objects.get(pk=anna.user.pk)
        other.set_password("granite and fern 43")
        other.save()
    with pytest.raises(Unauthenticated):
        listening.let_listen(request, HttpResponse(), player)
    assert not PlayerSession.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_session_does_not_begin_with_a_token_that_is_revoked_at_that_moment() -> None:
    game = factories.game()
    player = factories.player(game.studio)
    token = factories.player_token(game, player)
    info = selectors.player_by_uuid(player.uuid, studio_id=game.studio_id)
    assert info is not None
    began, may_go_on = Event(), Event()

    def begin_slowly(**named: Any) -> str:
        began.set()
        may_go_on.wait(LONG_S)
        return begin(**named)

    begin, thief = sessions.begin, Client()
    with ThreadPoolExecutor(2) as pool, patch.object(sessions, "begin", begin_slowly):
        headers = {"Authorization": f"Bearer {token}"}
        asking = pool.submit(_and_close, lambda: thief.post("/session", headers=headers))
        assert began.wait(LONG_S)
        done = pool.submit(
            _and_close,
            lambda: services.revoke_player_tokens(
                studio_id=game.studio_id, player=info, actor="test", at=timezone.now()
            ),
        )
        time.sleep(0.3)
        may_go_on.set()
        assert asking.result(LONG_S).status_code == 204
        done.result(LONG_S)
    assert held(thief) is None
