"""The WebSocket /ws/v1/live: a player's events, his alone, once and in order; everybody else is shown the door."""

import json
import select
import socket
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone
from redis import Redis
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from accounts.models import Player, PlayerIdentity
from social.keys import live_channel
from social.live.limits import DEFAULT
from tests.patience import LONG_S
from tests.social.clients import Socket, ids, keys, let_in
from tests.social.conftest import LiveServer
from tests.social.short_waits import LIMITS
from tests.social.world import ACHIEVEMENTS, World

FULL_BATCH = [f"a{n}" for n in range(50)]


def test_an_unlock_reaches_its_players_page_and_nobody_elses(world: World, live: LiveServer) -> None:
    with Socket(live.socket) as anna, Socket(live.socket) as ben:
        anna.authenticate(world.token("anna"))
        ben.authenticate(world.token("ben"))
        world.unlock("anna", "a7")
        event = anna.hear()
        assert event["type"] == "achievement.unlocked"
        assert ids([event]) == world.ids("anna")
        assert event["data"]["achievement"]["key"] == "a7"
        assert event["data"]["totals"] == {"points": 7, "unlocked": 1, "available": ACHIEVEMENTS}
        assert ben.hears_nothing()


def test_every_page_of_a_player_gets_every_event(world: World, live: LiveServer) -> None:
    with Socket(live.socket) as first, Socket(live.socket) as second:
        first.authenticate(world.token("anna"))
        second.authenticate(world.token("anna"))
        world.unlock("anna", "a1", "a2")
        assert keys(first.events(2)) == keys(second.events(2)) == ["a1", "a2"]


def test_events_come_in_the_order_of_the_inbox(world: World, live: LiveServer) -> None:
    with Socket(live.socket) as anna:
        anna.authenticate(world.token("anna"))
        for start in range(0, 50, 10):
            world.unlock("anna", *FULL_BATCH[start : start + 10])
        assert ids(anna.events(50)) == world.ids("anna")


def test_a_resume_gives_exactly_what_was_missed(world: World, live: LiveServer) -> None:
    with Socket(live.socket) as anna:
        anna.authenticate(world.token("anna"))
        world.unlock("anna", "a1", "a2")
        last = anna.events(2)[-1]["id"]
    world.unlock("anna", *FULL_BATCH[3:])
    with Socket(live.socket) as anna:
        anna.authenticate(world.token("anna"), after=last)
        assert keys(anna.events(47)) == FULL_BATCH[3:]
        world.unlock("anna", "a55")
        assert keys(anna.events(1)) == ["a55"]
        assert anna.hears_nothing()


def test_a_resume_on_an_open_socket_replays_what_followed(world: World, live: LiveServer) -> None:
    world.unlock("anna", "a1", "a2", "a3")
    with Socket(live.socket) as anna:
        anna.authenticate(world.token("anna"))
        assert anna.hears_nothing()
        anna.say(type="resume", after=world.ids("anna")[0])
        assert keys(anna.events(2)) == ["a2", "a3"]
        assert anna.hears_nothing()


@pytest.mark.slow
def test_a_resume_of_more_than_fits_into_the_queue_is_complete(world: World, live: LiveServer) -> None:
    every = _large_inbox(world)
    assert sum(len(row.payload.encode()) for row in world.inbox("anna")) > 2 * DEFAULT.queue_bytes
    with Socket(live.socket) as anna:
        anna.authenticate(world.token("anna"), after="from the beginning")
        assert keys(anna.events(len(every))) == every
        assert anna.hears_nothing()


@pytest.mark.parametrize(
    "after", ["", "-1", "1" + "0" * 30, "abc", "01a20960-069b-7886-90e6-59da40d00000", "another's"]
)
def test_an_id_that_is_not_in_the_own_inbox_means_its_beginning(
    world: World, live: LiveServer, after: str
) -> None:
    world.unlock("anna", "a1", "a2")
    world.unlock("ben", "a3", "a4")
    with Socket(live.socket) as anna:
        anna.authenticate(world.token("anna"), after=world.ids("ben")[0] if after == "another's" else after)
        assert keys(anna.events(2)) == ["a1", "a2"]
        assert anna.hears_nothing()


def test_without_an_id_a_socket_begins_with_what_comes(world: World, live: LiveServer) -> None:
    world.unlock("anna", "a1")
    with Socket(live.socket) as anna:
        anna.authenticate(world.token("anna"))
        world.unlock("anna", "a2")
        assert keys(anna.events(1)) == ["a2"]


