"""Players' sessions in browsers, and what ends them and their tokens."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts import sessions
from accounts.models import Dismissal, Game, Player, PlayerSession, Studio
from core.models import AuditEntry
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture
def studio() -> Studio:
    return factories.studio()


@pytest.fixture
def game(studio: Studio) -> Game:
    return factories.game(studio)


@pytest.fixture
def player(studio: Studio) -> Player:
    return factories.player(studio)


def sign_in(token: str, **headers: str) -> Any:
    client = Client()
    answer = client.post("/session", headers={"Authorization": f"Bearer {token}", **headers})
    return client, answer


def holder_of(client: Client) -> sessions.SessionInfo | None:
    return sessions.holder(client.cookies["laurel_player"].value, at=timezone.now())


def test_a_player_token_is_exchanged_for_a_cookie_that_no_script_reads(game: Game, player: Player) -> None:
    client, answer = sign_in(factories.player_token(game, player), User_Agent="x" * 500)
    assert answer.status_code == 204
    cookie = client.cookies["laurel_player"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", "/")
    held = holder_of(client)
    assert held is not None
    assert (held.player_id, held.studio_id) == (player.pk, game.studio_id)
    row = PlayerSession.objects.get()
    assert cookie.value.encode() not in bytes(row.hash)
    assert len(row.user_agent) == 200


def test_over_https_the_cookie_is_bound_to_the_host(settings: Any, game: Game, player: Player) -> None:
    settings.PLAYER_COOKIE, settings.SESSION_COOKIE_SECURE = "__Host-laurel_player", True
    client, _ = sign_in(factories.player_token(game, player))
    cookie = client.cookies["__Host-laurel_player"]
    assert (cookie["secure"], cookie["domain"], cookie["path"]) == (True, "", "/")


@pytest.mark.parametrize("credential", ["", "Bearer x", "Basic eDp4", "Bearer lrl_sk_x"])
def test_nobody_else_is_signed_in(credential: str) -> None:
    assert Client().post("/session", headers={"Authorization": credential}).status_code == 401
    assert Client().post("/session").status_code == 401
    assert Client().get("/session").status_code == 405
    assert not PlayerSession.objects.exists()


def test_a_server_key_and_a_banned_player_are_not_signed_in(
    studio: Studio, game: Game, player: Player
) -> None:
    assert sign_in(factories.server_key(studio))[1].status_code == 401
    token = factories.player_token(game, player)
    factories.ban(studio, "p-1")
    assert sign_in(token)[1].status_code == 403
    assert not PlayerSession.objects.exists()


def test_a_form_of_another_site_signs_nobody_in_or_out(game: Game, player: Player) -> None:
    strict = Client(enforce_csrf_checks=True)
    headers = {"Authorization": f"Bearer {factories.player_token(game, player)}"}
    assert strict.post("/session", headers=headers).status_code == 403
    assert strict.post("/session/end").status_code == 403


def test_the_api_takes_no_cookie(game: Game, player: Player) -> None:
    client, _ = sign_in(factories.player_token(game, player))
    assert client.get("/api/v1/players/me").status_code == 401


def test_signing_out_ends_it_and_is_told_to_live_processes(game: Game, player: Player) -> None:
    client, _ = sign_in(factories.player_token(game, player))
    secret = client.cookies["laurel_player"].value
    assert client.post("/session/end").status_code == 204
    assert client.cookies["laurel_player"].value == ""
    assert sessions.holder(secret, at=timezone.now()) is None
    (told,) = sessions.dismissed(within_s=60)
    assert (told.kind, told.player_id) == ("session", player.pk)
    assert client.post("/session/end").status_code == 204
    assert Dismissal.objects.count() == 1


def test_it_ends_after_thirty_days_and_with_the_person(game: Game, player: Player) -> None:
    client, _ = sign_in(factories.player_token(game, player))
    secret = client.cookies["laurel_player"].value
    later = timezone.now() + sessions.LIFETIME
    assert sessions.holder(secret, at=later - timedelta(minutes=1)) is not None
    assert sessions.holder(secret, at=later + timedelta(minutes=1)) is None
    Player.objects.update(erased_at=timezone.now())
    assert holder_of(client) is None


def test_of_many_sessions_the_oldest_end(game: Game, player: Player) -> None:
    clients = [sign_in(factories.player_token(game, player))[0] for _ in range(22)]
    assert [holder_of(client) is not None for client in clients] == [False] * 2 + [True] * 20


@pytest.mark.parametrize("secret", ["", "x", "é", "x" * 1000, "\0"])
def test_a_cookie_that_is_nobody_s_is_nobody_s(secret: str) -> None:
    assert sessions.holder(secret, at=timezone.now()) is None


def test_a_ban_ends_what_was_begun_with_that_studio_s_token_only(
    studio: Studio, game: Game, player: Player
) -> None:
    other = factories.game()
    stranger = factories.player(other.studio, "x")
    ours, _ = sign_in(factories.player_token(game, player))
    theirs, _ = sign_in(factories.player_token(other, stranger))
    factories.ban(studio, "p-1")
    assert holder_of(ours) is None
    assert holder_of(theirs) is not None
    assert {told.kind for told in sessions.dismissed(within_s=60)} == {"session", "ban"}
    factories.ban(studio, "p-1", banned=False)
    assert {told.kind for told in sessions.dismissed(within_s=60)} == {"session"}


def test_revoked_tokens_are_refused_and_newer_ones_are_not(
    studio: Studio, game: Game, player: Player
) -> None:
    api = factories.api(factories.server_key(studio))
    old = factories.api(factories.player_token(game, player))
    assert old.get("/players/me").status_code == 200
    assert api.delete("/players/p-1/token").status_code == 204
    refused = old.get("/players/me")
    assert (refused.status_code, "revoked" in refused.json()["detail"]) == (401, True)
    new = api.post("/players/p-1/token", {"game_id": str(game.uuid)}).json()["token"]
    assert factories.api(new).get("/players/me").status_code == 200
    assert AuditEntry.objects.get().action == "player.revoke_tokens"


def test_revoking_tokens_ends_the_sessions_that_were_begun_with_them(
    studio: Studio, game: Game, player: Player
) -> None:
    other = factories.game()
    stranger = factories.player(other.studio, "x")
    thief, _ = sign_in(factories.player_token(game, player))
    theirs, _ = sign_in(factories.player_token(other, stranger))
    assert factories.api(factories.server_key(studio)).delete("/players/p-1/token").status_code == 204
    assert holder_of(thief) is None
    assert holder_of(theirs) is not None
    again, _ = sign_in(factories.player_token(game, player))
    assert holder_of(again) is not None
    assert {told.kind for told in sessions.dismissed(within_s=60)} == {"session", "tokens"}


def test_tokens_are_revoked_by_the_studio_s_key_alone(studio: Studio, game: Game, player: Player) -> None:
    token = factories.player_token(game, player)
    stranger = factories.api(factories.server_key(factories.studio()))
    reader = factories.api(factories.server_key(studio, scopes=["players:read"]))
    assert factories.api(token).delete("/players/me/token").status_code == 403
    assert reader.delete("/players/p-1/token").status_code == 403
    assert stranger.delete(f"/players/id:{player.uuid}/token").status_code == 404
    assert factories.api().delete("/players/p-1/token").status_code == 401
    assert factories.api(token).get("/players/me").status_code == 200
    assert not Dismissal.objects.exists()


def test_what_is_over_is_deleted(game: Game, player: Player) -> None:
    client, _ = sign_in(factories.player_token(game, player))
    client.post("/session/end")
    sessions.keep(now=timezone.now())
    assert (PlayerSession.objects.count(), Dismissal.objects.count()) == (1, 1)
    sessions.keep(now=timezone.now() + timedelta(days=2))
    assert (PlayerSession.objects.count(), Dismissal.objects.count()) == (1, 0)
    sessions.keep(now=timezone.now() + timedelta(days=61))
    assert not PlayerSession.objects.exists()
