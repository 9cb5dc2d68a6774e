"""POST /stats/reset."""

import unicodedata
from collections.abc import Mapping
from typing import Any, cast

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import game_of, holder_of, player_of
from accounts.selectors import KeyHolder
from core import clock
from core.endpoint import Endpoint, GameId, StrictBoolean, StrictText
from core.reasons import Reasoned
from core.refusals import Forbidden, Malformed
from core.texts import KEY_LENGTH
from stats.api import documents
from stats.api.reports import MOST_STATS
from stats.services import resets


class StatsResetInput(Reasoned):
    """What is begun anew."""

    game_id = GameId(required=False, help_text="May be left out with a key of one game.")
    player = StrictText(
        max_length=128, trim_whitespace=False, help_text="Your id for the player, or `id:<uuid>`."
    )
    stats = serializers.ListField(
        child=StrictText(max_length=KEY_LENGTH, trim_whitespace=False),
        required=False,
        min_length=1,
        max_length=MOST_STATS,
        help_text="The stats' keys. Default: all of the game.",
    )
    everything = StrictBoolean(
        required=False, help_text="All games that the player tests; without game_id and stats."
    )


class StatsResetOutput(serializers.Serializer[Any]):
    """How much was begun anew."""

    reset = serializers.IntegerField(help_text="Values that were taken away.")


class StatsResetView(Endpoint):
    """Takes a player's values away."""

    scopes = {"POST": "stats:write"}

    @extend_schema(
        operation_id="reset_stats",
        summary="Reset a player's stats",
        description=(
            "The player holds the stats' defaults again, or nothing, of the stats named, of all the game's, or with "
            "`everything` of all games that he tests. Events that were counted stay counted. "
            "Achievements that were unlocked stay: `POST /achievements/reset` takes them back."
        ),
        tags=documents.TAGS,
        request=StatsResetInput,
        responses={202: StatsResetOutput},
        examples=[
            OpenApiExample(
                "One stat",
                {
                    "game_id": "019ab39f-11aa-7c00-8000-5a5a5a5a5a5a",
                    "player": "p-1",
                    "stats": ["kills"],
                    "reason": "Reported by a cheat, ticket 4711",
                },
                request_only=True,
            ),
            OpenApiExample("Done", {"reset": 1}, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """Reset what the body names."""
        asked = StatsResetInput(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        holder = cast("KeyHolder", holder_of(request))  # a player token may not
        game = None if given.get("everything") else game_of(request, given.get("game_id"))
        told = {
            "player": player_of(request, given["player"]),
            "reason": given["reason"],
            "by": holder.actor,
            "at": clock.now(),
        }
        if game is not None:
            count = resets.reset(game=game, keys=_keys(given), **told)
        elif holder.game_id is not None:
            raise Forbidden("A key of one game can't reset all of the studio's: give the game_id.")
        elif "game_id" in given or "stats" in given:
            raise Malformed("`everything` is asked for alone: leave game_id and stats out.")
        else:
            count = resets.reset_tester(studio_id=holder.studio_id, **told)
        return Response({"reset": count}, status=202)


def _keys(given: Mapping[str, Any]) -> set[str] | None:
    """Return the stats' keys as they are kept; left out it means all of them."""
    return {unicodedata.normalize("NFC", key) for key in given["stats"]} if "stats" in given else None
