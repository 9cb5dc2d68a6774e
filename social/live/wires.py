"""How events and signs of life are written on the two kinds of connections, as ASGI messages."""

from typing import Any, Protocol
from uuid import UUID

import orjson

from social.events import Event

Message = dict[str, Any]
RETRY_MS = 2000


class Wire(Protocol):
    """What a connection says, on one kind of line."""

    kind: str
    answers_pings: bool

    def ready(self, player: UUID) -> Message:
        """Say that from here on every new event is told."""

    def event(self, event: Event) -> Message:
        """Say what happened."""

    def beat(self) -> Message:
        """Say that the server is there."""

    def farewell(self, code: int, reason: str) -> Message:
        """Say why the server ends the connection."""


class WebSocketWire:
    """JSON text frames of the subprotocol `laurel.v1`."""

    kind = "websocket"
    answers_pings = True

    def ready(self, player: UUID) -> Message:
        """Return the answer to `authenticate`."""
        return text({"type": "ready", "player": str(player)})

    def event(self, event: Event) -> Message:
        """Return an event's frame."""
        return {"type": "websocket.send", "text": event.json()}

    def beat(self) -> Message:
        """Return the server's ping, which is answered with `{"type":"pong"}`."""
        return _PING

    def farewell(self, code: int, reason: str) -> Message:
        """Return the close frame."""
        return {"type": "websocket.close", "code": code, "reason": reason}


class EventStreamWire:
    """`text/event-stream` (HTML Living Standard, Server-sent events)."""

    kind = "sse"
    answers_pings = False

    def ready(self, player: UUID) -> Message:
        """Return a comment that says so, after how long to wait before connecting again."""
        return _chunk(f"retry: {RETRY_MS}\n: ready for {player}\n\n")

    def event(self, event: Event) -> Message:
        """Return an event's lines; its JSON holds no line break."""
        return _chunk(f"id: {event.uuid}\nevent: {event.kind}\ndata: {event.json()}\n\n")

    def beat(self) -> Message:
        """Return a comment."""
        return _BEAT

    def farewell(self, code: int, reason: str) -> Message:
        """Return an event `close` that says why, and the end of the stream."""
        data = orjson.dumps({"code": code, "reason": reason}).decode()
        return {**_chunk(f"event: close\ndata: {data}\n\n"), "more_body": False}


def text(value: dict[str, Any]) -> Message:
    """Return a WebSocket text frame."""
    return {"type": "websocket.send", "text": orjson.dumps(value).decode()}


def _chunk(lines: str) -> Message:
    return {"type": "http.response.body", "body": lines.encode(), "more_body": True}


_PING = text({"type": "ping"})
_BEAT = _chunk(": beat\n\n")
WEB_SOCKET = WebSocketWire()
EVENT_STREAM = EventStreamWire()
