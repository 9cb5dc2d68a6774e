"""GET and PUT /games/{game_id}/rarity-tiers."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import named_game
from accounts.selectors import GameInfo
from achievements import rules
from achievements.selectors import definitions
from achievements.services import definitions as services
from core.endpoint import Endpoint, StrictSerializer

_ABOUT = (
    "An achievement is of the first tier whose percent is not below its own, as shown; above the last one it is "
    "`common`. The percents rise, from 0 to 100, with one decimal at most; `null` brings the platform's back. Its own "
    "percent is of those who have played: unlocked, progressed, reported a stat or had a session. Players whom the "
    "studio bans or excludes are on neither side. Under 20 players percent and tier are null."
)
_DEFAULT = rules.shown_tiers(rules.DEFAULT_TIERS)
_OWN = {"legendary": 0.5, "epic": 3, "rare": 10, "uncommon": 40}


class RarityTiers(serializers.Serializer[Any]):
    """The largest percent of each tier."""

    legendary = serializers.FloatField()
    epic = serializers.FloatField()
    rare = serializers.FloatField()
    uncommon = serializers.FloatField()


@extend_schema_field(RarityTiers)
class TiersField(serializers.Field[Any, Any, Any, Any]):
    """Tiers, in per mille."""

    def to_internal_value(self, data: Any) -> tuple[int, ...]:
        """Read tiers."""
        try:
            return rules.clean_tiers(data)
        except ValueError as error:
            raise serializers.ValidationError(str(error)) from None


class TiersInput(StrictSerializer):
    """A game's tiers."""

    rarity_tiers = TiersField(allow_null=True)


class TiersOutput(serializers.Serializer[Any]):
    """A game's tiers, and whether they are the platform's."""

    rarity_tiers = RarityTiers()
    is_default = serializers.BooleanField()


class TiersView(Endpoint):
    """From which share of players on an achievement is how rare."""

    scopes = {"GET": "definitions:read", "PUT": "definitions:write"}

    @extend_schema(
        operation_id="get_rarity_tiers",
        summary="Get a game's tiers of rarity",
        description=_ABOUT,
        tags=["Definitions"],
        responses=TiersOutput,
        examples=[
            OpenApiExample(
                "The platform's", {"rarity_tiers": _DEFAULT, "is_default": True}, response_only=True
            )
        ],
    )
    def get(self, request: Request, game_id: str) -> Response:
        """Return the tiers."""
        return _answer(named_game(request, game_id))

    @extend_schema(
        operation_id="set_rarity_tiers",
        summary="Set a game's tiers of rarity",
        description=_ABOUT,
        tags=["Definitions"],
        request=TiersInput,
        responses=TiersOutput,
        examples=[
            OpenApiExample("Stricter", {"rarity_tiers": _OWN}, request_only=True),
            OpenApiExample("Set", {"rarity_tiers": _OWN, "is_default": False}, response_only=True),
        ],
    )
    def put(self, request: Request, game_id: str) -> Response:
        """Set the tiers, or bring the platform's back."""
        game = named_game(request, game_id)
        values = TiersInput(data=request.data)
        values.is_valid(raise_exception=True)
        services.set_rarity_tiers(game=game, tiers=values.validated_data["rarity_tiers"])
        return _answer(game)


def _answer(game: GameInfo) -> Response:
    own = definitions.rarity_tiers(game.id)
    shown = rules.shown_tiers(rules.DEFAULT_TIERS if own is None else own)
    return Response({"rarity_tiers": shown, "is_default": own is None})
