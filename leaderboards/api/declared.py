"""What the operations on boards' definitions take and answer, for the OpenAPI schema."""

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers


class BoardDefinitionChange(serializers.Serializer[Any]):
    """A board's fields, as documented; the rules of leaderboards/rules/definitions.py read them."""

    name = serializers.CharField(max_length=200, required=False)
    sort = serializers.ChoiceField(
        ["desc", "asc"], required=False, help_text="Default: desc, more is better."
    )
    operator = serializers.ChoiceField(
        ["best", "last", "sum"], required=False, help_text="What a submission makes of the score before it."
    )
    tie_break = serializers.ChoiceField(
        ["shared", "dense", "earliest"], required=False, help_text="Default: shared (1, 2, 2, 4)."
    )
    decimals = serializers.IntegerField(min_value=0, max_value=6, required=False)
    format = serializers.ChoiceField(["number", "time_ms", "time_s", "currency", "percent"], required=False)
    authority = serializers.ChoiceField(["server", "client"], required=False)
    stat = serializers.CharField(
        required=False,
        allow_null=True,
        help_text=(
            "Fed by this stat, from now on, not by submissions: with the operator `sum` a period holds what was added "
            "in it, else the best or last value. Values are rounded to the board's decimals."
        ),
    )
    reset = serializers.ChoiceField(["never", "daily", "weekly", "monthly", "cron"], required=False)
    cron = serializers.CharField(
        required=False, allow_null=True, help_text="With the reset `cron`: five fields, at most once an hour."
    )
    time_zone = serializers.CharField(
        required=False, help_text="Of resets, by its name in the IANA database."
    )
    spans = serializers.ListField(
        child=serializers.ChoiceField(["all", "day", "week", "month"]),
        required=False,
        help_text="Kept beside the main span, which `reset` declares.",
    )
    attempts_limit = serializers.IntegerField(
        min_value=1, required=False, allow_null=True, help_text="Submissions of a player in a period."
    )
    min_score = serializers.FloatField(required=False, allow_null=True)
    max_score = serializers.FloatField(required=False, allow_null=True)
    starts_at = serializers.DateTimeField(required=False, allow_null=True)
    ends_at = serializers.DateTimeField(required=False, allow_null=True)
    metadata = serializers.JSONField(required=False, help_text="An object of at most 4 KiB of your own.")
    archived = serializers.BooleanField(required=False, help_text="Takes no more scores.")


class BoardDefinitionInput(BoardDefinitionChange):
    """A new board."""

    key = serializers.CharField(max_length=128)
    name = serializers.CharField(max_length=200)


class BoardDefinitionOutput(BoardDefinitionInput):
    """A board."""

    builtin = serializers.BooleanField()
    next_reset_at = serializers.DateTimeField(
        allow_null=True, help_text="Null for a board that never resets, or ends before it would."
    )
    created_at = serializers.DateTimeField(allow_null=True)
    updated_at = serializers.DateTimeField(allow_null=True)


class BoardDefinitionPage(serializers.Serializer[Any]):
    """A page of boards."""

    results = BoardDefinitionOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_next_page = serializers.BooleanField()
    total_count = serializers.IntegerField()


DEFAULTS: dict[str, Any] = {
    "sort": "desc",
    "operator": "best",
    "tie_break": "shared",
    "decimals": 0,
    "format": "number",
    "authority": "server",
    "stat": None,
    "reset": "never",
    "cron": None,
    "time_zone": "UTC",
    "spans": [],
    "attempts_limit": None,
    "min_score": None,
    "max_score": None,
    "starts_at": None,
    "ends_at": None,
    "metadata": {},
    "archived": False,
}
INPUT = {"key": "best-lap", "name": "Best lap", "sort": "asc", "decimals": 3, "reset": "weekly"}
_EXAMPLE = {
    **DEFAULTS,
    **INPUT,
    "builtin": False,
    "next_reset_at": "2026-11-30T00:00:00.000Z",
    "created_at": "2026-11-23T12:26:00.123Z",
    "updated_at": "2026-11-23T12:26:00.123Z",
}
EXAMPLE = OpenApiExample("A board", _EXAMPLE, response_only=True)
PAGE_EXAMPLE = OpenApiExample(
    "One",
    {"results": [_EXAMPLE], "next_cursor": None, "has_next_page": False, "total_count": 1},
    response_only=True,
)
