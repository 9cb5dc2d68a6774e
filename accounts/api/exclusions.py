"""PUT and DELETE /players/{player}/exclusion."""

from typing import Any, cast

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import services
from accounts.authentication import holder_of, player_of
from accounts.selectors import KeyHolder
from core import clock
from core.endpoint import Endpoint
from core.reasons import Reasoned

_ABOUT = (
    "It comes to the boards, and to how rare achievements are, within moments. Periods that are final stay as they "
    "are, and so does the board over all games: it belongs to no studio, and what one studio excludes stays there for "
    "the others. What the player does meanwhile is recorded and counts again when he is taken back. Repeating it "
    "changes nothing."
)


class ExclusionOutput(serializers.Serializer[Any]):
    """Whether the player is off the studio's boards."""

    excluded = serializers.BooleanField()


class ExclusionView(Endpoint):
    """Whether a player is on the studio's boards."""

    scopes = {"PUT": "players:write", "DELETE": "players:write"}

    @extend_schema(
        operation_id="exclude_player",
        summary="Take a player off all of your boards",
        description=_ABOUT,
        tags=["Players"],
        request=Reasoned,
        responses={202: ExclusionOutput},
        examples=[
            OpenApiExample("Why", {"reason": "Speed hack, ticket 4711"}, request_only=True),
            OpenApiExample("Taken", {"excluded": True}, response_only=True),
        ],
    )
    def put(self, request: Request, player: str) -> Response:
        """Take the player off."""
        return _exclude(request, player, excluded=True)

    @extend_schema(
        operation_id="include_player",
        summary="Take an excluded player back on all of your boards",
        description=_ABOUT,
        tags=["Players"],
        request=Reasoned,
        responses={202: ExclusionOutput},
        examples=[
            OpenApiExample("Why", {"reason": "Appeal upheld, ticket 4711"}, request_only=True),
            OpenApiExample("Taken", {"excluded": False}, response_only=True),
        ],
    )
    def delete(self, request: Request, player: str) -> Response:
        """Take the player back."""
        return _exclude(request, player, excluded=False)


def _exclude(request: Request, player: str, *, excluded: bool) -> Response:
    values = Reasoned(data=request.data)
    values.is_valid(raise_exception=True)
    holder = cast("KeyHolder", holder_of(request))  # a player token may not
    services.exclude_player(
        studio_id=holder.studio_id,
        player=player_of(request, player),
        excluded=excluded,
        reason=values.validated_data["reason"],
        actor=holder.actor,
        at=clock.now(),
    )
    return Response({"excluded": excluded}, status=202)
