"""The WebSocket `/ws/v1/live`: the subprotocol `laurel.v1`."""

import asyncio
from contextlib import suppress
from typing import Any
from uuid import UUID

from channels.consumer import AsyncConsumer
from channels.exceptions import StopConsumer

from core import clock, strict_json
from core.ids import parse_id
from core.refusals import Forbidden, Malformed, Refused, Unauthenticated, Unavailable
from social.live import codes, server
from social.live.answers import Receive, Scope, Send, refuse_handshake, session_cookie
from social.live.connection import NOWHERE, Connection
from social.live.database import Ask, Away
from social.live.door import admit, admit_session
from social.live.hub import Hub
from social.live.wires import WEB_SOCKET, text

SUBPROTOCOL = "laurel.v1"
_PONG = text({"type": "pong"})
# What each message holds besides its type.
_MESSAGES = {
    "authenticate": (set(), {"token", "after"}),
    "resume": ({"after"}, set()),
    "ping": (set(), set()),
    "pong": (set(), set()),
}


class LiveConsumer(AsyncConsumer):  # type: ignore[misc]  # Channels has no types
    """One WebSocket."""

    def __init__(self, hub: Hub, ask: Ask) -> None:
        """Open for nobody yet."""
        self._hub = hub
        self._ask = ask
        self._connection: Connection | None = None
        self._second = 0.0
        self._frames = 0
        self._session: str | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle what comes, one by one; Channels' own loop also hears a channel layer, for 4 KB more a socket."""
        self.scope, self.base_send = scope, send
        with suppress(StopConsumer):
            while True:
                await self.dispatch(await receive())

    async def dispatch(self, message: dict[str, Any]) -> None:
        """Handle an ASGI message; there are no database connections to look after here."""
        if message["type"] == "websocket.receive":
            await self._receive(message)
        elif message["type"] == "websocket.connect":
            await self._connect()
        else:
            if self._connection is not None:
                self._hub.detach(self._connection)
            raise StopConsumer

    async def _connect(self) -> None:
        refused = _handshake_refusal(self.scope, self._hub)
        if refused is not None:
            await refuse_handshake(self.base_send, self.scope, refused)
            return
        self._session = session_cookie(self.scope)
        await self.base_send({"type": "websocket.accept", "subprotocol": SUBPROTOCOL})
        server.forget_handshake(self.scope, self.base_send)
        limits = self._hub.limits
        self._connection = Connection(self._hub, self.base_send, WEB_SOCKET)
        too_late = "The first message did not come in time."
        self._connection.close_in(limits.authenticate_s, codes.UNAUTHENTICATED, too_late)

    async def _receive(self, message: dict[str, Any]) -> None:
        connection = self._connection
        if connection is None or connection.closing:
            return
        connection.alive()
        refusal = self._frame_refusal(message)
        if refusal is not None:
            connection.close(*refusal)
            return
        try:
            said = _read(message["text"])
        except Refused as refused:
            code = codes.NOT_UNDERSTOOD if connection.player_id else codes.UNAUTHENTICATED
            connection.close(code, refused.detail)
            return
        await self._obey(connection, said)

    def _frame_refusal(self, message: dict[str, Any]) -> tuple[int, str] | None:
        limits = self._hub.limits
        now = asyncio.get_running_loop().time()
        if now - self._second >= 1.0:
            self._second, self._frames = now, 0
        self._frames += 1
        if self._frames > limits.frames_a_second:
            return codes.TOO_MANY, f"More than {limits.frames_a_second} frames a second."
        sent = message.get("text")
        if sent is None:
            return codes.NOT_TEXT, "Frames are text."
        if len(sent) > limits.frame_bytes or len(sent.encode()) > limits.frame_bytes:
            return codes.TOO_LARGE, f"A frame has at most {limits.frame_bytes} bytes."
        return None

    async def _obey(self, connection: Connection, said: dict[str, Any]) -> None:
        kind = said["type"]
        if not connection.player_id:
            if kind == "authenticate":
                await self._authenticate(connection, said)
            else:
                connection.close(codes.UNAUTHENTICATED, "The first message is `authenticate`.")
        elif kind == "ping":
            connection.write(_PONG)
        elif kind == "resume":
            connection.resume(_after(said))
        elif kind == "authenticate":
            connection.close(codes.NOT_UNDERSTOOD, "This socket is authenticated already.")

    async def _authenticate(self, connection: Connection, said: dict[str, Any]) -> None:
        secret, self._session = self._session, None
        if "token" not in said and secret is None:
            connection.close(codes.UNAUTHENTICATED, "`authenticate` takes a player token.")
            return
        try:
            async with asyncio.timeout(self._hub.limits.authenticate_s):
                if "token" in said:
                    guest = await self._ask(admit, said["token"], at=clock.now())
                else:
                    guest = await self._ask(admit_session, secret or "", at=clock.now())
        except Unauthenticated as refused:
            connection.close(codes.UNAUTHENTICATED, refused.detail)
        except Forbidden as refused:
            connection.close(codes.FORBIDDEN, refused.detail)
        except (Away, TimeoutError):
            connection.close(codes.TRY_LATER, "The database does not answer. Try again.")
        else:
            if connection.closing:
                return
            connection.after = _after(said) if "after" in said else None
            try:
                connection.let_in(guest, at=clock.now())
            except Refused as refused:
                connection.close(codes.TOO_MANY, refused.detail)


def _handshake_refusal(scope: dict[str, Any], hub: Hub) -> Refused | None:
    if hub.is_ending:
        return Unavailable("This server stops. Connect again.")
    if scope["query_string"]:
        return Malformed("The address takes no parameters. The token goes in the first message.")
    if SUBPROTOCOL not in scope["subprotocols"]:
        return Malformed(f"Ask for the subprotocol `{SUBPROTOCOL}`.")
    try:
        session_cookie(scope)
    except Forbidden as refused:
        return refused
    return None


def _read(frame: str) -> dict[str, Any]:
    """Return a message of a client. Raises Refused."""
    said: Any = strict_json.loads(frame.encode())
    kind = said.get("type") if isinstance(said, dict) else None
    if not isinstance(kind, str) or kind not in _MESSAGES:
        raise Malformed(f"The message's `type` is one of: {', '.join(_MESSAGES)}.")
    needed, possible = _MESSAGES[kind]
    names = said.keys() - {"type"}
    if not needed <= names <= needed | possible or not all(isinstance(said[name], str) for name in names):
        fields = ", ".join(f"`{name}`" for name in sorted(needed | possible)) or "nothing"
        raise Malformed(f"`{kind}` takes {fields}, as text.")
    message: dict[str, Any] = said
    return message


def _after(said: dict[str, Any]) -> UUID:
    """Return where to resume; what is no id of the inbox means its beginning."""
    return parse_id(said["after"]) or NOWHERE
