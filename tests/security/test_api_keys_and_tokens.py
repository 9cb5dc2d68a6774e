"""Keys and tokens: what is no credential opens nothing, what was taken away opens nothing any more."""

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable
from datetime import timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import jwt
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import keyring, keys, selectors, services, signatures, tokens
from accounts.calls.models import Call
from accounts.calls.notebook import notebook
from accounts.models import Game, Nonce, Player, ServerKey, Studio
from accounts.tasks import keep_sessions
from config.children import BASE_DIR
from config.embedded import Servers
from core.rates import Rate
from tests import factories
from tests.accounts.entrance import sign_in, user
from tests.security.addresses import addresses
from tests.security.nothing_changed import nothing_changed
from tests.security.serving import WebServer, request

UNLOCK: Final = "/achievements/unlock"
GAMES: Final = "/api/v1/games"
REVOKED_WITHIN_S: Final = 5.0


class World:
    """A studio with a game, a player and a key of it."""

    def __init__(self) -> None:
        """Build it."""
        self.studio: Studio = factories.studio()
        self.game: Game = factories.game(self.studio)
        factories.achievement(self.game, "server")
        factories.achievement(self.game, "client", authority="client")
        self.player: Player = factories.player(self.studio)
        self.key = factories.server_key(self.studio)

    @property
    def unlock(self) -> dict[str, Any]:
        """An unlock that any good credential may bring."""
        return {"game_id": str(self.game.uuid), "player": "p-1", "achievement": "client"}


@pytest.fixture
def world(db: None, monkeypatch: pytest.MonkeyPatch) -> World:
    """It, where an address may try as many credentials as it likes."""
    monkeypatch.setitem(settings.RATES, "failures", Rate("failures", 1e6, 10**6))
    return World()


def assert_unknown(answer: Any, slug: str = "unauthenticated") -> None:
    """Fail unless nobody is known by a request."""
    assert answer.status_code == 401, answer.content
    assert answer["WWW-Authenticate"] == "Bearer"
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["type"].endswith(f"/problems/{slug}")


def test_a1_nobody_unlocks_nothing(world: World) -> None:
    with nothing_changed():
        assert_unknown(factories.api().post(UNLOCK, world.unlock))


NO_CREDENTIALS: Final = {
    "A2-nothing": "",
    "A2-the word": "Bearer",
    "A2-a space": "Bearer ",
    "A2-another scheme": "Basic dXNlcjpwYXNz",
    "A2-no scheme": "{key}",
    "A2-the prefix": "Bearer lrl_sk_",
    "A2-a wrong checksum": "Bearer lrl_sk_" + "a" * 49,
    "A2-no token": "Bearer not-a-token",
    "A2-dots": "Bearer a.b.c",
    "A2-a key in quotes": 'Bearer "{key}"',
    "A2-a key with more behind": "Bearer {key}a",
    "A2-a key in capitals": "Bearer {upper}",
    "A3-an unknown key": "Bearer {unknown}",
    "A8-100 kB": "Bearer " + "x" * 100_000,
    "A8-not ASCII": "Bearer é",
    "A8-NUL": "Bearer \x00",
    "A8-NUL behind a key": "Bearer {key}\x00",
    "A8-two keys": "Bearer {key}, Bearer {key}",
    "A8-two schemes": "Basic dXNlcjpwYXNz, Bearer {key}",
}


@pytest.mark.parametrize("header", [pytest.param(header, id=name) for name, header in NO_CREDENTIALS.items()])
def test_what_is_no_credential_stands_for_nobody(world: World, header: str) -> None:
    filled = header.format(key=world.key, upper=world.key.upper(), unknown=keys.new_key())
    with nothing_changed():
        assert_unknown(factories.api().post(UNLOCK, world.unlock, Authorization=filled))


def test_a2_a_mistyped_key_costs_no_query(world: World) -> None:
    mistyped = world.key[:-1] + ("a" if world.key[-1] != "a" else "b")
    with CaptureQueriesContext(connection) as queries:
        answer = factories.api(mistyped).get("/games")
    assert_unknown(answer)
    assert "checksum" in answer.json()["detail"]
    assert len(queries) == 0


