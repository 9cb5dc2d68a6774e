"""GET /players/{player}/stats."""

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request

from accounts.authentication import game_of, player_of
from core.endpoint import Endpoint, cached_answer
from core.ids import parse_id
from core.refusals import NotFound
from stats.rules.values import to_number
from stats.selectors.values import values


class PlayerStatsView(Endpoint):
    """What a player holds in a game."""

    scopes = {"GET": "players:read"}
    player_may = frozenset({"GET"})
    limited_as = "dashboards"
    query = frozenset({"game_id"})

    @extend_schema(
        operation_id="get_player_stats",
        summary="Get a player's stats in a game",
        description=(
            "Every stat that the player has a value of, by its key. Of one that was never reported it is the declared "
            "`default`; without one it is left out."
        ),
        tags=["Players"],
        parameters=[
            OpenApiParameter(
                "game_id", OpenApiTypes.UUID, description="May be left out with a key of one game."
            )
        ],
        responses={200: {"type": "object", "additionalProperties": {"type": "number"}}},
        examples=[OpenApiExample("Two", {"kills": 103, "best_lap": 80.9}, response_only=True)],
    )
    def get(self, request: Request, player: str) -> HttpResponse:
        """Return the player's values."""
        named = request.GET.get("game_id")
        uuid = None if named is None else parse_id(named)
        if named is not None and uuid is None:
            raise NotFound("There is no such game.")
        game, info = game_of(request, uuid), player_of(request, player)
        held = values(info.id, game_id=game.id)
        return cached_answer(
            request,
            {key: to_number(value) for key, value in held.items()},
            cache_control="private, max-age=0",
        )
