"""What analytics takes and answers, for the OpenAPI schema; answers are rendered from plain values."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework import serializers

from analytics.api.answers import FORMATS
from analytics.rules.choosing import DEFAULT_WINDOW, FEWEST_STEPS, MOST_STEPS
from analytics.rules.windows import WINDOWS

TAGS = ["Analytics"]
ABOUT_WINDOWS = (
    "Days are those of UTC; a window ends with `until`. `7d`, `30d` and `90d` come by the day, `365d` by 52 ISO weeks "
    "(named by their Monday), `all` by the month."
)
GAME = OpenApiParameter("game_id", OpenApiTypes.UUID, OpenApiParameter.PATH, description="The game's id.")
WINDOW = OpenApiParameter("window", OpenApiTypes.STR, enum=list(WINDOWS), default=DEFAULT_WINDOW)
UNTIL = OpenApiParameter("until", OpenApiTypes.DATE, description="The last day, today if it is not given.")
COMPARE = OpenApiParameter(
    "compare",
    OpenApiTypes.BOOL,
    default=False,
    description="Adds the span of equal length before; `all` has none.",
)
FORMAT = OpenApiParameter(
    "format",
    OpenApiTypes.STR,
    enum=list(FORMATS),
    default="json",
    description="`csv` answers the same rows as a file; what a spreadsheet would take for a formula is disarmed. "
    "Its header `X-As-Of` says what `as_of` says.",
)
STEPS = OpenApiParameter(
    "achievements",
    OpenApiTypes.STR,
    description=(
        f"{FEWEST_STEPS} to {MOST_STEPS} keys in order, with commas between them, then encoded as any value of a "
        "query. Within a key write a comma as `%2C` and a percent sign as `%25` beforehand. Left out: the steps that "
        "the studio chose in the portal, or the most unlocked achievements in their usual order."
    ),
)
TABLE = OpenApiParameter(
    "table",
    OpenApiTypes.STR,
    enum=["quantiles", "bars", "completion"],
    default="quantiles",
    description="Which of them is in the file, with `format=csv`.",
)
AS_OF = serializers.DateTimeField(help_text="Everything that happened until then is counted.")


class AnalyticsTotals(serializers.Serializer[Any]):
    """What a window comes to."""

    active_players_average = serializers.FloatField(help_text="Of the buckets: for days, the average DAU.")
    wau = serializers.IntegerField(help_text="Players of the last 7 days of it, each once.")
    mau = serializers.IntegerField(help_text="Players of the last 30 days of it, each once.")
    new_players = serializers.IntegerField()
    unlocks = serializers.IntegerField(help_text="Without those that were taken back.")
    points = serializers.IntegerField()
    playtime_s = serializers.IntegerField()


class AnalyticsBucket(serializers.Serializer[Any]):
    """A day, week or month."""

    at = serializers.DateField(help_text="Its first day.")
    active_players = serializers.IntegerField(
        help_text="Players of the bucket, each once: of a day, the DAU."
    )
    wau = serializers.IntegerField(help_text="Players of the 7 days that end with it, each once.")
    mau = serializers.IntegerField(help_text="Players of the 30 days that end with it, each once.")
    new_players = serializers.IntegerField(help_text="Of the active ones, who were never there before.")
    returning_players = serializers.IntegerField()
    unlocks = serializers.IntegerField()
    points = serializers.IntegerField()
    playtime_s = serializers.IntegerField()


class AnalyticsSpan(serializers.Serializer[Any]):
    """Days with what they come to, and by the bucket."""

    since = serializers.DateField()
    until = serializers.DateField()
    totals = AnalyticsTotals()
    buckets = AnalyticsBucket(many=True)


class AnalyticsWindow(serializers.Serializer[Any]):
    """Which days an answer is of."""

    window = serializers.ChoiceField(list(WINDOWS))
    since = serializers.DateField()
    until = serializers.DateField()
    bucket = serializers.CharField(help_text="day, week or month")
    as_of = AS_OF


class AnalyticsOverview(AnalyticsWindow):
    """How many played and unlocked."""

    totals = AnalyticsTotals()
    buckets = AnalyticsBucket(many=True)
    before = AnalyticsSpan(allow_null=True, help_text="With `compare=true`; null without, and of `all`.")


class AnalyticsAchievement(serializers.Serializer[Any]):
    """An achievement's figures. Of players who count for rarity, but for `unlocks`."""

    key = serializers.CharField()
    name = serializers.CharField()
    unlocked = serializers.IntegerField(help_text="How many have it.")
    players = serializers.IntegerField(help_text="Of how many.")
    unlocked_percent = serializers.FloatField(allow_null=True)
    tier = serializers.ChoiceField(["common", "uncommon", "rare", "epic", "legendary"], allow_null=True)
    unlocks = serializers.IntegerField(help_text="Within the window, of everybody.")
    unlocks_before = serializers.IntegerField(allow_null=True, help_text="In the span before; of `all` null.")
    sample = serializers.IntegerField(help_text="Of how many players the times are.")
    median_time_s = serializers.IntegerField(
        allow_null=True, help_text="From a player's first sign in the game."
    )
    p90_time_s = serializers.IntegerField(allow_null=True)
    usual_order = serializers.IntegerField(
        allow_null=True, help_text="The median of its place among a player's unlocks."
    )
    first_unlock_at = serializers.DateTimeField(allow_null=True)
    last_unlock_at = serializers.DateTimeField(allow_null=True)


