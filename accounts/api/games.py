"""GET and POST /games, GET and PATCH /games/{game_id}."""

from typing import Any, cast
from uuid import UUID

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import games, selectors, services
from accounts.authentication import holder_of, named_game
from accounts.selectors import GameInfo, KeyHolder
from core import clock
from core.clock import rfc3339
from core.endpoint import (
    PAGE_PARAMETERS,
    Endpoint,
    StrictBoolean,
    StrictSerializer,
    StrictText,
    page,
    read_limit,
)
from core.pagination import decode_cursor, encode_cursor
from core.refusals import Forbidden, NotFound

MOST_REGIONS = 50


class RegionField(StrictText):
    """A region's name, in capitals."""

    def to_internal_value(self, data: Any) -> str:
        """Read a region."""
        try:
            region = services.clean_region(super().to_internal_value(data))
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None
        return region


class GameInput(StrictSerializer):
    """A game."""

    title = StrictText(max_length=200)
    regions = serializers.ListField(child=RegionField(), required=False, max_length=MOST_REGIONS)

    def validate_regions(self, regions: list[str]) -> list[str]:
        """Refuse a region that is listed twice."""
        if len(set(regions)) != len(regions):
            raise serializers.ValidationError("Each region is listed once.")
        return regions


class GameChange(GameInput):
    """What to change of a game; what is left out stays."""

    title = StrictText(max_length=200, required=False)
    signed_requests = StrictBoolean(
        required=False,
        help_text="Whether what players' devices send of unlocks, progress, stats and scores has to be signed.",
    )


class GameOutput(serializers.Serializer[Any]):
    """A game."""

    id = serializers.UUIDField()
    title = serializers.CharField()
    regions = serializers.ListField(child=serializers.CharField())
    signed_requests = serializers.BooleanField()
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class GamePage(serializers.Serializer[Any]):
    """A page of games."""

    results = GameOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_next_page = serializers.BooleanField()


_GAME = {
    "id": "019ab39f-11aa-7c00-8000-5a5a5a5a5a5a",
    "title": "Emberwake",
    "regions": ["EU", "NA"],
    "created_at": "2026-11-23T12:26:00.123Z",
    "updated_at": "2026-11-23T12:26:00.123Z",
}


class GamesView(Endpoint):
    """A studio's games."""

    scopes = {"GET": "definitions:read", "POST": "definitions:write"}
    query = frozenset({"limit", "cursor"})

    @extend_schema(
        operation_id="list_games",
        summary="List the studio's games",
        tags=["Games"],
        parameters=PAGE_PARAMETERS,
        responses=GamePage,
        examples=[
            OpenApiExample(
                "One", {"results": [_GAME], "next_cursor": None, "has_next_page": False}, response_only=True
            )
        ],
    )
    def get(self, request: Request) -> Response:
        """Return a page of games, oldest first."""
        holder, limit = holder_of(request), read_limit(request)
        kind, cursor = f"games {holder.studio_id}", request.GET.get("cursor")
        after = decode_cursor(kind, cursor)[0] if cursor is not None else 0
        found = selectors.games_of(holder.studio_id, after_id=after, limit=limit + 1, only=_only(holder))
        more = len(found) > limit
        shown = found[:limit]
        return Response(
            page(
                [game_json(game) for game in shown],
                next_cursor=encode_cursor(kind, [shown[-1].id]) if more else None,
            )
        )

    @extend_schema(
        operation_id="create_game",
        summary="Create a game",
        tags=["Games"],
        request=GameInput,
        responses={201: GameOutput},
        examples=[
            OpenApiExample("A game", {"title": "Emberwake", "regions": ["EU", "NA"]}, request_only=True),
            OpenApiExample("Created", _GAME, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """Create a game."""
        holder = cast("KeyHolder", holder_of(request))  # a player token may not
        if holder.game_id is not None:
            raise Forbidden("This key is for one game; a key of the whole studio creates games.")
        values = GameInput(data=request.data)
        values.is_valid(raise_exception=True)
        game = games.create(
            studio_id=holder.studio_id, **values.validated_data, actor=holder.actor, at=clock.now()
        )
        return Response(game_json(_fresh(game.uuid)), status=201)


class GameView(Endpoint):
    """One game."""

    scopes = {"GET": "definitions:read", "PATCH": "definitions:write"}

    @extend_schema(
        operation_id="get_game",
        summary="Get a game",
        tags=["Games"],
        responses=GameOutput,
        examples=[OpenApiExample("A game", _GAME, response_only=True)],
    )
    def get(self, request: Request, game_id: str) -> Response:
        """Return the game as it is now."""
        return Response(game_json(_fresh(named_game(request, game_id).uuid)))

    @extend_schema(
        operation_id="update_game",
        summary="Change a game",
        tags=["Games"],
        request=GameChange,
        responses=GameOutput,
        examples=[OpenApiExample("Another title", {"title": "Emberwake II"}, request_only=True)],
    )
    def patch(self, request: Request, game_id: str) -> Response:
        """Change a game."""
        game = named_game(request, game_id)
        values = GameChange(data=request.data)
        values.is_valid(raise_exception=True)
        if values.validated_data:
            games.update(
                studio_id=game.studio_id,
                game_id=game.id,
                changes=values.validated_data,
                actor=cast("KeyHolder", holder_of(request)).actor,  # a player token may not
                at=clock.now(),
            )
        return Response(game_json(_fresh(game.uuid)))


def game_json(game: GameInfo) -> dict[str, Any]:
    """Return a game in the API's shape."""
    return {
        "id": str(game.uuid),
        "title": game.title,
        "regions": list(game.regions),
        "signed_requests": game.signed_requests,
        "created_at": rfc3339(game.created_at),
        "updated_at": rfc3339(game.updated_at),
    }


def _fresh(uuid: UUID) -> GameInfo:
    game = selectors.fresh_game(uuid)
    if game is None:
        raise NotFound("There is no such game.")
    return game


def _only(holder: Any) -> int | None:
    return holder.game_id if isinstance(holder, KeyHolder) else None