@pytest.mark.django_db
def test_a3_an_address_guesses_ten_keys_a_minute() -> None:
    world = World()
    with nothing_changed():
        for _ in range(10):
            assert_unknown(factories.api(keys.new_key()).get("/games"))
        refused = factories.api(keys.new_key()).get("/games")
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert factories.api(world.key).get("/games").status_code == 200, "who has a key is not stopped"


@pytest.mark.django_db
def test_a3_the_door_for_players_tells_no_more_guesses() -> None:
    world, shown = World(), Client(REMOTE_ADDR="203.0.113.77")
    with nothing_changed():
        for _ in range(10):
            answer = shown.post("/session", headers={"Authorization": f"Bearer {keys.new_key()}"})
            assert answer.status_code == 401
        refused = shown.post("/session", headers={"Authorization": f"Bearer {keys.new_key()}"})
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    token = factories.player_token(world.game, factories.player(world.studio, "p-7"))
    assert shown.post("/session", headers={"Authorization": f"Bearer {token}"}).status_code == 204


# With a server of its own, in the order in which bytes meet it: what stands before Django has its own say.
ON_THE_WIRE: Final[dict[str, tuple[int, list[tuple[str, str]]]]] = {
    "A8-wire-100 kB": (401, [("Authorization", "Bearer " + "x" * 100_000)]),
    "A8-wire-1 MB": (431, [("Authorization", "Bearer " + "x" * 1_000_000)]),
    "A8-wire-300 headers": (431, [(f"X-{number}", "a") for number in range(300)]),
    "A8-wire-not ASCII": (401, [("Authorization", "Bearer é")]),
    "A8-wire-no UTF-8": (401, [("Authorization", "Bearer \udcff\udcfe")]),
    "A8-wire-NUL": (400, [("Authorization", "Bearer \x00")]),
    "A8-wire-a control": (400, [("Authorization", "Bearer \x01")]),
    "A8-wire-a folded line": (400, [("Authorization", "Bearer a\r\n b")]),
    "A8-wire-two keys": (401, [("Authorization", "Bearer {key}"), ("Authorization", "Bearer {key}")]),
    "A8-wire-two schemes": (401, [("Authorization", "Basic eA=="), ("Authorization", "Bearer {key}")]),
    "A8-wire-an underscore": (401, [("HTTP_AUTHORIZATION", "Bearer {key}")]),
}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("attack", ON_THE_WIRE)
def test_a_header_that_can_not_be_is_refused_by_the_server(web: WebServer, attack: str) -> None:
    status, headers = ON_THE_WIRE[attack]
    key = factories.server_key(factories.studio())
    filled = [(name, value.replace("{key}", key)) for name, value in headers]
    filled.append(("Content-Type", "application/json"))
    with nothing_changed():
        [answer] = web.send(request("POST", GAMES, b'{"title":"New"}', filled))
    assert answer.status == status
    if status == 401:
        assert answer.slug == "unauthenticated"


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(
    "where",
    [
        pytest.param(where, id=f"A6-{where.partition('{')[0]}")
        for where in (
            f"GET {GAMES}?api_key={{key}}",
            f"GET {GAMES}?access_token={{key}}",
            f"GET {GAMES}?Authorization=Bearer%20{{key}}",
            "Cookie: Authorization=Bearer {key}",
            "Cookie: api_key={key}",
            "X-Api-Key: {key}",
            "Proxy-Authorization: Bearer {key}",
        )
    ],
)
def test_a_key_elsewhere_than_in_its_header_stands_for_nobody_and_is_not_logged(
    web: WebServer, where: str
) -> None:
    key = factories.server_key(factories.studio())
    filled = where.format(key=key)
    path = filled.removeprefix("GET ") if filled.startswith("GET ") else GAMES
    name, _, value = filled.partition(": ")
    headers = {} if filled.startswith("GET ") else {name: value}
    with nothing_changed():
        [answer] = web.send(request("GET", path, headers=headers))
    assert (answer.status, answer.slug) == (401, "unauthenticated")
    for log in web.log.parent.iterdir():
        assert key not in log.read_text()
    assert not Call.objects.filter(path__contains=key).exists()


def test_a6_a_key_in_the_address_of_a_known_caller_is_not_noted(world: World) -> None:
    assert factories.api(world.key).get(f"/games?api_key={world.key}").status_code == 400
    notebook.forget()
    assert not Call.objects.exists()


