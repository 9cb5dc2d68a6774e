"""GET /players/{player}/dashboard."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from accounts.authentication import player_of
from core.endpoint import Endpoint, bytes_answer, etag_of
from history.api.asked import audience_of
from history.api.trends import TrendPoint
from history.selectors import served as serving
from history.selectors.dashboards import MOST_FRIENDS, MOST_GAMES, MOST_UNLOCKS

_GAME = "019ab39f-11aa-7c00-8000-5a5a5a5a5a5a"


class DashboardPlayer(serializers.Serializer[Any]):
    """Who it is about; `external_id` to a studio only."""

    id = serializers.UUIDField()
    external_id = serializers.CharField(required=False)
    display_name = serializers.CharField()
    region = serializers.CharField()
    avatar_url = serializers.CharField()


class DashboardTotals(serializers.Serializer[Any]):
    """Sums over all games that are the caller's to see."""

    points = serializers.IntegerField()
    unlocked = serializers.IntegerField()
    games = serializers.IntegerField()
    completion_percent = serializers.FloatField()


class DashboardGame(serializers.Serializer[Any]):
    """What was reached in a game."""

    game_id = serializers.UUIDField()
    name = serializers.CharField()
    points = serializers.IntegerField()
    unlocked = serializers.IntegerField()
    total = serializers.IntegerField(help_text="Published achievements.")
    completion_percent = serializers.FloatField()
    rank = serializers.IntegerField(allow_null=True, help_text="On the board `points`; null if not known.")
    last_unlock_at = serializers.DateTimeField(allow_null=True)


class DashboardUnlock(serializers.Serializer[Any]):
    """One of the latest unlocks."""

    game_id = serializers.UUIDField()
    game = serializers.CharField()
    key = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    icon_url = serializers.CharField()
    points = serializers.IntegerField()
    unlocked_at = serializers.DateTimeField()
    rarity = serializers.DictField()


class DashboardTrend(serializers.Serializer[Any]):
    """Unlocks by day, as `/trends` shows them."""

    metric = serializers.CharField()
    window = serializers.CharField()
    bucket = serializers.CharField()
    time_zone = serializers.CharField()
    points = TrendPoint(many=True)


class DashboardFriend(serializers.Serializer[Any]):
    """A friend with what he has over all games."""

    player = DashboardPlayer()
    points = serializers.IntegerField()
    unlocked = serializers.IntegerField()


class DashboardFriends(serializers.Serializer[Any]):
    """How many there are, and those with the most points."""

    count = serializers.IntegerField()
    top = DashboardFriend(many=True)


class DashboardOutput(serializers.Serializer[Any]):
    """A player at a glance."""

    player = DashboardPlayer()
    totals = DashboardTotals()
    games = DashboardGame(many=True)
    recent_unlocks = DashboardUnlock(many=True)
    trend = DashboardTrend()
    friends = DashboardFriends()
    generated_at = serializers.DateTimeField()


class DashboardView(Endpoint):
    """A player at a glance."""

    scopes = {"GET": "players:read"}
    player_may = frozenset({"GET"})
    limited_as = "dashboards"

    @extend_schema(
        operation_id="get_player_dashboard",
        summary="Get a player's dashboard",
        description=(
            f"Totals, at most {MOST_GAMES} games with the most points first, the latest {MOST_UNLOCKS} unlocks, "
            f"unlocks of 30 days in the player's time zone, the {MOST_FRIENDS} friends with the most points. A studio "
            "sees its own games, a player all of his. It is kept for 5 to 15 minutes and built anew within seconds of "
            "an unlock; "
            "`X-Cache` says `hit`, `stale` (a newer one is being built) or `miss` (this one was built now)."
        ),
        tags=["Players"],
        parameters=[
            OpenApiParameter(
                "X-Cache",
                OpenApiTypes.STR,
                OpenApiParameter.HEADER,
                response=True,
                enum=["hit", "stale", "miss"],
                description="Whether it was kept.",
            )
        ],
        responses=DashboardOutput,
        examples=[
            OpenApiExample(
                "A beginner",
                {
                    "player": {
                        "id": "019ab39f-22bb-7c00-8000-6b6b6b6b6b6b",
                        "external_id": "p-1",
                        "display_name": "Anna",
                        "region": "EU",
                        "avatar_url": "",
                    },
                    "totals": {"points": 10, "unlocked": 1, "games": 1, "completion_percent": 2.5},
                    "games": [
                        {
                            "game_id": _GAME,
                            "name": "Emberwake",
                            "points": 10,
                            "unlocked": 1,
                            "total": 40,
                            "completion_percent": 2.5,
                            "rank": 118,
                            "last_unlock_at": "2026-11-23T12:26:00.123Z",
                        }
                    ],
                    "recent_unlocks": [
                        {
                            "game_id": _GAME,
                            "game": "Emberwake",
                            "key": "first-blood",
                            "name": "First blood",
                            "description": "Win a duel.",
                            "icon_url": "",
                            "points": 10,
                            "unlocked_at": "2026-11-23T12:26:00.123Z",
                            "rarity": {
                                "unlocked_percent": 12.3,
                                "unlocked": 123,
                                "players": 1000,
                                "tier": "uncommon",
                            },
                        }
                    ],
                    "trend": {
                        "metric": "unlocks",
                        "window": "30d",
                        "bucket": "day",
                        "time_zone": "Europe/Berlin",
                        "points": [{"at": "2026-11-22T23:00:00.000Z", "value": 1}],
                    },
                    "friends": {"count": 0, "top": []},
                    "generated_at": "2026-11-23T12:26:02.000Z",
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, player: str) -> HttpResponse:
        """Return the dashboard."""
        served = serving.serve(player_of(request, player), audience_of(request))
        answer = bytes_answer(
            request, served.body, etag=etag_of(served.body), cache_control="private, no-cache"
        )
        answer["X-Cache"] = served.cache
        return answer
