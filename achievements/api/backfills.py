"""/games/{game_id}/achievements/{key}/preview and /games/{game_id}/backfills."""

import unicodedata
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import named_game
from achievements.api.shapes import DefinitionChange, read_fields
from achievements.models import Backfill
from achievements.selectors import backfills
from achievements.services import backfills as services
from core.clock import rfc3339
from core.endpoint import PAGE_PARAMETERS, Endpoint, page, read_limit
from core.pagination import decode_cursor, encode_cursor

_TAGS = ["Definitions"]
_PREVIEW = {"would_unlock": 2, "checked": 640, "is_complete": True, "players": ["p-1", "p-7"]}
_BACKFILL = {
    "id": "0198f2c4-6f1e-7000-8000-000000000001",
    "achievement": "slayer",
    "state": "running",
    "silent": True,
    "checked": 4000,
    "total": 12000,
    "percent": 33.3,
    "unlocked": 120,
    "created_at": "2026-11-23T12:26:00.123Z",
    "started_at": "2026-11-23T12:26:04.000Z",
    "finished_at": None,
}


class PreviewOutput(serializers.Serializer[Any]):
    """Who would unlock an achievement at once."""

    would_unlock = serializers.IntegerField()
    checked = serializers.IntegerField(help_text="Players who hold anything towards it.")
    is_complete = serializers.BooleanField(help_text="False: there are more players than were looked at.")
    players = serializers.ListField(child=serializers.CharField(), help_text="The first 100 of them.")


class BackfillOutput(serializers.Serializer[Any]):
    """How far a backfill is."""

    id = serializers.UUIDField()
    achievement = serializers.CharField()
    state = serializers.ChoiceField(Backfill.State.values)
    silent = serializers.BooleanField(help_text="Nobody is told.")
    checked = serializers.IntegerField()
    total = serializers.IntegerField(allow_null=True)
    percent = serializers.FloatField(allow_null=True)
    unlocked = serializers.IntegerField()
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class BackfillPage(serializers.Serializer[Any]):
    """A page of them."""

    results = BackfillOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_next_page = serializers.BooleanField()


class PreviewView(Endpoint):
    """What a change of a definition would do."""

    scopes = {"POST": "definitions:write"}

    @extend_schema(
        operation_id="preview_achievement_change",
        summary="Say who would unlock an achievement if it were changed",
        description=(
            "The body is that of the change itself; nothing is stored. Up to 20,000 players are looked at, and the "
            "first 100 who would unlock it are named."
        ),
        tags=_TAGS,
        request=DefinitionChange,
        responses=PreviewOutput,
        examples=[
            OpenApiExample("A lower target", {"target": 50}, request_only=True),
            OpenApiExample("Two players", _PREVIEW, response_only=True),
        ],
    )
    def post(self, request: Request, game_id: str, key: str) -> Response:
        """Return the preview."""
        found = services.preview(
            game=named_game(request, game_id),
            key=unicodedata.normalize("NFC", key),
            values=read_fields(request.data, new=False),
        )
        return Response(
            {
                "would_unlock": found.would_unlock,
                "checked": found.checked,
                "is_complete": found.is_complete,
                "players": found.players,
            }
        )


class BackfillsView(Endpoint):
    """The backfills of a game."""

    scopes = {"GET": "definitions:read"}
    query = frozenset({"limit", "cursor"})

    @extend_schema(
        operation_id="list_backfills",
        summary="List a game's backfills, newest first",
        description="A change of a definition starts one, if somebody may meet it by now.",
        tags=_TAGS,
        parameters=PAGE_PARAMETERS,
        responses=BackfillPage,
        examples=[
            OpenApiExample(
                "One is running",
                {"results": [_BACKFILL], "next_cursor": None, "has_next_page": False},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, game_id: str) -> Response:
        """Return a page of backfills."""
        game = named_game(request, game_id)
        limit, cursor, kind = read_limit(request), request.GET.get("cursor"), f"backfills {game.id}"
        before = None if cursor is None else decode_cursor(kind, cursor)[0]
        listed = backfills.listed(game.id, before=before, limit=limit + 1)
        more = len(listed) > limit
        shown = listed[:limit]
        next_cursor = encode_cursor(kind, [shown[-1].number]) if more else None
        return Response(page([_told(one) for one in shown], next_cursor=next_cursor))


def _told(one: backfills.BackfillInfo) -> dict[str, Any]:
    percent = None if not one.total else min(100.0, round(100 * one.checked / one.total, 1))
    return {
        "id": one.uuid,
        "achievement": one.achievement,
        "state": one.state,
        "silent": one.is_silent,
        "checked": one.checked,
        "total": one.total,
        "percent": 100.0 if one.state == Backfill.State.DONE else percent,
        "unlocked": one.unlocked,
        "created_at": rfc3339(one.created_at),
        "started_at": one.started_at and rfc3339(one.started_at),
        "finished_at": one.finished_at and rfc3339(one.finished_at),
    }