def test_a4_a_revoked_key_opens_nothing(world: World) -> None:
    caller = factories.api(world.key)
    assert caller.get("/games").status_code == 200
    factories.revoke(world.key)
    with nothing_changed():
        assert_unknown(caller.post(UNLOCK, world.unlock))


@pytest.mark.slow
@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("valkey", ["there", "frozen"])
def test_a4_a_key_revoked_elsewhere_opens_nothing_after_5_s(
    web: WebServer, servers: Servers, valkey: str
) -> None:
    """In the processes as they are shipped, though they have kept the key, and with Valkey away."""
    studio = factories.studio()
    row, key = services.issue_key(studio_id=studio.pk, name="Leaked")
    authorization = f"Bearer {key}"

    def status() -> int:
        return web.ask("GET", GAMES, Authorization=authorization).status

    assert {status() for _ in range(8)} == {200}  # both processes have kept it
    if valkey == "frozen":
        servers.valkey.freeze()
    try:
        keyring.revoke(
            studio_id=studio.pk, uuid=row.uuid, reason="Leaked", actor="user:test", at=timezone.now()
        )
        ends = time.monotonic() + REVOKED_WITHIN_S
        while time.monotonic() < ends:
            status()  # so that both go on to keep it
            time.sleep(0.05)
        assert {status() for _ in range(16)} == {401}
    finally:
        if valkey == "frozen":
            servers.valkey.thaw()


@pytest.mark.parametrize(
    ("seconds", "status"),
    [
        pytest.param(seconds, status, id=f"A5-{seconds} s")
        for seconds, status in ((-5, 200), (-1, 200), (0, 401), (5, 401))
    ],
)
def test_a_rotated_key_ends_to_the_second(
    world: World, monkeypatch: pytest.MonkeyPatch, seconds: int, status: int
) -> None:
    row = ServerKey.objects.get()
    keyring.rotate(
        studio_id=world.studio.pk,
        uuid=row.uuid,
        overlap=timedelta(hours=1),
        user_id=user().pk,
        actor="user:test",
        at=timezone.now(),
    )
    row.refresh_from_db()
    assert row.expires_at is not None
    caller = factories.api(world.key)
    during = caller.get("/games")
    assert during.status_code == 200
    assert re.fullmatch(r"@\d+", during["Deprecation"])
    assert parsedate_to_datetime(during["Sunset"]) == row.expires_at.replace(microsecond=0)
    at = row.expires_at + timedelta(seconds=seconds)
    monkeypatch.setattr("accounts.authentication.clock.now", lambda: at)
    with nothing_changed():
        answer = caller.get("/games")
    assert answer.status_code == status
    if status == 401:
        assert_unknown(answer, "credential-expired")


def _signed(claims: dict[str, Any], *, secret: Any = None, algorithm: str = "HS256", **header: Any) -> str:
    kid, own = next(iter(settings.PLAYER_TOKEN_KEYS.items()))
    return jwt.encode(claims, secret or own, algorithm=algorithm, headers={"kid": kid, **header})


def _claims(world: World, **changed: Any) -> dict[str, Any]:
    now = int(time.time())
    usual = {
        "iss": settings.PUBLIC_URL,
        "aud": str(world.game.uuid),
        "sub": str(world.player.uuid),
        "iat": now,
        "exp": now + 60,
    }
    return {name: value for name, value in (usual | changed).items() if value is not None}


def _ago(seconds: int) -> int:
    return int(time.time()) - seconds


