"""Live connections of browsers, and how soon those close who may not listen any more."""

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, Self, cast

import httpx
import pytest
from django.conf import settings
from django.utils import timezone
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from accounts import services as accounts
from accounts import sessions
from accounts.erasure import asking
from accounts.models import PlayerIdentity
from config.embedded import Servers
from social.live.database import Away
from social.live.hub import Hub
from social.live.limits import DEFAULT, Limits
from tests.patience import valkey_frozen
from tests.social.clients import Socket, Stream, http, ids, keys
from tests.social.conftest import LiveServer
from tests.social.world import World

PROMISED_S = 5.0


def cookie_of(world: World, name: str) -> str:
    """Sign a player in; return the Cookie header."""
    secret = sessions.begin(
        player_id=world.player(name).id,
        studio_id=world.game.studio_id,
        user_agent="",
        at=timezone.now(),
    )
    return f"other=1; {settings.PLAYER_COOKIE}={secret}"


class BrowserSocket(Socket):
    """A WebSocket with a browser's headers."""

    def __init__(self, url: str, *, cookie: str, origin: str | None) -> None:
        super().__init__(url)
        self._cookie, self._origin = cookie, origin

    def __enter__(self) -> Self:
        self.line: ClientConnection = self._open.enter_context(
            connect(
                self._url,
                subprotocols=[Subprotocol("laurel.v1")],
                origin=None if self._origin is None else Origin(self._origin),
                additional_headers={"Cookie": self._cookie},
                compression=None,
                ping_interval=None,
            )
        )
        return self


@contextmanager
def browser_stream(url: str, **headers: str) -> Iterator[httpx.Response]:
    with http().stream("GET", url, headers=headers) as response:
        yield response


def test_a_session_s_cookie_and_our_origin_let_a_page_listen(world: World, live: LiveServer) -> None:
    cookie = cookie_of(world, "anna")
    with BrowserSocket(live.socket, cookie=cookie, origin=settings.PUBLIC_URL) as page:
        page.say(type="authenticate")
        assert page.hear() == {"type": "ready", "player": str(world.player("anna").uuid)}
        world.unlock("anna", "a1", "a2")
        last = page.events(2)[0]["id"]
    with BrowserSocket(live.socket, cookie=cookie, origin=settings.PUBLIC_URL) as page:
        page.say(type="authenticate", after=last)
        assert page.hear()["type"] == "ready"
        assert keys(page.events(1)) == ["a2"]


FOREIGN = [
    "https://evil.example",
    "null",
    f"{settings.PUBLIC_URL}.evil.example",
    settings.PUBLIC_URL.replace("http://", "https://"),
    f"{settings.PUBLIC_URL}0",
    settings.PUBLIC_URL.upper(),
    None,
]


@pytest.mark.parametrize("origin", FOREIGN, ids=range(len(FOREIGN)))
def test_a_page_of_another_site_cannot_listen_with_the_cookie(
    world: World, live: LiveServer, origin: str | None
) -> None:
    cookie = cookie_of(world, "anna")
    with (
        pytest.raises(InvalidStatus) as refused,
        BrowserSocket(live.socket, cookie=cookie, origin=origin),
    ):
        pass
    assert refused.value.response.status_code == 403
    headers = {"Cookie": cookie} | ({} if origin is None else {"Origin": origin})
    with browser_stream(live.events, **headers) as stream:
        assert stream.status_code == 403
        assert "access-control-allow-origin" not in stream.headers


def test_without_the_cookie_any_origin_may_bring_a_token(world: World, live: LiveServer) -> None:
    with BrowserSocket(live.socket, cookie="other=1", origin="https://game.example") as page:
        page.authenticate(world.token("anna"))
    with BrowserSocket(live.socket, cookie="other=1", origin="https://game.example") as page:
        page.say(type="authenticate")
        assert page.close_code() == 4401


@pytest.mark.parametrize(
    "headers",
    [{"Origin": settings.PUBLIC_URL}, {"Sec-Fetch-Site": "same-origin"}],
    ids=["origin", "same-origin"],
)
def test_a_page_s_stream_listens_with_the_cookie(
    world: World, live: LiveServer, headers: dict[str, str]
) -> None:
    with browser_stream(live.events, Cookie=cookie_of(world, "anna"), **headers) as response:
        assert response.status_code == 200
        stream = Stream(response).until_ready()
        world.unlock("anna", "a1")
        assert ids(stream.events(1)) == world.ids("anna")


@pytest.mark.parametrize("site", ["cross-site", "same-site", "none"])
def test_a_stream_without_an_origin_must_be_of_the_same_origin(
    world: World, live: LiveServer, site: str
) -> None:
    headers = {"Cookie": cookie_of(world, "anna"), "Sec-Fetch-Site": site}
    with browser_stream(live.events, **headers) as stream:
        assert stream.status_code == 403


