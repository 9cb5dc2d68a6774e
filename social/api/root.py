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
        description="Needs no credential.",
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