FORGED: Final[dict[str, Callable[[World], str]]] = {
    "another secret": lambda w: _signed(_claims(w), secret="0" * 64),
    "an empty secret": lambda w: _signed(_claims(w), secret=" " * 64, kid=""),
    "another algorithm": lambda w: _signed(_claims(w), algorithm="HS512"),
    "unsigned": lambda w: jwt.encode(
        _claims(w), "", algorithm="none", headers={"kid": next(iter(settings.PLAYER_TOKEN_KEYS))}
    ),
    "no signature": lambda w: _signed(_claims(w)).rpartition(".")[0] + ".",
    "another's signature": lambda w: ".".join(
        [*_signed(_claims(w, sub=str(uuid4()))).split(".")[:2], _signed(_claims(w)).split(".")[2]]
    ),
    "an unknown kid": lambda w: _signed(_claims(w), kid="other"),
    "a kid that is a path": lambda w: _signed(_claims(w), kid="../../dev/null"),
    "a key of its own": lambda w: _signed(
        _claims(w), jwk={"kty": "oct", "k": "AAAA"}, secret="0" * 32, kid="0"
    ),
    "an address of keys": lambda w: _signed(_claims(w), jku="https://evil.example/keys", kid="0"),
    "expired": lambda w: _signed(_claims(w, iat=_ago(7200), exp=_ago(3600))),
    "expired beyond the leeway": lambda w: _signed(_claims(w, iat=_ago(3600), exp=_ago(tokens.LEEWAY_S + 2))),
    "longer-lived than is issued": lambda w: _signed(_claims(w, exp=_ago(-7200))),
    "issued in the future": lambda w: _signed(_claims(w, iat=_ago(-3600), exp=_ago(-7200))),
    "without an end": lambda w: _signed(_claims(w, exp=None)),
    "another instance's": lambda w: _signed(_claims(w, iss="https://elsewhere.example")),
    "for no game": lambda w: _signed(_claims(w, aud="everything")),
    "for an unknown game": lambda w: _signed(_claims(w, aud=str(uuid4()))),
    "for another studio's game": lambda w: _signed(_claims(w, aud=str(factories.game().uuid))),
    "for an unknown player": lambda w: _signed(_claims(w, sub=str(uuid4()))),
    "for nobody": lambda w: _signed(_claims(w, sub=None)),
    "for several games": lambda w: _signed(_claims(w, aud=[str(w.game.uuid)])),
    "of 5 kB": lambda w: _signed(_claims(w, more="x" * 5_000)),
}


@pytest.mark.parametrize("how", [pytest.param(how, id=f"A9-{how}") for how in FORGED])
def test_a_forged_token_stands_for_nobody(world: World, how: str) -> None:
    token = FORGED[how](world)
    with nothing_changed():
        assert_unknown(factories.api(token).post(UNLOCK, world.unlock))
    assert factories.api(_signed(_claims(world))).get("/players/me").status_code == 200


def test_a10_a_key_that_only_reads_is_told_which_scope_it_lacks(world: World) -> None:
    reader = factories.api(factories.server_key(world.studio, scopes=["players:read", "definitions:read"]))
    assert reader.get("/games").status_code == 200
    with nothing_changed():
        answer = reader.post(UNLOCK, world.unlock)
    assert answer.status_code == 403
    assert "`unlocks:write`" in answer.json()["detail"]


def test_a11_a_key_of_one_game_opens_no_other(world: World) -> None:
    other = factories.game(world.studio)
    caller = factories.api(factories.server_key(world.studio, game=other))
    with nothing_changed():
        assert caller.post(UNLOCK, world.unlock).status_code == 404
        assert caller.patch(f"/games/{world.game.uuid}", {"title": "Mine"}).status_code == 404
        assert caller.post("/games", {"title": "Mine"}).status_code == 403
    assert [each["id"] for each in caller.get("/games").json()["results"]] == [str(other.uuid)]


@pytest.mark.parametrize(
    "path", ["/achievements/unlock", "/achievements/unlock/batch", "/achievements/progress", "/stats/report"]
)
@pytest.mark.parametrize("name", ["p-2", "id"])
def test_a13_a_player_does_nothing_for_another(world: World, path: str, name: str) -> None:
    other = factories.player(world.studio, "p-2")
    me = factories.api(factories.player_token(world.game, world.player))
    named = "p-2" if name == "p-2" else f"id:{other.uuid}"
    bodies: dict[str, dict[str, Any]] = {
        "/achievements/unlock": {"player": named, "achievement": "client"},
        "/achievements/unlock/batch": {"unlocks": [{"player": named, "achievement": "client"}]},
        "/achievements/progress": {"player": named, "achievement": "client", "steps": 1},
        "/stats/report": {"player": named, "stats": {"kills": {"set": 1}}},
    }
    with nothing_changed():
        answer = me.post(path, bodies[path])
    if path.endswith("/batch"):
        assert answer.json()["rejected"] == 1
        assert answer.json()["results"][0]["problem"]["status"] == 404
    else:
        assert answer.status_code == 404


