"""What the operations on stats' definitions take and answer, for the OpenAPI schema."""

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

_EXACT = "A whole number up to 2^53, or up to 15 digits with at most 6 decimals."


class StatDefinitionChange(serializers.Serializer[Any]):
    """A stat's fields, as documented; the rules of stats/rules/definitions.py read them."""

    name = serializers.CharField(max_length=200, required=False)
    aggregation = serializers.ChoiceField(
        ["sum", "max", "min", "last"],
        required=False,
        help_text="What a report makes of the value before it. Default: sum, which is reported by `add`.",
    )
    min = serializers.FloatField(required=False, allow_null=True, help_text=f"The lowest value. {_EXACT}")
    max = serializers.FloatField(required=False, allow_null=True, help_text=f"The highest value. {_EXACT}")
    max_delta = serializers.FloatField(
        required=False, allow_null=True, help_text="How far one report may change a value, up or down."
    )
    increment_only = serializers.BooleanField(required=False, help_text="A value never falls.")
    authority = serializers.ChoiceField(
        ["server", "client"], required=False, help_text="`client`: player tokens may report it too."
    )
    default = serializers.FloatField(
        required=False,
        allow_null=True,
        help_text="What a player holds before the first report. Default: null, nothing (a sum begins at 0).",
    )
    archived = serializers.BooleanField(required=False, help_text="Takes no more reports.")


class StatDefinitionInput(StatDefinitionChange):
    """A new stat."""

    key = serializers.CharField(max_length=128)
    name = serializers.CharField(max_length=200)


class StatDefinitionOutput(StatDefinitionInput):
    """A stat."""

    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class StatDefinitionPage(serializers.Serializer[Any]):
    """A page of stats."""

    results = StatDefinitionOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_next_page = serializers.BooleanField()
    total_count = serializers.IntegerField()


INPUT = {"key": "kills", "name": "Kills", "aggregation": "sum", "max_delta": 50, "increment_only": True}
_EXAMPLE = {
    "min": None,
    "max": None,
    "authority": "server",
    "default": None,
    "archived": False,
    **INPUT,
    "created_at": "2026-11-23T12:26:00.123Z",
    "updated_at": "2026-11-23T12:26:00.123Z",
}
EXAMPLE = OpenApiExample("A stat", _EXAMPLE, response_only=True)
PAGE_EXAMPLE = OpenApiExample(
    "One",
    {"results": [_EXAMPLE], "next_cursor": None, "has_next_page": False, "total_count": 1},
    response_only=True,
)
