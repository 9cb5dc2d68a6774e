"""Who is calling: server keys and player tokens at the HTTP border; attacks on them are in tests/security."""

import string
import time
from datetime import timedelta

import jwt
import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts import keys, services
from accounts.models import Game, Player, ServerKey, Studio
from core.refusals import Invalid
from tests import factories
from tests.patience import SHIPPED

pytestmark = pytest.mark.django_db

REVOKED_WITHIN_S = 5.0
BASE62 = string.digits + string.ascii_letters


@pytest.fixture
def studio() -> Studio:
    return factories.studio()


@pytest.fixture
def game(studio: Studio) -> Game:
    return factories.game(studio)


@pytest.fixture
def player(studio: Studio) -> Player:
    return factories.player(studio)


def test_a_key_is_stored_as_a_hash_only(studio: Studio) -> None:
    key = factories.server_key(studio)
    assert key.startswith("lrl_sk_")
    with connection.cursor() as cursor:
        cursor.execute("SELECT row_to_json(k)::text FROM accounts_serverkey k")
        stored = cursor.fetchone()[0]
    assert key not in stored
    assert key.removeprefix("lrl_sk_")[:20] not in stored


@given(place=st.integers(0, 48), shift=st.integers(1, len(BASE62) - 1))
def test_a_key_with_one_letter_changed_is_told_from_an_unknown_one(place: int, shift: int) -> None:
    key = keys.new_key()
    assert keys.is_well_formed(key)
    at = len(keys.PREFIX) + place
    letter = BASE62[(BASE62.index(key[at]) + shift) % len(BASE62)]
    assert not keys.is_well_formed(key[:at] + letter + key[at + 1 :])


def test_a_key_without_the_scope_is_refused_by_its_name(studio: Studio, game: Game) -> None:
    caller = factories.api(factories.server_key(studio, scopes=["definitions:read"]))
    assert caller.get("/games").status_code == 200
    answer = caller.post("/games", {"title": "Another"})
    assert answer.status_code == 403
    assert "`definitions:write`" in answer.json()["detail"]
    unlock = {"game_id": str(game.uuid), "player": "p-1", "achievement": "a"}
    assert "`unlocks:write`" in caller.post("/achievements/unlock", unlock).json()["detail"]
    assert Game.objects.count() == 1
    assert not Player.objects.exists()


def test_who_may_get_may_ask_for_the_head_alone(studio: Studio, game: Game, player: Player) -> None:
    token, key = factories.player_token(game, player), factories.server_key(studio, scopes=["unlocks:write"])
    asked = [
        (None, ""),
        (token, f"/players/me/achievements?game_id={game.uuid}"),
        (key, "/leaderboards/global"),
    ]
    for credential, path in asked:
        headers = {} if credential is None else {"Authorization": f"Bearer {credential}"}
        answer = Client().head(f"/api/v1{path}", headers=headers)
        assert (answer.status_code, answer.content) == (200, b""), path
    unscoped = {"Authorization": f"Bearer {key}"}
    assert Client().head("/api/v1/players/me", headers=unscoped).status_code == 403


def test_a_key_of_one_game_knows_no_other(studio: Studio, game: Game) -> None:
    other = factories.game(studio)
    caller = factories.api(factories.server_key(studio, game=game))
    assert [each["id"] for each in caller.get("/games").json()["results"]] == [str(game.uuid)]
    assert caller.get(f"/games/{game.uuid}").status_code == 200
    assert caller.get(f"/games/{other.uuid}").status_code == 404
    assert caller.post("/games", {"title": "Another"}).status_code == 403


@pytest.mark.parametrize("path", ["/achievements/unlock", "/achievements/unlock/batch", "/players/p-1/token"])
def test_a_key_of_the_studio_that_names_no_game_is_told_so(studio: Studio, path: str) -> None:
    answer = factories.api(factories.server_key(studio)).post(path, {})
    assert answer.status_code == 422
    assert [each["pointer"] for each in answer.json()["errors"]] == ["/game_id"]
    assert not Player.objects.exists()


def test_an_expired_key_is_refused_at_once_though_it_was_kept(studio: Studio) -> None:
    for seconds in (0.3, 5, 60):  # on a slow machine it may be over before it is asked for
        soon = timezone.now() + timedelta(seconds=seconds)
        _, key = services.issue_key(studio_id=studio.pk, name="short", expires_at=soon)
        caller = factories.api(key)
        if caller.get("/games").status_code == 200:
            break
    else:
        raise AssertionError("it was over too soon")
    while timezone.now() <= soon:
        time.sleep(0.05)
    assert caller.get("/games").status_code == 401


def test_a_key_revoked_elsewhere_stops_working_within_5_s(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = factories.server_key(studio)
    caller = factories.api(key)
    assert caller.get("/games").status_code == 200
    ServerKey.objects.update(revoked_at=timezone.now())  # as another process does: nobody tells this one
    assert caller.get("/games").status_code == 200  # which has kept it
    assert SHIPPED["accounts.selectors.keys.KEY_SECONDS"] < REVOKED_WITHIN_S
    monkeypatch.setattr("accounts.selectors.keys.KEY_REFRESH_SECONDS", 0.0)  # that time is over
    assert caller.get("/games").status_code == 401


def test_a_key_in_use_is_looked_up_every_few_seconds_only(studio: Studio) -> None:
    caller = factories.api(factories.server_key(studio))
    caller.get("/games")
    with CaptureQueriesContext(connection) as queries:
        caller.get("/games")
    assert not any("accounts_serverkey" in query["sql"] for query in queries)


def test_keys_of_unknown_scopes_are_not_issued(studio: Studio) -> None:
    with pytest.raises(Invalid) as refused:
        services.issue_key(studio_id=studio.pk, name="x", scopes=["unlocks:write", "everything"])
    assert "everything" in refused.value.errors[0]["detail"]
    assert not ServerKey.objects.exists()


def test_a_player_token_stands_for_one_player_in_one_game(studio: Studio, game: Game, player: Player) -> None:
    server = factories.api(factories.server_key(studio))
    answer = server.post("/players/p-1/token", {"game_id": str(game.uuid)})
    assert answer.status_code == 201
    said = answer.json()
    header = jwt.get_unverified_header(said["token"])
    assert header["alg"] == "HS256"
    assert header["kid"]
    claims = jwt.decode(said["token"], options={"verify_signature": False})
    assert (claims["aud"], claims["sub"]) == (str(game.uuid), str(player.uuid))
    assert claims["exp"] - claims["iat"] <= 3600
    me = factories.api(said["token"])
    assert me.get("/players/me").json()["id"] == str(player.uuid)
    assert me.get("/players/p-1").json()["id"] == str(player.uuid)
    factories.player(studio, "p-2")
    assert me.get("/players/p-2").status_code == 404
    other = factories.game(studio)
    assert me.get(f"/players/me/achievements?game_id={other.uuid}").status_code == 404
