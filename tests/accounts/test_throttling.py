"""The limits of the API: who is counted as whom, what it costs, what is told, and that a refusal changes nothing."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from accounts import keyring, keys
from accounts.models import Game, ServerKey, Studio, User
from achievements.models import Achievement, Unlock
from core import turned_away
from core.rates import Rate
from tests import factories
from tests.factories import Api

pytestmark = pytest.mark.django_db
UNLOCK, BATCH = "/achievements/unlock", "/achievements/unlock/batch"


@pytest.fixture
def studio() -> Studio:
    return factories.studio()


@pytest.fixture
def game(studio: Studio) -> Game:
    made = factories.game(studio)
    factories.achievements(made, {f"deed-{number}": 5 for number in range(30)})
    return made


@pytest.fixture
def server(studio: Studio) -> Api:
    return factories.api(factories.server_key(studio))


def limited(monkeypatch: pytest.MonkeyPatch, name: str, per_min: float, burst: int) -> None:
    monkeypatch.setitem(settings.RATES, name, Rate(name, per_min / 60, burst))


def slowly(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Give a limit's tokens back so slowly that none comes back while a busy machine sends a burst."""
    limited(monkeypatch, name, 1, settings.RATES[name].burst)


def item(number: int, player: str = "p-1") -> dict[str, str]:
    return {"player": player, "achievement": f"deed-{number}"}


def board(game: Game, address: str) -> Any:
    return Client(REMOTE_ADDR=address).get(f"/api/v1/leaderboards/{game.uuid}")


