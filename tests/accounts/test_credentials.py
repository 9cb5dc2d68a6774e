"""Who is calling: server keys and player tokens at the HTTP border."""

import json
import string
import time
from datetime import timedelta
from typing import Any
from uuid import uuid4

import jwt
import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from accounts import keys, services, tokens
from accounts.models import Game, Player, ServerKey, Studio
from core.rates import Rate
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


def signed(claims: dict[str, Any], *, secret: Any = None, algorithm: str = "HS256", **header: Any) -> str:
    kid, own = next(iter(settings.PLAYER_TOKEN_KEYS.items()))
    return jwt.encode(claims, secret or own, algorithm=algorithm, headers={"kid": kid, **header})


def claims_for(game: Game, player: Player, **changed: Any) -> dict[str, Any]:
    now = int(time.time())
    usual = {
        "iss": settings.PUBLIC_URL,
        "aud": str(game.uuid),
        "sub": str(player.uuid),
        "iat": now,
        "exp": now + 60,
    }
    return {name: value for name, value in (usual | changed).items() if value is not None}


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


def test_a_mistyped_key_costs_no_query(studio: Studio) -> None:
    key = factories.server_key(studio)
    mistyped = key[:-1] + ("a" if key[-1] != "a" else "b")
    with CaptureQueriesContext(connection) as queries:
        answer = factories.api(mistyped).get("/games")
    assert answer.status_code == 401
    assert "checksum" in answer.json()["detail"]
    assert len(queries) == 0


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic dXNlcjpwYXNz",
        "lrl_sk_abc",
        "Bearer lrl_sk_",
        "Bearer lrl_sk_" + "a" * 49,
        "Bearer not-a-token",
        "Bearer a.b.c",
        "Bearer é",
        "Bearer \x00",
        "Bearer " + "x" * 100_000,
        "Bearer {key}",
        "Bearer {key}, Bearer {key}",
    ],
)
def test_what_is_no_credential_answers_401(header: str) -> None:
    answer = factories.api().get("/games", Authorization=header.replace("{key}", keys.new_key()))
    assert answer.status_code == 401
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"].endswith("/problems/unauthenticated")


def test_without_a_credential_it_answers_401_and_changes_nothing() -> None:
    answer = factories.api().post("/games", {"title": "Emberwake"})
    assert answer.status_code == 401
    assert not Game.objects.exists()


@pytest.mark.parametrize("where", ["?api_key={key}", "?access_token={key}"])
def test_a_key_in_the_address_identifies_nobody(studio: Studio, where: str) -> None:
    key = factories.server_key(studio)
    assert factories.api().get("/games" + where.format(key=key)).status_code == 401


def test_a_key_in_a_cookie_identifies_nobody(studio: Studio) -> None:
    assert (
        factories.api()
        .get("/games", Cookie=f"Authorization=Bearer {factories.server_key(studio)}")
        .status_code
        == 401
    )


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


def test_a_key_revoked_here_stops_working_at_once(studio: Studio) -> None:
    key = factories.server_key(studio)
    caller = factories.api(key)
    assert caller.get("/games").status_code == 200
    factories.revoke(key)
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


def test_a_player_token_writes_nothing_of_a_server_s(studio: Studio, game: Game, player: Player) -> None:
    me = factories.api(factories.player_token(game, player))
    path = f"/games/{game.uuid}"
    for answer in (
        me.get("/games"),
        me.post("/games", {"title": "Mine"}),
        me.patch(path, {"title": "Mine"}),
        me.post(f"{path}/achievements", {"key": "a", "name": "A"}),
        me.put("/players/p-1", {"display_name": "root"}),
        me.post("/players/p-1/token", {}),
    ):
        assert answer.status_code == 403
        assert "server key" in answer.json()["detail"]
    assert Game.objects.get().title == "Emberwake"


def test_forged_and_outdated_tokens_are_refused(
    game: Game, player: Player, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(settings.RATES, "failures", Rate("failures", 1.0, 100))
    kid = next(iter(settings.PLAYER_TOKEN_KEYS))
    now = int(time.time())
    fine = claims_for(game, player)
    forged = {
        "another secret": signed(fine, secret="0" * 64),
        "another algorithm": signed(fine, algorithm="HS512"),
        "unsigned": jwt.encode(fine, "", algorithm="none", headers={"kid": kid}),
        "unknown kid": signed(fine, kid="other"),
        "kid of another type": signed(fine, kid=""),
        "expired": signed(claims_for(game, player, iat=now - 7200, exp=now - 3600)),
        "longer-lived than is issued": signed(claims_for(game, player, exp=now + 7200)),
        "issued in the future": signed(claims_for(game, player, iat=now + 3600, exp=now + 7200)),
        "without an end": signed(claims_for(game, player, exp=None)),
        "another instance's": signed(claims_for(game, player, iss="https://elsewhere.example")),
        "for no game": signed(claims_for(game, player, aud="everything")),
        "for an unknown game": signed(claims_for(game, player, aud=str(uuid4()))),
        "for an unknown player": signed(claims_for(game, player, sub=str(uuid4()))),
        "for nobody": signed(claims_for(game, player, sub=None)),
    }
    statuses = {what: factories.api(token).get("/players/me").status_code for what, token in forged.items()}
    assert statuses == dict.fromkeys(forged, 401)
    assert factories.api(signed(fine)).get("/players/me").status_code == 200


def test_a_token_of_a_player_whom_the_game_s_studio_does_not_know_is_refused(player: Player) -> None:
    elsewhere = factories.game()
    token, _ = tokens.issue(player=player.uuid, game=elsewhere.uuid, at=timezone.now())
    assert factories.api(token).get("/players/me").status_code == 401


def test_another_studio_s_objects_answer_as_if_they_were_not_there(studio: Studio, game: Game) -> None:
    """Byte for byte but for what the caller sent and the request's id: not even their existence is told."""
    factories.achievement(game, "first-blood")
    player = factories.player(studio, "p-1", visibility="friends")  # who is public is seen by everybody
    intruder = factories.api(factories.server_key(factories.studio()))
    unknown = str(uuid4())

    def told(answer: Any, secret: str) -> tuple[int, str]:
        body = answer.json()
        body.pop("request_id")
        return answer.status_code, json.dumps(body).replace(secret, "?")

    for path in (
        "/games/{game}",
        "/games/{game}/achievements",
        "/games/{game}/achievements/first-blood",
        "/games/{game}/achievements/export",
        "/leaderboards/{game}/points/players/p-1",
        "/players/p-1/achievements?game_id={game}",
    ):
        theirs = told(intruder.get(path.format(game=game.uuid)), str(game.uuid))
        nothing = told(intruder.get(path.format(game=unknown)), unknown)
        assert theirs == nothing
        assert theirs[0] == 404, path
    changes = {
        "patch": ("/games/{game}", {"title": "Stolen"}),
        "post": (
            "/achievements/unlock",
            {"player": "p-1", "achievement": "first-blood", "game_id": "{game}"},
        ),
        "delete": ("/games/{game}/achievements/first-blood", None),
    }
    for method, (path, body) in changes.items():
        answers = []
        for uuid in (str(game.uuid), unknown):
            sent = {name: value.format(game=uuid) for name, value in (body or {}).items()}
            arguments = [path.format(game=uuid)] + ([sent] if body else [])
            answers.append(told(getattr(intruder, method)(*arguments), uuid))
        assert answers[0] == answers[1]
        assert answers[0][0] == 404, path
    for name in ("p-1", f"id:{player.uuid}"):
        assert intruder.get(f"/players/{name}").status_code == 404
    game.refresh_from_db()
    assert game.title == "Emberwake"