@pytest.mark.slow
def test_a_replay_of_the_log_is_not_told_twice(world: World, live: LiveServer) -> None:
    with Socket(live.socket) as anna:
        anna.authenticate(world.token("anna"))
        world.unlock("anna", "a1")
        assert keys(anna.events(1)) == ["a1"]
        world.replay()
        world.unlock("anna", "a2")
        assert keys(anna.events(1)) == ["a2"]
        assert anna.hears_nothing()


def test_a_ping_is_answered(world: World, live: LiveServer) -> None:
    with Socket(live.socket) as anna:
        anna.authenticate(world.token("anna"))
        anna.say(type="ping")
        assert anna.hear() == {"type": "pong"}


# The door.


@pytest.mark.parametrize(
    "message",
    [
        {"type": "authenticate", "token": "eyJhbGciOiJub25lIn0.e30."},
        {"type": "authenticate", "token": "x" * 3000},
        {"type": "authenticate", "token": "é\u0000"},
        {"type": "authenticate", "token": 1},
        {"type": "authenticate"},
        {"type": "ping"},
        {"type": "resume", "after": "x"},
        {},
        [],
        "authenticate",
        None,
    ],
)
def test_a_first_message_that_authenticates_nobody_closes_4401(
    live: LiveServer, world: World, message: object
) -> None:
    with Socket(live.socket) as stranger:
        stranger.line.send(json.dumps(message))
        assert stranger.close_code() == 4401


@pytest.mark.parametrize("frame", ["", "{", "nonsense", '{"type":"authenticate","type":"ping"}', "[" * 2000])
def test_a_first_message_that_is_not_strict_json_closes_4401(live: LiveServer, frame: str) -> None:
    with Socket(live.socket) as stranger:
        stranger.line.send(frame)
        assert stranger.close_code() == 4401


def test_a_token_that_has_ended_or_is_someone_elses_closes_4401(world: World, live: LiveServer) -> None:
    ended = world.token("anna", lasts=timedelta(seconds=-5))
    tampered = world.token("anna")[:-4] + "AAAA"
    for token in (ended, tampered):
        with Socket(live.socket) as anna:
            anna.say(type="authenticate", token=token)
            assert anna.close_code() == 4401


def test_a_banned_player_is_closed_4403_and_an_erased_one_4401(world: World, live: LiveServer) -> None:
    banned, erased = world.token("anna"), world.token("ben")
    PlayerIdentity.objects.filter(external_id="anna").update(banned_at=timezone.now())
    Player.objects.filter(pk=world.player("ben").id).update(erased_at=timezone.now())
    for token, code in ((banned, 4403), (erased, 4401)):
        with Socket(live.socket) as player:
            player.say(type="authenticate", token=token)
            assert player.close_code() == code


def test_the_end_of_the_token_closes_4401(world: World, live: LiveServer) -> None:
    for seconds in (1, 10, 60):
        with Socket(live.socket) as anna:
            anna.say(type="authenticate", token=world.token("anna", lasts=timedelta(seconds=seconds)))
            with suppress(ConnectionClosed):  # else it was over before this machine had come so far
                assert anna.hear()["type"] == "ready"
                assert anna.close_code() == 4401
                return
    raise AssertionError("nobody was let in")


def test_nobody_waits_for_ever_for_the_first_message(impatient: LiveServer) -> None:
    with Socket(impatient.socket) as stranger:
        assert stranger.close_code() == 4401


def test_a_token_in_the_address_is_refused(world: World, live: LiveServer) -> None:
    with pytest.raises(InvalidStatus) as refused, Socket(f"{live.socket}?token={world.token('anna')}"):
        pass
    assert refused.value.response.status_code == 400
    assert refused.value.response.headers["Content-Type"] == "application/problem+json"
    assert "token=" not in live.log.read_text()


def test_another_subprotocol_or_none_is_refused(live: LiveServer) -> None:
    for subprotocol in (None, "laurel.v0"):
        with pytest.raises(InvalidStatus) as refused, Socket(live.socket, subprotocol=subprotocol):
            pass
        assert refused.value.response.status_code == 400


def test_another_address_is_not_found(live: LiveServer) -> None:
    with pytest.raises(InvalidStatus) as refused, Socket(live.socket + "s"):
        pass
    assert refused.value.response.status_code == 404


