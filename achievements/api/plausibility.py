"""GET and PUT /games/{game_id}/plausibility."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import holder_of, named_game
from accounts.selectors import GameInfo, KeyHolder
from achievements.plausibility import FIELDS, LONGEST_S, MOST_A_MINUTE, MOST_STEPS_A_MINUTE
from achievements.selectors import plausibility
from achievements.services import plausibility as services
from core import clock
from core.endpoint import Endpoint
from core.items import read_object

_ABOUT = (
    "An unlock that breaks a rule is answered like any other (202 `unlocked`, then 200 `already_unlocked`), and "
    "stays out of totals, ranks and rarity until a member of the studio approves it in the portal's review queue. "
    "Times count from the player's first session in the game; without one, from when the studio first named the "
    "player. Progress is judged by when it was reported: what came since the report before may have come at any moment "
    "between the two, and a first report may bring as much as a minute. Whoever is too fast is answered as ever, "
    "and the unlock that he comes to is kept apart. Metas follow from the unlocks that count, and no rule holds them "
    "back. Leaderboards have their own: `/leaderboards/{game_id}/{board}/plausibility`."
)
_EXAMPLE = {
    "earliest_seconds": 10,
    "unlocks_a_minute": 30,
    "session_required": False,
    "achievements": [
        {"achievement": "finale", "earliest_seconds": 1800},
        {"achievement": "hundred-doors", "progress_a_minute": 20},
    ],
    "order": [{"first": "prologue", "then": "finale"}],
}


class AchievementRule(serializers.Serializer[Any]):
    """An achievement's own rule: one of its limits, or both."""

    achievement = serializers.CharField(help_text="The achievement's key.")
    earliest_seconds = serializers.IntegerField(
        min_value=1, max_value=LONGEST_S, required=False, help_text="Instead of the game's."
    )
    progress_a_minute = serializers.IntegerField(
        min_value=1,
        max_value=MOST_STEPS_A_MINUTE,
        required=False,
        help_text=(
            "How much progress any minute may bring, at most. For an incremental achievement that counts its own "
            "steps, or one stat up to a threshold."
        ),
    )


class OrderRule(serializers.Serializer[Any]):
    """What has to be unlocked before what."""

    first = serializers.CharField(help_text="The key of the one that comes before.")
    then = serializers.CharField(help_text="The key of the one that comes after.")


class PlausibilityRules(serializers.Serializer[Any]):
    """A game's rules."""

    earliest_seconds = serializers.IntegerField(
        min_value=1, max_value=LONGEST_S, allow_null=True, required=False, help_text="For any achievement."
    )
    unlocks_a_minute = serializers.IntegerField(
        min_value=1, max_value=MOST_A_MINUTE, allow_null=True, required=False, help_text="At most."
    )
    session_required = serializers.BooleanField(
        required=False, help_text="A session has to be known from that time."
    )
    achievements = AchievementRule(many=True, required=False)
    order = OrderRule(many=True, required=False)


class PlausibilityView(Endpoint):
    """Which unlocks are looked at before they count."""

    scopes = {"GET": "definitions:read", "PUT": "definitions:write"}

    @extend_schema(
        operation_id="get_plausibility",
        summary="Get a game's rules of plausibility",
        description=_ABOUT,
        tags=["Definitions"],
        responses=PlausibilityRules,
        examples=[OpenApiExample("Rules", _EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, game_id: str) -> Response:
        """Return the rules."""
        return _answer(named_game(request, game_id))

    @extend_schema(
        operation_id="set_plausibility",
        summary="Set a game's rules of plausibility",
        description=f"{_ABOUT} All of them are set: what is left out is no rule any more.",
        tags=["Definitions"],
        request=PlausibilityRules,
        responses=PlausibilityRules,
        examples=[OpenApiExample("Rules", _EXAMPLE)],
    )
    def put(self, request: Request, game_id: str) -> Response:
        """Set the rules."""
        game = named_game(request, game_id)
        values = read_object(request.data, frozenset(FIELDS))
        holder = holder_of(request)
        assert isinstance(holder, KeyHolder)  # a player's token is refused before
        services.set_rules(game=game, values=values, actor=holder.actor, at=clock.now())
        return _answer(game)


def _answer(game: GameInfo) -> Response:
    return Response(plausibility.shown(plausibility.document(game.id)))
