"""The event stream `GET /api/v1/live`, for clients that can't or won't speak WebSocket."""

import asyncio

from core import clock
from core.ids import parse_id
from core.refusals import Malformed, Unauthenticated, Unavailable
from social.live.answers import Receive, Scope, Send, common_headers, header, session_cookie
from social.live.connection import NOWHERE, Connection
from social.live.database import Ask, Away
from social.live.door import Guest, admit, admit_session
from social.live.hub import Hub
from social.live.wires import EVENT_STREAM


async def stream(scope: Scope, receive: Receive, send: Send, *, hub: Hub, ask: Ask) -> None:
    """Send a player's events until the client goes, its token ends or it falls behind. Raises Refused before that."""
    if hub.is_ending:
        raise Unavailable("This server stops. Connect again.")
    if scope["query_string"]:
        raise Malformed("The address takes no parameters. The token goes in the Authorization header.")
    guest = await _guest(scope, hub=hub, ask=ask)
    connection = Connection(hub, send, EVENT_STREAM)
    last = header(scope, b"last-event-id")
    # What is no id of this inbox (another player's, or nonsense) means its beginning.
    connection.after = (parse_id(last) or NOWHERE) if last else None
    connection.let_in(guest, at=clock.now())
    try:
        # Its end is the connection's: a cut one must not be another request's by then.
        headers = [
            *common_headers(scope),
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"x-accel-buffering", b"no"),
            (b"connection", b"close"),
        ]
        connection.write({"type": "http.response.start", "status": 200, "headers": headers})
        while (await receive())["type"] != "http.disconnect":
            pass
    finally:
        hub.detach(connection)


async def _guest(scope: Scope, *, hub: Hub, ask: Ask) -> Guest:
    scheme, _, token = (header(scope, b"authorization") or "").partition(" ")
    secret = None if scheme else session_cookie(scope)
    if secret is None and scheme.lower() != "bearer":
        raise Unauthenticated("Send `Authorization: Bearer` with one player token.")
    try:
        async with asyncio.timeout(hub.limits.authenticate_s):
            if secret is not None:
                return await ask(admit_session, secret, at=clock.now())
            return await ask(admit, token.strip(), at=clock.now())
    except (Away, TimeoutError):
        raise Unavailable("The database does not answer. Connect again.") from None
