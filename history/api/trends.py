"""GET /players/{player}/trends."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from accounts.authentication import game_of, player_of
from accounts.selectors import GameInfo
from core import clock
from core.clock import rfc3339
from core.endpoint import Endpoint, cached_answer
from core.ids import parse_id
from core.refusals import Malformed, NotFound
from history.api.asked import audience_of
from history.selectors import trends
from history.selectors.trends import COLUMNS, WINDOWS, Trend
from stats.selectors import definitions as stats

_OF_STAT = "stat:"


class TrendPoint(serializers.Serializer[Any]):
    """A bucket: when it begins, and what was done in it."""

    at = serializers.DateTimeField()
    value = serializers.FloatField()


class TrendOutput(serializers.Serializer[Any]):
    """A window, bucket by bucket."""

    bucket = serializers.ChoiceField(["hour", "day", "week"])
    time_zone = serializers.CharField()
    points = TrendPoint(many=True)


class TrendsView(Endpoint):
    """What a player did over time."""

    scopes = {"GET": "players:read"}
    player_may = frozenset({"GET"})
    limited_as = "dashboards"
    query = frozenset({"metric", "window", "game_id"})

    @extend_schema(
        operation_id="get_player_trend",
        summary="Get what a player did over a window",
        description=(
            "Unlocks, points or playtime (in seconds) of all games that the caller sees or of one, or by how much a "
            "stat changed (then a game is needed; `stat:<key>` for one that is called as a metric is). Every bucket of "
            "the window is there, in the player's time zone: hours for `7d`, days for `30d` and `90d`, ISO weeks for "
            "`365d`."
        ),
        tags=["Players"],
        parameters=[
            OpenApiParameter(
                "metric",
                {"type": "string", "minLength": 1},
                required=True,
                description="unlocks, points, playtime or a stat's key.",
            ),
            OpenApiParameter("window", OpenApiTypes.STR, required=True, enum=list(WINDOWS)),
            OpenApiParameter("game_id", OpenApiTypes.UUID, description="Left out: all games."),
        ],
        responses=TrendOutput,
        examples=[
            OpenApiExample(
                "Two days",
                {
                    "bucket": "day",
                    "time_zone": "Europe/Berlin",
                    "points": [
                        {"at": "2026-11-22T23:00:00.000Z", "value": 3},
                        {"at": "2026-11-23T23:00:00.000Z", "value": 0},
                    ],
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, player: str) -> HttpResponse:
        """Return the trend."""
        metric, window = request.GET.get("metric", ""), request.GET.get("window", "")
        if window not in WINDOWS:
            raise Malformed(f"The window must be one of {', '.join(WINDOWS)}.")
        if not metric:
            raise Malformed("Say which metric: unlocks, points, playtime or the key of a stat.")
        game, info = _game(request, metric), player_of(request, player)
        told: dict[str, Any] = {
            "player_id": info.id,
            "time_zone": info.time_zone,
            "window": window,
            "at": clock.now(),
        }
        if metric in COLUMNS:
            game_ids = audience_of(request).game_ids() if game is None else [game.id]
            found = trends.trend(metric=metric, game_ids=game_ids, **told)
        else:
            found = trends.stat_trend(stat_id=_stat_id(metric, game), **told)
        return cached_answer(request, _shown(found, info.time_zone), cache_control="private, max-age=60")


def _game(request: Request, metric: str) -> GameInfo | None:
    """Return the game that is asked for, None for all; a stat's is needed, or that of the credential."""
    named = request.GET.get("game_id")
    if named is None and metric in COLUMNS:
        return None
    uuid = None if named is None else parse_id(named)
    if named is not None and uuid is None:
        raise NotFound("There is no such game.")
    return game_of(request, uuid)


def _stat_id(metric: str, game: GameInfo | None) -> int:
    if game is None:
        raise Malformed("A stat is one of a game: give its game_id.")
    stat = stats.fresh_stat(game.id, metric) or stats.fresh_stat(game.id, metric.removeprefix(_OF_STAT))
    if stat is None:
        raise NotFound("The game has no such stat.")
    return stat.id


def _shown(found: Trend, time_zone: str) -> dict[str, Any]:
    points = [{"at": rfc3339(at), "value": value} for at, value in found.points]
    return {"bucket": found.bucket, "time_zone": time_zone, "points": points}
