"""What the operations on values take and answer, for the OpenAPI schema."""

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

TAGS = ["Stats"]
REPORT_STATUSES = ["reported", "already_reported", "rejected"]


class StatOperation(serializers.Serializer[Any]):
    """How one stat is reported: one of the two."""

    add = serializers.FloatField(required=False, help_text="To a `sum`.")
    set = serializers.FloatField(required=False, help_text="Of a `max`, `min` or `last`.")


class StatReport(serializers.Serializer[Any]):
    """A report about one player."""

    game_id = serializers.UUIDField(required=False, help_text="May be left out with a key of one game.")
    player = serializers.CharField(max_length=128, help_text="Your id for the player.")
    stats = serializers.DictField(child=StatOperation(), help_text="By the stats' keys, 1 to 500.")
    event_id = serializers.UUIDField(
        required=False, help_text="Your id for the event, which counts once. Send one with each `add`."
    )
    reported_at = serializers.DateTimeField(
        required=False, help_text="When it happened; `last` keeps the latest. Default: now."
    )


class StatReportBatch(serializers.Serializer[Any]):
    """Up to 1,000 reports."""

    game_id = serializers.UUIDField(required=False, help_text="Of those reports that name no game.")
    reports = StatReport(many=True)


class StatResult(serializers.Serializer[Any]):
    """What one stat of a report came to: a value, or a problem."""

    value = serializers.FloatField(
        required=False, allow_null=True, help_text="What the player holds now, null for nothing."
    )
    changed = serializers.BooleanField(required=False, help_text="Whether it is another value than before.")
    problem = serializers.DictField(required=False, help_text="Why it is refused (RFC 9457).")


class StatReportOutput(serializers.Serializer[Any]):
    """What a report came to; `rejected` if none of its stats was taken."""

    event_id = serializers.UUIDField()
    status = serializers.ChoiceField(REPORT_STATUSES)
    stats = serializers.DictField(child=StatResult())


class StatReportItem(serializers.Serializer[Any]):
    """What one report of a batch came to; `problem` if it was refused as a whole."""

    event_id = serializers.UUIDField(allow_null=True)
    status = serializers.ChoiceField(REPORT_STATUSES)
    stats = serializers.DictField(child=StatResult(), required=False)
    problem = serializers.DictField(required=False)


class StatReportBatchOutput(serializers.Serializer[Any]):
    """What each report came to, in the order sent."""

    reported = serializers.IntegerField()
    already_reported = serializers.IntegerField()
    rejected = serializers.IntegerField()
    results = StatReportItem(many=True)


_EVENT = "019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b11"
_GAME = "019ab39f-11aa-7c00-8000-5a5a5a5a5a5a"
_SENT = {"player": "p-1", "stats": {"kills": {"add": 3}, "best_lap": {"set": 81.2}}, "event_id": _EVENT}
_TOLD = {
    "event_id": _EVENT,
    "status": "reported",
    "stats": {"kills": {"value": 103, "changed": True}, "best_lap": {"value": 80.9, "changed": False}},
}
REPORT_EXAMPLES = [
    OpenApiExample("A report", {"game_id": _GAME, **_SENT}, request_only=True),
    OpenApiExample("Stored", _TOLD, response_only=True, status_codes=["202"]),
]
BATCH_EXAMPLES = [
    OpenApiExample("One", {"game_id": _GAME, "reports": [_SENT]}, request_only=True),
    OpenApiExample(
        "Stored",
        {"reported": 1, "already_reported": 0, "rejected": 0, "results": [_TOLD]},
        response_only=True,
    ),
]
