"""The event stream GET /api/v1/live: the same events as on the WebSocket, over plain HTTP."""

from contextlib import ExitStack
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from accounts import services as accounts
from accounts.models import PlayerIdentity
from tests.social.clients import Socket, http, ids, keys, stream
from tests.social.conftest import LiveServer
from tests.social.world import World


def test_an_unlock_reaches_its_players_stream_and_nobody_elses(world: World, live: LiveServer) -> None:
    with stream(live.events, world.token("anna")) as anna, stream(live.events, world.token("ben")) as ben:
        world.unlock("anna", "a7")
        event = anna.event()
        assert event["event"] == event["data"]["type"] == "achievement.unlocked"
        assert event["id"] == event["data"]["id"] == world.ids("anna")[0]
        world.unlock("ben", "a1")
        assert keys(ben.events(1)) == ["a1"]


def test_a_stream_says_the_same_as_a_socket(world: World, live: LiveServer) -> None:
    with stream(live.events, world.token("anna")) as line, Socket(live.socket) as other:
        other.authenticate(world.token("anna"))
        world.unlock("anna", "a1", "a2", "a3")
        assert line.events(3) == other.events(3)


@pytest.mark.slow
def test_last_event_id_gives_exactly_what_was_missed(world: World, live: LiveServer) -> None:
    every = world.add_achievements(300)
    with stream(live.events, world.token("anna")) as anna:
        world.unlock("anna", "a1", "a2")
        last = anna.events(2)[-1]["id"]
    world.unlock("anna", *every)
    with stream(live.events, world.token("anna"), **{"Last-Event-ID": last}) as anna:
        world.unlock("anna", "a0")
        assert ids(anna.events(301)) == world.ids("anna")[2:]


@pytest.mark.slow
def test_a_large_inbox_comes_whole(world: World, live: LiveServer) -> None:
    every = world.add_achievements(200, description="\N{TROPHY}" * 2000)
    world.unlock("anna", *every)
    with stream(live.events, world.token("anna"), **{"Last-Event-ID": "0"}) as anna:
        assert keys(anna.events(len(every))) == every


@pytest.mark.parametrize("last", ["-1", "1" + "0" * 30, "abc", "%00", "another's"])
def test_an_id_that_is_not_in_the_own_inbox_means_its_beginning(
    world: World, live: LiveServer, last: str
) -> None:
    world.unlock("anna", "a1")
    world.unlock("ben", "a2")
    sent = world.ids("ben")[0] if last == "another's" else last
    with stream(live.events, world.token("anna"), **{"Last-Event-ID": sent}) as anna:
        world.unlock("anna", "a3")
        assert keys(anna.events(2)) == ["a1", "a3"]


@pytest.mark.slow
def test_a_stream_shows_that_it_lives_and_says_why_it_ends(world: World, impatient: LiveServer) -> None:
    for seconds in (2, 8, 30):
        token = world.token("anna", lasts=timedelta(seconds=seconds))
        headers = {"Authorization": f"Bearer {token}"}
        with http().stream("GET", impatient.events, headers=headers) as response:
            lines = list(response.iter_lines())
        if lines.count(": beat") >= 2:  # else this machine took too long to begin
            break
    assert response.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    # On a busy machine it lives for a beat before it is ready.
    said = [line for line in lines if line not in ("", ": beat")]
    assert said[:2] == ["retry: 2000", f": ready for {world.player('anna').uuid}"]
    assert lines.count(": beat") >= 2
    assert lines[-3:-1] == ["event: close", 'data: {"code":4401,"reason":"The player token has expired."}']


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer x", "Basic eyJ", "Bearer " + "x" * 5000, "Bearer a, Bearer b"]
)
def test_without_a_players_token_it_is_401(live: LiveServer, world: World, header: str | None) -> None:
    response = http().get(live.events, headers={} if header is None else {"Authorization": header})
    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.json()["type"].endswith("/problems/unauthenticated")
    assert response.json()["request_id"] == response.headers["X-Request-Id"]


def test_a_server_key_listens_to_nobody(live: LiveServer, world: World) -> None:
    key = accounts.issue_key(studio_id=world.game.studio_id, name="server")[1]
    assert http().get(live.events, headers={"Authorization": f"Bearer {key}"}).status_code == 401


def test_a_banned_player_is_403(live: LiveServer, world: World) -> None:
    token = world.token("anna")
    PlayerIdentity.objects.update(banned_at=timezone.now())
    assert http().get(live.events, headers={"Authorization": f"Bearer {token}"}).status_code == 403


def test_sockets_and_streams_of_a_player_count_together(live: LiveServer, world: World) -> None:
    token = world.token("anna")
    with stream(live.events, token) as _first, Socket(live.socket) as other:
        other.authenticate(token)
        with ExitStack() as stack:
            for _ in range(8):
                stack.enter_context(stream(live.events, token))
            eleventh = http().get(live.events, headers={"Authorization": f"Bearer {token}"})
            assert eleventh.status_code == 429
            assert int(eleventh.headers["Retry-After"]) > 0


def test_a_token_in_the_address_is_refused(live: LiveServer, world: World) -> None:
    response = http().get(f"{live.events}?token={world.token('anna')}")
    assert response.status_code == 400
    assert "token=" not in live.log.read_text()


def test_the_instances_own_pages_may_read_it_and_no_others(live: LiveServer, world: World) -> None:
    token = world.token("anna")
    for origin, allowed in (
        (settings.PUBLIC_URL, True),
        (settings.PUBLIC_URL.replace("127.0.0.1", "localhost"), True),
        (settings.PUBLIC_URL + ".evil.example", False),
        (settings.PUBLIC_URL.replace("http:", "https:"), False),
        ("null", False),
        ("https://evil.example", False),
    ):
        headers = {"Origin": origin, "Authorization": f"Bearer {token}"}
        asked = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "authorization"}
        preflight = http().options(live.events, headers={"Origin": origin, **asked})
        with http().stream("GET", live.events, headers=headers) as answer:
            for response in (preflight, answer):
                assert response.headers["Vary"] == "Origin"
                assert response.headers.get("Access-Control-Allow-Origin") == (origin if allowed else None)
                assert response.headers.get("Access-Control-Allow-Credentials") == (
                    "true" if allowed else None
                )
        assert preflight.status_code == 204
        assert "authorization" in preflight.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "FOO"])
def test_another_method_is_405(live: LiveServer, method: str) -> None:
    response = http().request(method, live.events, content=b"{}")
    assert response.status_code == 405
    assert response.headers["Allow"] == "GET, OPTIONS"


@pytest.mark.parametrize(
    "path", ["/", "/api/v1", "/api/v1/live/", "/api/v1//live", "/api/v1/players/me", "/ws/v1/live", "/%00"]
)
def test_everything_else_is_404(live: LiveServer, path: str) -> None:
    response = http().get(f"http://127.0.0.1:{live.port}{path}", headers={"X-Request-Id": "mine"})
    assert response.status_code == 404
    assert response.json()["request_id"] == response.headers["X-Request-Id"] == "mine"


def test_livez_speaks_of_the_process_alone(live: LiveServer) -> None:
    response = http().get(f"http://127.0.0.1:{live.port}/livez")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