def test_a14_a_player_token_does_nothing_of_a_server_s(world: World) -> None:
    other = factories.player(world.studio, "p-2", visibility="private")
    me = factories.api(factories.player_token(world.game, world.player))
    game = f"/games/{world.game.uuid}"
    with nothing_changed():
        for answer in (
            me.get("/games"),
            me.post("/games", {"title": "Mine"}),
            me.patch(game, {"title": "Mine"}),
            me.post(f"{game}/achievements", {"key": "a", "name": "A"}),
            me.put("/players/p-1", {"display_name": "root"}),
            me.post("/players/p-1/token", {}),
            me.delete("/players/p-1"),
            me.get("/webhooks"),
            me.post(UNLOCK, world.unlock | {"achievement": "server"}),
        ):
            assert answer.status_code == 403, answer.content
        for name in ("p-2", f"id:{other.uuid}"):
            for more in ("", "/dashboard", "/achievements", "/friends", "/notifications"):
                assert me.get(f"/players/{name}{more}").status_code == 404


@pytest.mark.parametrize("scope", ["scores", "stats"])
def test_a14_a_player_token_writes_no_number_that_is_a_server_s(world: World, scope: str) -> None:
    factories.stat(world.game)
    factories.leaderboard(world.game)
    me = factories.api(factories.player_token(world.game, world.player))
    with nothing_changed():
        if scope == "stats":
            answer = me.post("/stats/report", {"player": "me", "stats": {"kills": {"set": 9}}})
        else:
            path = f"/leaderboards/{world.game.uuid}/high-score/scores"
            answer = me.post(path, {"player": "me", "score": 9})
    if scope == "stats":
        assert answer.json()["stats"]["kills"]["problem"]["status"] == 403
    else:
        assert answer.status_code == 403


def test_a16_a_key_is_nowhere_but_with_its_owner(world: World) -> None:
    factories.api(world.key).get("/games")
    with connection.cursor() as cursor:
        cursor.execute("SELECT string_agg(t::text, ' ') FROM accounts_serverkey t")
        kept: str = cursor.fetchone()[0]
    secret = world.key.removeprefix(keys.PREFIX)
    assert not [secret[at : at + 8] for at in range(len(secret) - 8) if secret[at : at + 8] in kept]


def test_a17_a_session_of_a_page_is_nobody_to_the_api(world: World) -> None:
    """Neither with a form's token nor without: no cookie counts there, so no other site's form can use one."""
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(user())
    token = browser.get("/account/logout/").cookies["csrftoken"].value
    for headers in ({}, {"X-CSRFToken": token}):
        for kind in ("application/json", "text/plain"):
            with nothing_changed():
                answer = browser.post(
                    "/api/v1/games", b'{"title":"Mine"}', content_type=kind, headers=headers
                )
            assert_unknown(answer)
    assert sign_in(Client()).status_code == 302


def test_a12_revoked_tokens_open_nothing(world: World) -> None:
    token = factories.player_token(world.game, world.player)
    me = factories.api(token)
    assert me.get("/players/me").status_code == 200
    time.sleep(0.002)
    assert factories.api(world.key).delete("/players/p-1/token").status_code == 204
    with nothing_changed():
        assert_unknown(me.post(UNLOCK, world.unlock))
    assert (
        factories.api(factories.player_token(world.game, world.player)).get("/players/me").status_code == 200
    )


def test_a15_what_a_token_stands_for_and_for_how_long(world: World) -> None:
    said = factories.api(world.key).post("/players/p-1/token", {"game_id": str(world.game.uuid)}).json()
    header = jwt.get_unverified_header(said["token"])
    claims = jwt.decode(said["token"], options={"verify_signature": False})
    assert (header["alg"], claims["aud"], claims["sub"]) == (
        "HS256",
        str(world.game.uuid),
        str(world.player.uuid),
    )
    assert claims["exp"] - claims["iat"] <= 3600
    other = factories.game(world.studio)
    me = factories.api(said["token"])
    assert me.get(f"/players/me/achievements?game_id={other.uuid}").status_code == 404


