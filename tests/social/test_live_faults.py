"""What is killed or frozen delays an event, and loses none."""

import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from config.embedded import Servers
from core import dependencies
from social.live import codes
from tests.patience import LONG_S, valkey_frozen
from tests.platform import STARTS_WITHIN_S, wait_for
from tests.social.clients import Socket, http, ids, keys, stream
from tests.social.conftest import Live, LiveServer
from tests.social.world import World


@pytest.fixture(scope="module")
def _own(start_live: Live) -> LiveServer:
    return start_live("config.asgi:application")


@pytest.fixture
def own(_own: LiveServer) -> LiveServer:
    """A `live` process as it is shipped, which a test may kill."""
    _own.start(within_s=STARTS_WITHIN_S)
    return _own


@contextmanager
def _killed(servers: Servers) -> Iterator[None]:
    servers.valkey.kill()
    try:
        yield
    finally:
        servers.valkey.start()


def metrics(live: LiveServer) -> dict[tuple[str, ...], float]:
    text = httpx.get(f"http://127.0.0.1:{live.metrics_port}/metrics", timeout=LONG_S).text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.slow
def test_it_is_told_who_listens_how_soon_he_hears_and_why_he_is_closed(world: World, own: LiveServer) -> None:
    with Socket(own.socket) as anna, stream(own.events, world.token("ben")) as ben:
        anna.authenticate(world.token("anna"))
        world.unlock("anna", "a1")
        world.unlock("ben", "a2")
        anna.events(1), ben.events(1)
        before = metrics(own)
        assert before["laurel_live_connections", "websocket"] >= 1
        assert before["laurel_live_connections", "sse"] >= 1
        assert before["laurel_pushes_total",] >= 2
        assert before["laurel_push_seconds_count",] >= 1  # what was read from the inbox is no push
        assert before["laurel_push_seconds_bucket", "+Inf"] == before["laurel_push_seconds_count",]
        assert before["laurel_push_seconds_sum",] / before["laurel_push_seconds_count",] < LONG_S
    with Socket(own.socket) as nobody:
        nobody.say(type="authenticate", token="not a token")
        assert nobody.close_code() == codes.UNAUTHENTICATED
    after = metrics(own)
    refused = ("laurel_live_dropped_total", "unauthenticated")
    assert after[refused] == before.get(refused, 0) + 1


@pytest.mark.slow
def test_it_says_what_it_lacks(own: LiveServer, servers: Servers) -> None:
    url = f"http://127.0.0.1:{own.port}/readyz"

    def is_told() -> bool:
        answer = httpx.get(url, timeout=LONG_S)
        checks = answer.json()["checks"]
        # The tests' own PostgreSQL is none that keeps what it acknowledged.
        told = (answer.status_code, checks["postgresql"]["status"], checks["valkey_live"]["status"])
        return told == (503, "unsafe", "ok")

    wait_for(is_told, what="both to answer in the fifth of a second that they have")
    assert httpx.post(url, timeout=LONG_S).status_code == 405
    with valkey_frozen(servers):
        time.sleep(dependencies.KEPT_S)
        assert httpx.get(url, timeout=LONG_S).json()["checks"]["valkey_live"] == {"status": "down"}


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["frozen", "killed"])
def test_without_valkey_events_come_a_little_later(
    world: World, own: LiveServer, servers: Servers, fault: str
) -> None:
    with Socket(own.socket) as anna, stream(own.events, world.token("ben")) as ben:
        anna.authenticate(world.token("anna"))
        world.unlock("anna", "a1")
        assert keys(anna.events(1)) == ["a1"]
        with valkey_frozen(servers) if fault == "frozen" else _killed(servers):
            for n in range(2, 12):
                world.unlock("anna", f"a{n}")
                world.unlock("ben", f"a{n}")
            assert ids(anna.events(10)) == world.ids("anna")[1:]
            assert ids(ben.events(10)) == world.ids("ben")
            with Socket(own.socket) as newcomer:
                newcomer.authenticate(world.token("carl"))
                world.unlock("carl", "a1")
                assert keys(newcomer.events(1)) == ["a1"]
        _wait_for_push(world, own, anna)
        assert anna.hears_nothing()