def test_the_eleventh_socket_of_a_player_is_closed_4429(world: World, live: LiveServer) -> None:
    token = world.token("anna")
    with ExitStack() as stack:
        sockets = [stack.enter_context(Socket(live.socket)).authenticate(token) for _ in range(10)]
        eleventh = stack.enter_context(Socket(live.socket))
        eleventh.say(type="authenticate", token=token)
        assert eleventh.close_code() == 4429
        sockets[0].line.close()
        stack.enter_context(Socket(live.socket)).authenticate(token)


# Hostile frames.


@pytest.mark.parametrize(
    "message",
    [
        {"type": "subscribe", "player": "ben"},
        {"type": "authenticate", "token": "x"},
        {"type": "ping", "more": 1},
        {"type": "resume"},
        {"type": "resume", "after": None},
        {"type": ["ping"]},
        "ping",
        17,
    ],
)
def test_a_message_that_is_not_understood_closes_4400(
    world: World, live: LiveServer, message: object
) -> None:
    with Socket(live.socket) as anna:
        anna.authenticate(world.token("anna"))
        anna.line.send(json.dumps(message))
        assert anna.close_code() == 4400


def test_a_frame_over_4_kib_closes_1009(world: World, live: LiveServer) -> None:
    with Socket(live.socket) as anna:
        anna.authenticate(world.token("anna"))
        anna.line.send("x" * 4097)
        assert anna.close_code() == 1009


def test_fragments_over_4_kib_together_close_1009(world: World, live: LiveServer) -> None:
    with Socket(live.socket) as anna:
        anna.authenticate(world.token("anna"))
        # The server may close before the last fragment is on its way.
        with suppress(ConnectionClosed):
            anna.line.send("x" * 1000 for _ in range(5))
        assert anna.close_code() == 1009


def test_a_binary_frame_closes_1003(world: World, live: LiveServer) -> None:
    with Socket(live.socket) as anna:
        anna.authenticate(world.token("anna"))
        anna.line.send(b'{"type":"ping"}')
        assert anna.close_code() == 1003


def test_a_frame_that_is_not_utf_8_closes_1007(world: World, live: LiveServer) -> None:
    with Socket(live.socket) as anna:
        anna.authenticate(world.token("anna"))
        anna.line.send(b"\xff\xfe", text=True)
        assert anna.close_code() == 1007


def test_more_than_ten_frames_a_second_close_4429(world: World, live: LiveServer) -> None:
    with Socket(live.socket) as anna:
        anna.authenticate(world.token("anna"))
        # The server may close before the last one is on its way.
        with suppress(ConnectionClosed):
            for _ in range(30):
                anna.say(type="ping")
        assert anna.close_code() == 4429


@pytest.mark.slow
def test_who_leaves_two_pings_unanswered_is_closed(world: World, impatient: LiveServer) -> None:
    for _ in range(20):
        if _answers_longer_than_a_sleeper_stays(world, impatient):
            return
    raise AssertionError("nobody answered in time")


def _answers_longer_than_a_sleeper_stays(world: World, impatient: LiveServer) -> bool:
    """Answer pings until another one is closed who does not; return False if this process slept as long itself."""
    tokens = [world.token(name) for name in ("sleeper", "anna")]
    with let_in(impatient.socket, tokens[0]) as sleeper, let_in(impatient.socket, tokens[1]) as anna:
        longest, answered_at = 0.0, time.monotonic()
        with suppress(ConnectionClosed):
            while _is_open(sleeper):
                assert anna.hears_nothing()
                longest, answered_at = max(longest, time.monotonic() - answered_at), time.monotonic()
                time.sleep(LIMITS.ping_s / 2)
            assert sleeper.close_code() == 4408
            assert anna.hears_nothing()
            return True
        assert max(longest, time.monotonic() - answered_at) > LIMITS.ping_s
        return False


def _is_open(socket: Socket) -> bool:
    """Say whether a connection is open whose messages nobody reads."""
    try:
        while True:
            socket.line.recv(timeout=0)
    except TimeoutError:
        return True
    except ConnectionClosed:
        return False


@pytest.mark.slow
def test_a_reader_who_falls_behind_is_closed_4008_and_resumes(world: World, impatient: LiveServer) -> None:
    every, codes = _large_inbox(world), []
    for _ in range(20):  # where this machine is slow, it may also be cut off, or seem not to answer
        with _unread(impatient, world.token("anna")) as anna:
            _wait_without_reading(anna)
            codes.append(anna.close_code())
        if codes[-1] == 4008:
            break
    assert codes[-1] == 4008, codes
    with let_in(impatient.socket, world.token("anna"), after="the beginning") as anna:
        assert keys(anna.events(len(every))) == every