def test_a22_two_keys_sign_in_turn_and_a_dropped_one_opens_nothing(world: World, settings: Any) -> None:
    settings.PLAYER_TOKEN_KEYS = {"a": "a" * 64}
    old = factories.player_token(world.game, world.player)
    settings.PLAYER_TOKEN_KEYS = {"b": "b" * 64, "a": "a" * 64}
    new = factories.player_token(world.game, world.player)
    assert jwt.get_unverified_header(new)["kid"] == "b"
    for token in (old, new):
        assert factories.api(token).get("/players/me").status_code == 200
    settings.PLAYER_TOKEN_KEYS = {"b": "b" * 64}
    with nothing_changed():
        assert_unknown(factories.api(old).post(UNLOCK, world.unlock))
    assert factories.api(new).get("/players/me").status_code == 200


def test_a22_a_token_signed_by_one_key_under_the_other_s_name_opens_nothing(
    world: World, settings: Any
) -> None:
    settings.PLAYER_TOKEN_KEYS = {"b": "b" * 64, "a": "a" * 64}
    mixed = _signed(_claims(world), secret="a" * 64, kid="b")
    assert_unknown(factories.api(mixed).get("/players/me"))


def _pattern() -> re.Pattern[str]:
    text = (Path(BASE_DIR) / "docs" / "keys-and-tokens.md").read_text()
    [found] = re.findall(r"^    (\S*lrl_sk_\S+)$", text, re.MULTILINE)
    return re.compile(found)


def test_a23_the_documented_pattern_finds_leaked_keys_and_nothing_else() -> None:
    pattern = _pattern()
    for _ in range(200):
        key = keys.new_key()
        for around in (f"{key}", f'KEY="{key}"', f"https://x.example/?k={key}&y=1", f"a {key}.", f"-{key}-"):
            assert pattern.findall(around) == [key]
    for other in (
        "lrl_sk_",
        "lrl_sk_" + "a" * 48,
        "lrl_sk_" + "a" * 50,
        "lrl_sk_…abcd",
        "xlrl_sk_" + "a" * 49,
    ):
        assert not pattern.search(other), other


def test_a16_a_last_use_is_known(world: World) -> None:
    [before] = selectors.keys_of(world.studio.pk)
    assert ServerKey.objects.get().last_used_at is None
    factories.api(world.key).get("/games")
    assert ServerKey.objects.get(pk=before.id).last_used_at is not None


class Device:
    """A game on a player's device, which signs by itself (RFC 9421)."""

    def __init__(self, world: World, player: str = "p-1") -> None:
        """Let the game's server ask for a token."""
        said = (
            factories.api(world.key)
            .post(f"/players/{player}/token", {"game_id": str(world.game.uuid)})
            .json()
        )
        self.api = factories.api(said["token"])
        self._key = base64.b64decode(said["signing_key"])

    def headers(self, path: str, body: bytes, nonce: str, /, **other: Any) -> dict[str, str]:
        """Return a signature; `other` parts of it are signed instead of what is sent."""
        digest = f"sha-256=:{base64.b64encode(hashlib.sha256(other.get('body', body)).digest()).decode()}:"
        params = f'("@method" "@path" "content-digest");nonce="{nonce}"'
        base = (
            f'"@method": {other.get("method", "POST")}\n"@path": /api/v1{other.get("path", path)}\n'
            f'"content-digest": {digest}\n"@signature-params": {params}'
        )
        signature = hmac.digest(other.get("key", self._key), base.encode(), "sha256")
        return {
            "Content_Digest": digest,
            "Signature_Input": f"laurel={params}",
            "Signature": f"laurel=:{base64.b64encode(signature).decode()}:",
        }

    def send(self, path: str, body: Any, nonce: str = "", /, **other: Any) -> Any:
        """Send something signed, with a nonce of its own if none is given."""
        data = json.dumps(body).encode()
        more = {name: other.pop(name) for name in ("Idempotency_Key",) if name in other}
        return self.api.post(path, data, **self.headers(path, data, nonce or new_nonce(), **other), **more)


def new_nonce() -> str:
    """Return a nonce."""
    return uuid4().hex


@pytest.fixture
def strict(world: World) -> World:
    """A world whose game wants signatures."""
    answer = factories.api(world.key).patch(f"/games/{world.game.uuid}", {"signed_requests": True})
    assert answer.json()["signed_requests"] is True
    return world