def test_who_shows_no_credential_is_counted_by_his_address(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    slowly(monkeypatch, "address")
    assert {board(game, "203.0.113.5").status_code for _ in range(120)} == {200}
    refused = board(game, "203.0.113.5")
    assert refused.status_code == 429
    assert refused.json()["type"].endswith("/rate-limited")
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert board(game, "203.0.113.6").status_code == 200


def test_who_shows_no_credential_is_counted_where_one_is_needed(
    game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(monkeypatch, "address", 1, 3)
    asked = [Client(REMOTE_ADDR="203.0.113.5").post(f"/api/v1{UNLOCK}") for _ in range(4)]
    assert [answer.status_code for answer in asked] == [401, 401, 401, 429]
    assert [answer["RateLimit"].partition(";t=")[0] for answer in asked] == [
        f'"address";r={left}' for left in (2, 1, 0, 0)
    ]
    assert Client(REMOTE_ADDR="203.0.113.6").post(f"/api/v1{UNLOCK}").status_code == 401


def test_of_ipv6_the_network_is_counted(game: Game, monkeypatch: pytest.MonkeyPatch) -> None:
    limited(monkeypatch, "address", 1, 2)
    asked = [board(game, f"2001:db8:0:7::{host}").status_code for host in (1, 2, 3)]
    assert asked == [200, 200, 429]
    assert board(game, "2001:db8:0:8::1").status_code == 200


def test_a_player_s_limits_are_counted_by_what_he_does(
    studio: Studio, game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    slowly(monkeypatch, "player-unlocks")
    Achievement.objects.update(authority="client")
    player = factories.player(studio)
    api = factories.api(factories.player_token(game, player))
    own = [api.post(UNLOCK, {"achievement": f"deed-{n}", "player": "me"}).status_code for n in range(21)]
    assert own == [202] * 20 + [429]
    assert Unlock.objects.count() == 20
    assert api.get("/players/me/dashboard").status_code == 200
    other = factories.api(factories.player_token(game, factories.player(studio, "p-2")))
    assert other.post(UNLOCK, {"achievement": "deed-0", "player": "me"}).status_code == 202


@pytest.mark.parametrize("rest", ["", "/periods", "/snapshots", "/players/me/history"])
def test_whatever_is_read_of_a_board_counts_as_one_thing(studio: Studio, game: Game, rest: str) -> None:
    api = factories.api(factories.player_token(game, factories.player(studio)))
    factories.leaderboard(game, "high")
    answer = api.get(f"/leaderboards/{game.uuid}/high{rest}")
    assert answer["RateLimit"].startswith('"player-boards";r=119;t=')


def test_a_batch_is_counted_by_item_and_refused_whole(
    server: Api, game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(monkeypatch, "server-writes", 1, 20)
    body = {"game_id": str(game.uuid), "unlocks": [item(number) for number in range(15)]}
    assert server.post(BATCH, body).status_code == 202
    body["unlocks"] = [item(number) for number in range(15, 25)]
    refused = server.post(BATCH, body)
    assert refused.status_code == 429
    assert "nothing was done" in refused.json()["detail"]
    assert Unlock.objects.count() == 15
    assert server.get("/games").status_code == 200, "reads are counted apart"


def test_every_answer_says_what_is_left(server: Api, game: Game) -> None:
    new = server.post(UNLOCK, {"game_id": str(game.uuid), **item(0)})
    assert new["RateLimit-Policy"] == '"server-writes";q=1200000;w=60'
    assert new["RateLimit"] == '"server-writes";r=99999;t=1'
    wrong = server.post(UNLOCK, {"game_id": str(game.uuid)})
    assert wrong.status_code == 422
    assert wrong["RateLimit"].startswith('"server-writes";r=9999')


def test_who_may_not_is_told_what_is_left_and_counted_once(
    studio: Studio, game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    slowly(monkeypatch, "server-writes")
    reader = factories.api(factories.server_key(studio, scopes=["players:read"]))
    refused = [reader.post(UNLOCK, {"game_id": str(game.uuid), **item(0)}) for _ in range(2)]
    assert [answer.status_code for answer in refused] == [403, 403]
    left = [answer["RateLimit"].partition(";t=")[0] for answer in refused]
    assert left == ['"server-writes";r=99999', '"server-writes";r=99998']


def test_a_credential_that_is_not_valid_counts_as_a_failure_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    slowly(monkeypatch, "failures")
    answer = factories.api(keys.new_key()).get("/games")
    assert (answer.status_code, answer["WWW-Authenticate"]) == (401, "Bearer")
    assert answer["RateLimit"].startswith('"failures";r=9;t=')
    assert Client().get("/api/v1/games")["RateLimit"].startswith('"address";r=119;t=')


def test_refusals_say_what_is_left_too_at_the_door_and_of_guesses(
    server: Api, game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(monkeypatch, "server-reads", 1, 1)
    limited(monkeypatch, "failures", 1, 1)
    unknown = factories.api(keys.new_key())
    for api, name in ((server, "server-reads"), (unknown, "failures")):
        api.get(f"/games/{game.uuid}")
        refused = api.get(f"/games/{game.uuid}")
        assert refused.status_code == 429
        assert refused["RateLimit-Policy"] == f'"{name}";q=1;w=60'
        assert refused["RateLimit"].startswith(f'"{name}";r=0;t=')
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": f"/api/v1/games/{game.uuid}",
        "HTTP_AUTHORIZATION": server._headers["Authorization"],
    }
    again = turned_away.find(environ)
    assert again is not None
    assert again.headers["RateLimit-Policy"] == '"server-reads";q=1;w=60'
    assert again.headers.keys() == {"RateLimit-Policy", "RateLimit", "Retry-After"}


def test_an_address_that_tries_keys_is_stopped_and_others_are_not(
    server: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    slowly(monkeypatch, "failures")
    tried = [factories.api(keys.new_key()).get("/games").status_code for _ in range(12)]
    assert tried == [401] * 10 + [429] * 2
    assert server.get("/games").status_code == 200


def test_without_valkey_limits_hold_for_each_process(
    game: Game, servers: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(monkeypatch, "address", 1, 10)
    servers.valkey.kill(9)
    try:
        asked = [board(game, "203.0.113.5").status_code for _ in range(10)]
    finally:
        servers.valkey.start()
    assert asked == [200] * (10 // settings.WEB_PROCESSES) + [429] * (10 - 10 // settings.WEB_PROCESSES)


def test_a_key_s_own_limit_is_lower_and_follows_its_rotation(studio: Studio, game: Game) -> None:
    secret = factories.server_key(studio)
    now, key = timezone.now(), ServerKey.objects.get()
    owner = User.objects.create_user("owner@example.org")
    chosen = {"writes_per_s": 2, "reads_per_s": 10**6}
    keyring.set_limits(studio_id=studio.pk, uuid=key.uuid, **chosen, actor="test", at=now)
    api = factories.api(secret)
    body = {"game_id": str(game.uuid), "unlocks": [item(number) for number in range(8)]}
    assert api.post(BATCH, body)["RateLimit-Policy"] == '"server-writes";q=120;w=60'
    body["unlocks"] = [item(number) for number in range(8, 16)]
    assert api.post(BATCH, body).status_code == 429
    assert api.get("/games")["RateLimit-Policy"] == '"server-reads";q=300000;w=60', (
        "no higher than the instance's"
    )
    new, _ = keyring.rotate(
        studio_id=studio.pk, uuid=key.uuid, overlap=timedelta(hours=1), user_id=owner.pk, actor="test", at=now
    )
    assert (new.writes_per_s, new.reads_per_s) == (2, 10**6)


@pytest.mark.slow
def test_a_batch_larger_than_a_bucket_is_done_by_who_waits_as_long_as_he_is_told(
    server: Api, game: Game, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(monkeypatch, "server-writes", 30, 4)
    body = {"game_id": str(game.uuid), "unlocks": [item(number) for number in range(10)]}
    assert server.post(UNLOCK, {"game_id": str(game.uuid), **item(20)}).status_code == 202
    refused = server.post(BATCH, body)
    assert refused.status_code == 429
    time.sleep(int(refused["Retry-After"]))
    assert server.post(BATCH, body).status_code == 202
