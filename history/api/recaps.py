"""GET /players/{player}/recap."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from accounts.authentication import player_of
from core import clock
from core.endpoint import Endpoint, cached_answer
from core.refusals import Malformed
from history.api.asked import audience_of
from history.api.dashboards import DashboardUnlock
from history.selectors import recaps
from history.selectors.recaps import FIRST_YEAR, MOST_GAMES, MOST_RAREST

_SUMS = {"unlocks": 12, "points": 240, "playtime": 36000.0}


class RecapSums(serializers.Serializer[Any]):
    """What was done; playtime in seconds."""

    unlocks = serializers.IntegerField()
    points = serializers.IntegerField()
    playtime = serializers.FloatField()


class RecapTotals(RecapSums):
    """What was done in a year, and in how many games."""

    games = serializers.IntegerField()


class RecapMonth(RecapSums):
    """What was done in a month."""

    month = serializers.CharField(help_text="Such as 2026-01.")


class RecapGame(RecapSums):
    """What was done in a game."""

    game_id = serializers.UUIDField()
    name = serializers.CharField()


class RecapDay(RecapSums):
    """What was done in a day."""

    date = serializers.DateField()


class RecapDays(serializers.Serializer[Any]):
    """What stands out among the days."""

    active = serializers.IntegerField(help_text="Days with an unlock or playtime.")
    longest_streak = serializers.IntegerField(help_text="Active days in a row.")
    busiest = RecapDay(allow_null=True, help_text="The day with the most unlocks.")


class RecapOutput(serializers.Serializer[Any]):
    """A year in review."""

    year = serializers.IntegerField()
    time_zone = serializers.CharField()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()
    is_over = serializers.BooleanField()
    totals = RecapTotals()
    previous_totals = RecapTotals(help_text="Of the year before.")
    months = RecapMonth(many=True)
    games = RecapGame(many=True)
    days = RecapDays(allow_null=True, help_text="Null for a year of which not all days are kept.")
    rarest_unlocks = DashboardUnlock(many=True)
    first_unlock = DashboardUnlock(allow_null=True)
    last_unlock = DashboardUnlock(allow_null=True)


class RecapView(Endpoint):
    """A player's year in review."""

    scopes = {"GET": "players:read"}
    player_may = frozenset({"GET"})
    limited_as = "dashboards"
    query = frozenset({"year"})

    @extend_schema(
        operation_id="get_player_recap",
        summary="Get a player's year in review",
        description=(
            "Unlocks, points and playtime of a calendar year in the player's time zone, beside those of the year "
            f"before; every month, the {MOST_GAMES} games played most, the {MOST_RAREST} rarest unlocks. A studio sees "
            "its own games, a player all of his. What was taken back is not in it."
        ),
        tags=["Players"],
        parameters=[
            OpenApiParameter(
                "year",
                OpenApiTypes.INT,
                description=f"From {FIRST_YEAR} to the present one, which is the default.",
            )
        ],
        responses=RecapOutput,
        examples=[
            OpenApiExample(
                "A year",
                {
                    "year": 2026,
                    "time_zone": "Europe/Berlin",
                    "starts_at": "2025-12-31T23:00:00.000Z",
                    "ends_at": "2026-12-31T23:00:00.000Z",
                    "is_over": False,
                    "totals": {**_SUMS, "games": 2},
                    "previous_totals": {"unlocks": 0, "points": 0, "playtime": 0.0, "games": 0},
                    "months": [{"month": "2026-01", **_SUMS}],
                    "games": [
                        {"game_id": "019ab39f-11aa-7c00-8000-5a5a5a5a5a5a", "name": "Emberwake", **_SUMS}
                    ],
                    "days": {
                        "active": 9,
                        "longest_streak": 3,
                        "busiest": {"date": "2026-03-14", "unlocks": 5, "points": 100, "playtime": 7200.0},
                    },
                    "rarest_unlocks": [],
                    "first_unlock": None,
                    "last_unlock": None,
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, player: str) -> HttpResponse:
        """Return the recap."""
        info, now = player_of(request, player), clock.now()
        latest = recaps.latest_year(info, at=now)
        year = _year(request.GET.get("year", str(latest)), latest=latest)
        found = recaps.recap(player=info, audience=audience_of(request), year=year, at=now)
        return cached_answer(request, found, cache_control="private, max-age=300")


def _year(text: str, *, latest: int) -> int:
    year = int(text) if text.isascii() and text.isdigit() and len(text) == 4 else 0
    if not FIRST_YEAR <= year <= latest:
        raise Malformed(f"The year must be from {FIRST_YEAR} to {latest}, as in year={latest}.")
    return year
