"""GET /api/v1: what this is, and where its live connections are taken."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from core.endpoint import Endpoint, cached_answer


class LiveOutput(serializers.Serializer[Any]):
    """Where live connections are taken."""

    websocket = serializers.CharField(help_text="The WebSocket, subprotocol `laurel.v1`.")
    events = serializers.CharField(help_text="The event stream (Server-Sent Events).")


class RootOutput(serializers.Serializer[Any]):
    """What this instance is."""

    version = serializers.CharField()
    live = LiveOutput()


_PROTOCOL = """Needs no credential.

**WebSocket.** Ask for the subprotocol `laurel.v1`; frames are JSON text, at most 4 KiB and 10 a second. The first
message comes within 5 seconds: `{"type": "authenticate", "token": "<player token>"}`, or without `token` from one of
the instance's own pages with its session's cookie. A token is never part of an address. The answer is
`{"type": "ready", "player": "<id>"}`; then come events. `"after": "<id of the last event>"`, there or in
`{"type": "resume", "after": …}`, brings what was missed since, in order; an id that is not in the player's inbox brings
all of it. `{"type": "ping"}` is answered `{"type": "pong"}`; answer the server's pings in the same way.

**Event stream** (Server-Sent Events). `GET` it with `Authorization: Bearer <player token>`; `Last-Event-ID` resumes.
Each event has `id`, `event` (its type) and `data`. Before the server ends a stream it sends an event `close` with
`code` and `reason`.

An event is `{"id", "type", "at", "data"}`, as in `GET /players/{player}/notifications`. It may come twice, with the
same id.

| code | why a connection is closed |
|---|---|
| 1003, 1009 | a frame that is no text, or is too large |
| 1011 | something broke here |
| 1012, 1013 | the server stops, or its database is away: connect again and resume |
| 4008 | the reader fell behind: connect again and resume |
| 4400 | a message that is not understood |
| 4401 | no valid token in time, or it expired or was revoked, or the session ended |
| 4403 | the player is banned |
| 4408 | the server's pings were not answered |
| 4429 | too many frames, or more than 10 connections of a player |
"""
_EXAMPLE = {
    "version": "1",
    "live": {
        "websocket": "wss://laurel.example.com/ws/v1/live",
        "events": "https://laurel.example.com/api/v1/live",
    },
}


class RootView(Endpoint):
    """Says what this is, to anybody."""

    public = frozenset({"GET"})

    @extend_schema(
        operation_id="root",
        summary="The API's version, and where live connections are taken",
        description=_PROTOCOL,
        tags=["Live"],
        auth=[],
        responses=RootOutput,
        examples=[OpenApiExample("An instance", _EXAMPLE, response_only=True)],
    )
    def get(self, request: Request) -> HttpResponse:
        """Answer."""
        return cached_answer(request, root(), cache_control="public, max-age=60")


def root() -> dict[str, Any]:
    """Return the API's version and where its live connections are taken."""
    parts = urlsplit(settings.LIVE_URL)
    socket = parts._replace(scheme="wss" if parts.scheme == "https" else "ws").geturl()
    live = {"websocket": f"{socket}/ws/v1/live", "events": f"{settings.LIVE_URL}/api/v1/live"}
    return {"version": settings.SPECTACULAR_SETTINGS["VERSION"], "live": live}
