"""Plain HTTP answers of the `live` process, which has none of Django's middleware: problems, CORS, request ids."""

import re
from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from urllib.parse import urlsplit

import orjson
from django.conf import settings

from core.ids import new_id
from core.problems import CONTENT_TYPE
from core.refusals import Forbidden, Refused

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}", re.ASCII)


def header(scope: Scope, name: bytes) -> str | None:
    """Return a request's header; several of one name are joined, as HTTP has it (RFC 9110 §5.3)."""
    values = [value for key, value in scope["headers"] if key == name]
    return b", ".join(values).decode("latin-1") if values else None


def own_origins() -> frozenset[str]:
    """Return the origins of this instance's own pages; on a developer's machine under both of its names."""
    host = urlsplit(settings.PUBLIC_URL).hostname or ""
    hosts = settings.LOOPBACK_NAMES if host in settings.LOOPBACK_NAMES else (host,)
    return frozenset(settings.PUBLIC_URL.replace(host, name, 1) for name in hosts)


def cookie(scope: Scope, name: str) -> str | None:
    """Return a cookie of a request; of several of one name the first."""
    found = (part.strip().partition("=") for part in (header(scope, b"cookie") or "").split(";"))
    return next((value for key, _, value in found if key == name), None)


def session_cookie(scope: Scope) -> str | None:
    """Return the secret of a player's session, if one of our own pages sends it.

    A browser sends the cookie for any page that asks it to; which one that is, only the Origin tells, exactly. An event
    stream of the same origin has none, and says so in a header that no script can set (Fetch Metadata).

    Raises:
        Forbidden: the cookie is there, and the page is not ours.

    """
    secret = cookie(scope, settings.PLAYER_COOKIE)
    if secret is None:
        return None
    origin = header(scope, b"origin")
    same = origin is None and header(scope, b"sec-fetch-site") == "same-origin"
    if origin not in own_origins() and not same:
        raise Forbidden("A session is good for this instance's own pages only.")
    return secret


def common_headers(scope: Scope) -> Headers:
    """Return what every answer carries: its id, what browsers hold to, and leave to read it for our own pages."""
    sent = header(scope, b"x-request-id") or ""
    request_id = sent if _REQUEST_ID.fullmatch(sent) else str(new_id())
    headers = [
        (b"x-request-id", request_id.encode()),
        (b"vary", b"Origin"),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if settings.SECURE_HSTS_SECONDS:
        # To the letter as `web` says it: of one host, a browser keeps to what it heard last.
        said = f"max-age={settings.SECURE_HSTS_SECONDS}; includeSubDomains; preload"
        headers.append((b"strict-transport-security", said.encode()))
    origin = header(scope, b"origin")
    if origin in own_origins():
        headers += [
            (b"access-control-allow-origin", origin.encode()),
            (b"access-control-allow-credentials", b"true"),
            (b"access-control-expose-headers", b"x-request-id, retry-after"),
        ]
    return headers


def preflight_headers() -> Headers:
    """Return what a browser may send to the event stream."""
    return [
        (b"access-control-allow-methods", b"GET"),
        (b"access-control-allow-headers", b"authorization, cache-control, last-event-id, x-request-id"),
        (b"access-control-max-age", b"600"),
    ]


async def answer(send: Send, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes = b"") -> None:
    """Send a whole answer."""
    await send({"type": "http.response.start", "status": status, "headers": [*headers, _length(body)]})
    await send({"type": "http.response.body", "body": body})


async def refuse(send: Send, scope: Scope, refused: Refused) -> None:
    """Answer a refusal as problem+json."""
    headers, body = _problem(scope, refused)
    await answer(send, refused.problem.status, headers, body)


async def refuse_handshake(send: Send, scope: Scope, refused: Refused) -> None:
    """Refuse a WebSocket before it is one, with the reason where the server can carry it."""
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close"})
        return
    headers, body = _problem(scope, refused)
    start = {"status": refused.problem.status, "headers": [*headers, _length(body)]}
    await send({"type": "websocket.http.response.start", **start})
    await send({"type": "websocket.http.response.body", "body": body})


def _problem(scope: Scope, refused: Refused) -> tuple[Headers, bytes]:
    headers = common_headers(scope)
    request_id = headers[0][1].decode()
    problem = refused.body(public_url=settings.PUBLIC_URL, instance=scope["path"], request_id=request_id)
    headers.append((b"content-type", CONTENT_TYPE.encode()))
    headers += [(name.lower().encode(), value.encode()) for name, value in refused.headers.items()]
    return headers, orjson.dumps(problem)


def _length(body: bytes) -> tuple[bytes, bytes]:
    return b"content-length", str(len(body)).encode()