class AnalyticsAchievementPage(AnalyticsWindow):
    """Achievements, what most have first."""

    results = AnalyticsAchievement(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_next_page = serializers.BooleanField()
    times_as_of = serializers.DateTimeField(
        allow_null=True, help_text="When the times were taken last; null: they are not yet."
    )


class AnalyticsCohort(serializers.Serializer[Any]):
    """The players who came first on a day (in a week, a month)."""

    first_at = serializers.DateField()
    players = serializers.IntegerField()
    retained = serializers.ListField(
        child=serializers.IntegerField(allow_null=True),
        help_text="How many were there 0, 1 … 30 days later; null for what is not over.",
    )


class AnalyticsRetention(AnalyticsWindow):
    """Who came back."""

    cohorts = AnalyticsCohort(many=True)
    average_percent = serializers.ListField(
        child=serializers.FloatField(allow_null=True),
        help_text="Of all players of the cohorts, by days later, where it is known; null where it is not.",
    )


class AnalyticsStep(serializers.Serializer[Any]):
    """A step of a funnel."""

    key = serializers.CharField()
    name = serializers.CharField()
    players = serializers.IntegerField(help_text="Who unlocked it after all the steps before.")
    percent = serializers.FloatField(allow_null=True, help_text="Of the first step.")
    percent_of_previous = serializers.FloatField(allow_null=True)
    lost = serializers.IntegerField(help_text="Who made the step before and not this one.")


class AnalyticsFunnel(serializers.Serializer[Any]):
    """Where players stop."""

    steps = AnalyticsStep(many=True)
    as_of = serializers.DateTimeField(help_text="When it was counted; it is kept for five minutes.")


class AnalyticsBoard(serializers.Serializer[Any]):
    """How busy a board is."""

    key = serializers.CharField()
    name = serializers.CharField()
    scores = serializers.IntegerField(help_text="Scores of its main span that changed within the window.")
    scores_before = serializers.IntegerField(allow_null=True, help_text="In the span before; of `all` null.")


class AnalyticsBoards(AnalyticsWindow):
    """Boards, busiest first."""

    results = AnalyticsBoard(many=True)


class AnalyticsRegion(serializers.Serializer[Any]):
    """A region's part."""

    region = serializers.CharField(allow_null=True, help_text="Null: players without one.")
    active_players_average = serializers.FloatField(help_text="Of the window's days.")
    new_players = serializers.IntegerField()
    unlocks = serializers.IntegerField()
    points = serializers.IntegerField()
    playtime_s = serializers.IntegerField()


class AnalyticsRegions(AnalyticsWindow):
    """Regions, busiest first."""

    results = AnalyticsRegion(many=True)


class AnalyticsBar(serializers.Serializer[Any]):
    """How many players lie between two values; the last bar holds what is more, too."""

    to = serializers.FloatField()
    players = serializers.IntegerField()

    def get_fields(self) -> dict[str, Any]:
        """Return the fields; `from` can't be written as a name."""
        return {"from": serializers.FloatField(), **super().get_fields()}


class AnalyticsSpread(serializers.Serializer[Any]):
    """How a value is spread among players. Quantiles are values that occur (nearest rank)."""

    players = serializers.IntegerField(help_text="The sample.")
    p10 = serializers.FloatField()
    p50 = serializers.FloatField()
    p90 = serializers.FloatField()
    bars = AnalyticsBar(many=True)


class AnalyticsStat(AnalyticsSpread):
    """How a stat's values are spread."""

    key = serializers.CharField()
    name = serializers.CharField()


class AnalyticsCompletion(serializers.Serializer[Any]):
    """How many players have so many achievements."""

    achievements = serializers.IntegerField()
    players = serializers.IntegerField(help_text="Exactly so many.")
    players_at_least = serializers.IntegerField()


class AnalyticsDistributions(serializers.Serializer[Any]):
    """How achievements, playtime and values are spread among players."""

    completion = AnalyticsCompletion(many=True)
    playtime_s = AnalyticsSpread(allow_null=True)
    stats = AnalyticsStat(many=True)
    as_of = serializers.DateTimeField(allow_null=True, help_text="When it was taken; null: it is not yet.")


def answers(shape: type[serializers.Serializer[Any]]) -> dict[Any, Any]:
    """Return what an operation answers: JSON or a file."""
    return {
        (200, "application/json"): shape,
        (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, "The file"),
    }


def example(name: str, value: dict[str, Any]) -> OpenApiExample:
    """Return an example of an answer."""
    return OpenApiExample(name, value, response_only=True, media_type="application/json")