@pytest.mark.slow
@pytest.mark.parametrize("secret", ["", "x", "%C3%A9", "x" * 3000])
def test_a_cookie_that_is_nobody_s_closes_4401(world: World, live: LiveServer, secret: str) -> None:
    cookie = f"{settings.PLAYER_COOKIE}={secret}"
    with BrowserSocket(live.socket, cookie=cookie, origin=settings.PUBLIC_URL) as page:
        page.say(type="authenticate")
        assert page.close_code() == 4401
    with browser_stream(live.events, Cookie=cookie, Origin=settings.PUBLIC_URL) as stream:
        assert stream.status_code == 401


def test_signing_out_closes_that_session_soon_and_no_other(world: World, live: LiveServer) -> None:
    one, other = cookie_of(world, "anna"), cookie_of(world, "anna")
    with (
        BrowserSocket(live.socket, cookie=one, origin=settings.PUBLIC_URL) as first,
        BrowserSocket(live.socket, cookie=other, origin=settings.PUBLIC_URL) as second,
        Socket(live.socket) as game,
    ):
        for page in (first, second):
            page.say(type="authenticate")
            assert page.hear()["type"] == "ready"
        game.authenticate(world.token("anna"))
        sessions.end(one.rpartition("=")[2], at=timezone.now())
        assert first.close_code() == 4401
        assert second.hears_nothing()
        assert game.hears_nothing()
        second.say(type="ping")


def _wait_for_another_look(world: World, live: LiveServer) -> None:
    with Socket(live.socket) as carl:
        carl.authenticate(world.token("carl"))
        sessions.dismiss(world.player("carl").id)
        assert carl.close_code() == 4401


def test_they_are_looked_for_often_enough_to_be_closed_within_five_seconds() -> None:
    assert 2 * DEFAULT.dismiss_s < PROMISED_S


def test_revoked_tokens_close_soon_and_newer_ones_stay(world: World, live: LiveServer) -> None:
    with Socket(live.socket) as old, Socket(live.socket) as ben:
        old.authenticate(world.token("anna"))
        ben.authenticate(world.token("ben"))
        accounts.revoke_player_tokens(
            studio_id=world.game.studio_id, player=world.player("anna"), actor="user:test", at=timezone.now()
        )
        with Socket(live.socket) as new:
            new.authenticate(world.token("anna"))
            assert old.close_code() == 4401
            _wait_for_another_look(world, live)  # which meets the same dismissal
            assert new.hears_nothing()
            assert ben.hears_nothing()


def test_after_an_outage_all_of_it_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    late, asked = 0.0, []
    clock = time.monotonic
    monkeypatch.setattr("time.monotonic", lambda: clock() + late)

    async def ask(_: Any, **sent: Any) -> Any:
        nonlocal late
        if "within_s" not in sent:
            return None  # it asks what time it is
        asked.append(sent["within_s"])
        if len(asked) == 2:
            late += 300
            raise Away("PostgreSQL does not answer")
        if len(asked) == 4:
            raise asyncio.CancelledError
        return []

    async def run() -> None:
        with suppress(asyncio.CancelledError):
            await Hub(ask=cast("Any", ask), limits=Limits(dismiss_s=0.01)).keep_dismissing()

    asyncio.run(run())
    assert asked == [61, 61, 361, 61]


@pytest.mark.slow
def test_a_ban_closes_soon_without_valkey_and_spares_other_studios(
    world: World, live: LiveServer, servers: Servers
) -> None:
    elsewhere = World.create("Elsewhere")
    with Socket(live.socket) as here, Socket(live.socket) as there:
        here.authenticate(world.token("anna"))
        there.authenticate(elsewhere.token("anna"))
        with valkey_frozen(servers):
            accounts.ban_player(
                studio_id=world.game.studio_id,
                player=world.player("anna"),
                banned=True,
                reason="test",
                actor="user:test",
                at=timezone.now(),
            )
            assert here.close_code() == 4403
        assert there.hears_nothing()


def test_who_is_erased_by_one_studio_is_closed_where_it_let_him_in(world: World, live: LiveServer) -> None:
    elsewhere = World.create("Elsewhere")
    anna = world.player("anna")
    PlayerIdentity.objects.create(studio_id=elsewhere.game.studio_id, external_id="anna", player_id=anna.id)
    with Socket(live.socket) as here, Socket(live.socket) as there:
        here.authenticate(world.token("anna"))
        there.authenticate(elsewhere.token("anna"))
        asking.erase(
            studio_id=world.game.studio_id, player_id=anna.id, reason="", actor="user:test", at=timezone.now()
        )
        assert here.close_code() == 4401
        _wait_for_another_look(world, live)  # which meets the same dismissal
        assert there.hears_nothing()


def test_who_was_joined_to_another_player_is_closed_wherever_he_came_from(
    world: World, live: LiveServer
) -> None:
    with (
        Socket(live.socket) as game,
        BrowserSocket(live.socket, cookie=cookie_of(world, "anna"), origin=settings.PUBLIC_URL) as page,
    ):
        game.authenticate(world.token("anna"))
        page.say(type="authenticate")
        assert page.hear()["type"] == "ready"
        sessions.dismiss(world.player("anna").id)
        assert game.close_code() == 4401
        assert page.close_code() == 4401