def test_a_message_that_valkey_lost_is_noticed_by_the_next_one(world: World, live: LiveServer) -> None:
    with Socket(live.socket) as anna:
        anna.authenticate(world.token("anna"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("social.services.push", lambda *_: None)
            world.unlock("anna", "a1", "a2")
        world.unlock("anna", "a3")
        assert keys(anna.events(3)) == ["a1", "a2", "a3"]
        assert anna.hears_nothing()


@pytest.mark.slow
def test_a_last_message_that_valkey_lost_is_noticed_by_the_sweep(world: World, own: LiveServer) -> None:
    with Socket(own.socket) as anna:
        anna.authenticate(world.token("anna"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("social.services.push", lambda *_: None)
            world.unlock("anna", "a1")
        assert keys(anna.events(1)) == ["a1"]


@pytest.mark.slow
def test_after_a_kill_of_live_clients_resume_where_they_were(world: World, own: LiveServer) -> None:
    with Socket(own.socket) as anna, stream(own.events, world.token("ben")) as ben:
        anna.authenticate(world.token("anna"))
        world.unlock("anna", "a1")
        world.unlock("ben", "a1")
        last, last_of_ben = ids(anna.events(1))[0], ids(ben.events(1))[0]
        own.kill()
        assert anna.close_code() == 1006
        with pytest.raises(httpx.HTTPError):
            ben.event()
    world.unlock("anna", "a2", "a3")
    world.unlock("ben", "a2", "a3")
    own.start(within_s=STARTS_WITHIN_S)
    with (
        Socket(own.socket) as anna,
        stream(own.events, world.token("ben"), **{"Last-Event-ID": last_of_ben}) as ben,
    ):
        anna.authenticate(world.token("anna"), after=last)
        world.unlock("anna", "a4")
        assert keys(anna.events(3)) == ["a2", "a3", "a4"]
        assert keys(ben.events(2)) == ["a2", "a3"]


def test_live_stops_at_once_and_tells_everybody(world: World, own: LiveServer) -> None:
    with Socket(own.socket) as anna, stream(own.events, world.token("ben")) as ben:
        anna.authenticate(world.token("anna"))
        own.ask_to_stop()
        assert anna.close_code() == 1012
        assert ben.event()["data"]["code"] == 1012
        own.stop()
    assert own.exit_code == -signal.SIGTERM  # and not because it was killed in the end
    assert "Traceback" not in own.log.read_text()


@pytest.mark.slow
def test_without_postgresql_nobody_new_comes_in_and_nobody_is_lost(
    world: World, own: LiveServer, servers: Servers
) -> None:
    token, later = world.token("anna"), world.token("ben")
    with Socket(own.socket) as anna:
        anna.authenticate(token)
        servers.postgres.freeze()
        try:
            with Socket(own.socket) as ben:
                ben.say(type="authenticate", token=later)
                assert ben.close_code() == 1013
            refused = http().get(own.events, headers={"Authorization": f"Bearer {later}"})
            assert refused.status_code == 503
            assert "Retry-After" in refused.headers
            assert http().get(f"http://127.0.0.1:{own.port}/livez").status_code == 200
            assert anna.hears_nothing()
        finally:
            servers.postgres.thaw()
        world.unlock("anna", "a1")
        assert keys(anna.events(1)) == ["a1"]
        with Socket(own.socket) as ben:
            ben.authenticate(later)


def _wait_for_push(world: World, own: LiveServer, anna: Socket) -> None:
    """Unlock until an event was pushed, and not found by a sweep."""
    pushes = ("laurel_push_seconds_count",)
    before = metrics(own)[pushes]
    for n in range(20, 60):
        world.unlock("anna", f"a{n}")
        assert keys(anna.events(1)) == [f"a{n}"]
        if metrics(own)[pushes] > before:
            return
        time.sleep(0.3)
    raise AssertionError("nothing is pushed")