def test_a35_what_is_signed_is_done(strict: World) -> None:
    answer = Device(strict).send(UNLOCK, strict.unlock)
    assert answer.status_code == 202, answer.content
    assert answer.json()["totals"]["points"] == 10


def test_a35_the_same_request_counts_once_though_what_it_did_was_taken_back(strict: World) -> None:
    """Whoever overheard it can't bring back what was revoked."""
    device, nonce = Device(strict), new_nonce()
    assert device.send(UNLOCK, strict.unlock, nonce).status_code == 202
    body = {**strict.unlock, "reason": "A test"}
    assert factories.api(strict.key).post("/achievements/revoke", body).status_code == 202
    with nothing_changed():
        answer = device.send(UNLOCK, strict.unlock, nonce)
    assert answer.status_code == 409
    assert device.send(UNLOCK, strict.unlock).status_code == 202


def test_a35_a_nonce_is_used_up_by_what_was_refused(strict: World) -> None:
    device, nonce = Device(strict), new_nonce()
    assert device.send(UNLOCK, strict.unlock | {"achievement": "server"}, nonce).status_code == 403
    with nothing_changed():
        assert device.send(UNLOCK, strict.unlock, nonce).status_code == 409


def test_a35_a_nonce_of_another_token_is_another_one(strict: World) -> None:
    nonce = new_nonce()
    factories.player(strict.studio, "p-2")
    for player in ("p-1", "p-2"):
        answer = Device(strict, player).send(UNLOCK, strict.unlock | {"player": player}, nonce)
        assert answer.status_code == 202


def test_a35_with_an_idempotency_key_it_is_answered_again_and_done_once(strict: World) -> None:
    device, nonce = Device(strict), new_nonce()
    first = device.send(UNLOCK, strict.unlock, nonce, Idempotency_Key="k-1")
    with nothing_changed():
        again = device.send(UNLOCK, strict.unlock, Idempotency_Key="k-1")
        replayed = device.send(UNLOCK, strict.unlock, nonce, Idempotency_Key="k-1")
        other = device.send(UNLOCK, strict.unlock, nonce, Idempotency_Key="k-2")
    assert first.status_code == again.status_code == replayed.status_code == 202
    assert first.content == again.content == replayed.content
    assert other.status_code == 409


UNSIGNED: Final[dict[str, dict[str, Any]]] = {
    "another body": {"body": b'{"player": "me"}'},
    "another path": {"path": "/achievements/progress"},
    "another method": {"method": "PUT"},
    "another key": {"key": b"0" * 32},
    "the token as a key": {"key": b""},
}


@pytest.mark.parametrize("wrong", [pytest.param(wrong, id=f"A35-{wrong}") for wrong in UNSIGNED])
def test_a_signature_of_something_else_opens_nothing(strict: World, wrong: str) -> None:
    device = Device(strict)
    with nothing_changed():
        assert device.send(UNLOCK, strict.unlock, **UNSIGNED[wrong]).status_code == 403


@pytest.mark.parametrize(
    ("name", "value"),
    [
        pytest.param(name, value, id=f"A35-{name} {number}")
        for number, (name, value) in enumerate(
            (
                ("Signature", ""),
                ("Signature", "laurel=::"),
                ("Signature", "laurel=:" + "A" * 43 + "=:"),
                ("Signature", "other=:" + "A" * 43 + "=:"),
                ("Signature", "laurel=:" + "!" * 43 + "=:"),
                ("Signature_Input", ""),
                ("Signature_Input", 'laurel=("@method");nonce="0123456789abcdef"'),
                ("Signature_Input", 'laurel=("@method" "@path" "content-digest")'),
                ("Signature_Input", 'laurel=("@method" "@path" "content-digest");nonce="short"'),
                ("Signature_Input", 'laurel=("@method" "@path" "content-digest");nonce="a\x00"'),
                ("Signature_Input", "x" * 100_000),
                ("Content_Digest", ""),
                ("Content_Digest", "sha-512=:AAAA:"),
            )
        )
    ],
)
def test_what_is_no_signature_opens_nothing(strict: World, name: str, value: str) -> None:
    device, data = Device(strict), json.dumps(strict.unlock).encode()
    headers = device.headers(UNLOCK, data, new_nonce()) | {name: value}
    with nothing_changed():
        assert device.api.post(UNLOCK, data, **headers).status_code == 403


