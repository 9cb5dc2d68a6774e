"""GET and PUT /leaderboards/{game_id}/{board}/plausibility."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import holder_of, named_game
from accounts.selectors import KeyHolder
from core import clock
from core.endpoint import Endpoint
from core.items import read_object
from core.problems import CONTENT_TYPE
from core.refusals import Conflict, NotFound
from core.schema import ProblemOutput
from core.strict_json import ExactJSONParser
from leaderboards.api import documents
from leaderboards.rules.plausibility import HIGHEST_Z, LEAST_PLAYERS, LOWEST_Z
from leaderboards.selectors import definitions
from leaderboards.services import plausibility as services

_ABOUT = (
    "A submission that is better than `bound`, or by more than `z_score` standard deviations better than the mean of "
    f"the current period (of {LEAST_PLAYERS} players at least), is answered like any other and stands on no board "
    "until a member of the studio approves it in the portal's review queue. On a board that adds submissions up the "
    "bound is for each submission, and there is no `z_score`."
)
_EXAMPLE = {"bound": 500000, "z_score": 6.0}


class BoardPlausibility(serializers.Serializer[Any]):
    """A board's rules; `null` for none."""

    bound = serializers.FloatField(allow_null=True, required=False)
    z_score = serializers.FloatField(allow_null=True, required=False, min_value=LOWEST_Z, max_value=HIGHEST_Z)


class BoardPlausibilityView(Endpoint):
    """Which scores are looked at before they count."""

    scopes = {"GET": "definitions:read", "PUT": "definitions:write"}
    parser_classes = [ExactJSONParser]

    @extend_schema(
        operation_id="get_leaderboard_plausibility",
        summary="Get a leaderboard's rules of plausibility",
        description=_ABOUT,
        tags=documents.TAGS,
        parameters=[documents.GAME, documents.BOARD],
        responses={
            200: BoardPlausibility,
            (409, CONTENT_TYPE): OpenApiResponse(ProblemOutput, "The board is `points`."),
        },
        examples=[OpenApiExample("Rules", _EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, game_id: str, board: str) -> Response:
        """Return the rules."""
        game = named_game(request, game_id)
        if board == definitions.POINTS:
            raise Conflict("The `points` board is made of unlocks: see the game's rules of plausibility.")
        info = definitions.fresh_board(game.id, board)
        if info is None:
            raise NotFound("The game has no such leaderboard.")
        return Response(services.shown(info))

    @extend_schema(
        operation_id="set_leaderboard_plausibility",
        summary="Set a leaderboard's rules of plausibility",
        description=f"{_ABOUT} What is left out is no rule any more.",
        tags=documents.TAGS,
        parameters=[documents.GAME, documents.BOARD],
        request=BoardPlausibility,
        responses=BoardPlausibility,
        examples=[OpenApiExample("Rules", _EXAMPLE)],
    )
    def put(self, request: Request, game_id: str, board: str) -> Response:
        """Set the rules."""
        game = named_game(request, game_id)
        values = read_object(request.data, frozenset({"bound", "z_score"}))
        holder = holder_of(request)
        assert isinstance(holder, KeyHolder)  # a player's token is refused before
        info, _ = services.set_rules(game=game, key=board, values=values, actor=holder.actor, at=clock.now())
        return Response(services.shown(info))