@pytest.mark.slow
def test_who_never_reads_a_socket_or_a_stream_is_cut_off(world: World, impatient: LiveServer) -> None:
    with Socket(impatient.socket) as gone:
        gone.say(type="ping")
        assert gone.close_code() == 4401
    _large_inbox(world)
    token = world.token("anna")
    with _unread_stream(impatient, token) as stream, _unread(impatient, token) as anna:
        for line in (anna.line.socket, stream):
            _wait_until_it_is_cut(line)
        assert anna.close_code() == 1006
        with pytest.raises(ConnectionResetError):
            _read_to_the_end(stream)
    with let_in(impatient.socket, world.token("ben")) as ben:
        assert ben.hears_nothing()
    # Nor is it an error that somebody has gone when he would be cut off: that was before these two.
    assert "_cut" not in impatient.log.read_text()


def _wait_until_it_is_cut(line: socket.socket) -> None:
    cut = select.poll()
    cut.register(line, select.POLLHUP)
    assert cut.poll(1000 * LONG_S), "it is still open"


def _unread(live: LiveServer, token: str) -> AbstractContextManager[Socket]:
    return let_in(live.socket, token, receive_buffer=4096, after="the beginning")


@contextmanager
def _unread_stream(live: LiveServer, token: str) -> Iterator[socket.socket]:
    head = f"Host: x\r\nAuthorization: Bearer {token}\r\nLast-Event-ID: 0"
    with socket.socket() as line:
        line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        line.connect(("127.0.0.1", live.port))
        line.sendall(f"GET /api/v1/live HTTP/1.1\r\n{head}\r\n\r\n".encode())
        yield line


def _wait_without_reading(anna: Socket) -> None:
    waited_until = time.monotonic() + LIMITS.patience_s + LIMITS.ping_s
    with suppress(ConnectionClosed):
        while time.monotonic() < waited_until:
            anna.say(type="ping")  # it lives
            time.sleep(LIMITS.ping_s / 2)


def _read_to_the_end(line: socket.socket) -> None:
    while line.recv(1 << 20):
        pass


def _large_inbox(world: World) -> list[str]:
    """Give anna more events than the kernel's buffers take: some megabytes."""
    every = world.add_achievements(800, description="\N{TROPHY}" * 2000)
    world.unlock("anna", *every)
    return every


@pytest.mark.slow
def test_a_message_that_never_ends_is_no_sign_of_life(world: World, impatient: LiveServer) -> None:
    def fragments() -> Iterator[str]:
        while True:
            yield ""
            time.sleep(0.02)

    with let_in(impatient.socket, world.token("anna")) as anna:
        with suppress(ConnectionClosed):
            anna.line.send(fragments())
        assert anna.close_code() == 4408


def test_a_thousand_messages_at_once_close_4429_and_disturb_nobody(world: World, live: LiveServer) -> None:
    with Socket(live.socket) as flood, Socket(live.socket) as ben, Socket(live.socket) as carl:
        for one, name in ((flood, "anna"), (ben, "ben"), (carl, "carl")):
            one.authenticate(world.token(name))
        with suppress(ConnectionClosed):
            for _ in range(1000):
                flood.say(type="pong")
        world.unlock("ben", "a1")
        assert keys(ben.events(1)) == ["a1"]
        assert carl.hears_nothing()
        assert flood.close_code() == 4429


def test_compression_is_not_agreed_to(live: LiveServer) -> None:
    with connect(live.socket, subprotocols=[Subprotocol("laurel.v1")], compression="deflate") as line:
        assert line.request is not None
        assert "permessage-deflate" in line.request.headers["Sec-WebSocket-Extensions"]
        assert line.response is not None
        assert "Sec-WebSocket-Extensions" not in line.response.headers


def test_a_process_subscribes_once_however_many_are_connected(world: World, live: LiveServer) -> None:
    def subscriptions() -> int:
        with closing(Redis.from_url(settings.VALKEY_URLS["live"])) as valkey:
            return int(valkey.pubsub_numsub(live_channel())[0][1])

    before = subscriptions()
    assert before >= 1
    with ExitStack() as stack:
        for n in range(12):
            stack.enter_context(Socket(live.socket)).authenticate(world.token(f"p-{n}"))
        assert subscriptions() == before