def test_a35_two_nonces_or_another_algorithm_are_no_signature(strict: World) -> None:
    device = Device(strict)
    for nonce in (f'{new_nonce()}";nonce="{new_nonce()}', f'{new_nonce()}";alg="rsa-pss-sha512'):
        with nothing_changed():
            assert device.send(UNLOCK, strict.unlock, nonce).status_code == 403
    assert device.send(UNLOCK, strict.unlock, f'{new_nonce()}";alg="hmac-sha256').status_code == 202


def _deeds(world: World) -> dict[str, Any]:
    board = f"/leaderboards/{world.game.uuid}/high/scores"
    return {
        UNLOCK: {"player": "me", "achievement": "client"},
        f"{UNLOCK}/batch": {"unlocks": [{"player": "me", "achievement": "client"}]},
        "/achievements/progress": {"player": "me", "achievement": "steps", "steps": 1},
        "/stats/report": {"player": "me", "stats": {"kills": {"set": 1}}},
        "/stats/report/batch": {"reports": [{"player": "me", "stats": {"kills": {"set": 1}}}]},
        board: {"player": "me", "score": 1},
        f"{board}/batch": {"scores": [{"player": "me", "score": 1}]},
    }


def test_a35_each_deed_of_a_device_wants_a_signature_and_no_deed_of_a_server(strict: World) -> None:
    factories.achievement(strict.game, "steps", type="incremental", target=9, authority="client")
    factories.stat(strict.game, authority="client")
    factories.leaderboard(strict.game, "high", authority="client")
    device, server = Device(strict), factories.api(factories.server_key(strict.studio, game=strict.game))
    for path, body in _deeds(strict).items():
        with nothing_changed(path):
            assert device.api.post(path, body).status_code == 403
    for path, body in _deeds(strict).items():
        assert device.send(path, body).status_code in (200, 202), path
        assert server.post(path, json.loads(json.dumps(body).replace('"me"', '"p-9"'))).status_code in (
            200,
            202,
        )
    counted = {
        one.path({**dict.fromkeys(one.parts, "x"), "game_id": str(strict.game.uuid), "board": "high"})
        for one in addresses()
        if getattr(getattr(one.view, "view_class", None), "limited_as", "") == "unlocks"
    }
    assert counted == {f"/api/v1{path}" for path in _deeds(strict)}, "which count as a player's deeds"


def test_a35_where_none_is_wanted_a_wrong_one_is_refused_all_the_same(world: World) -> None:
    device = Device(world)
    with nothing_changed():
        assert device.send(UNLOCK, world.unlock, key=b"0" * 32).status_code == 403
    assert device.api.post(UNLOCK, world.unlock).status_code == 202


def test_a35_a_switch_holds_at_once_though_the_game_is_kept(world: World) -> None:
    device = Device(world)
    assert device.api.post(UNLOCK, world.unlock).status_code == 202
    Game.objects.update(signed_requests=True)  # as another process does
    with nothing_changed():
        assert device.api.post(UNLOCK, world.unlock).status_code == 403


def test_a35_nonces_are_kept_longer_than_tokens_live(strict: World) -> None:
    device, old, new = Device(strict), new_nonce(), new_nonce()
    device.send(UNLOCK, strict.unlock, old)
    Nonce.objects.update(used_at=timezone.now() - signatures.KEPT - timedelta(minutes=1))
    device.send(UNLOCK, strict.unlock, new)
    assert tokens.LIFETIME + timedelta(seconds=tokens.LEEWAY_S) < signatures.KEPT
    keep_sessions()
    assert Nonce.objects.count() == 1
    assert device.send(UNLOCK, strict.unlock, new).status_code == 409


def test_a35_a_token_tells_nobody_its_signing_key(world: World) -> None:
    path = "/players/p-1/token"
    said = factories.api(world.key).post(path, {"game_id": str(world.game.uuid)}).json()
    assert len(base64.b64decode(said["signing_key"])) == 32
    assert said["signing_key"] not in said["token"]
    assert _signed(_claims(world)).split(".")[2] not in said["signing_key"]
