"""/webhooks/{id}/deliveries: what was sent, what was answered, and sending it again."""

from datetime import datetime
from typing import Any

import orjson
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core import clock
from core.clock import parse_rfc3339, rfc3339
from core.deadlines import extend
from core.endpoint import (
    PAGE_PARAMETERS,
    Endpoint,
    StrictSerializer,
    StrictText,
    cached_answer,
    page,
    read_limit,
)
from core.pagination import decode_cursor, encode_cursor
from core.refusals import Invalid, Malformed
from webhooks import selectors
from webhooks.announcing import EVENTS, TEST
from webhooks.api.asked import delivery_of, webhook_of
from webhooks.api.endpoints import LOG_SECONDS, SCOPE, TAGS
from webhooks.models import State
from webhooks.selectors import AttemptInfo, DeliveryInfo
from webhooks.services import deliveries

_PRIVATE = "private, no-cache"


class DeliveryOutput(serializers.Serializer[Any]):
    """A delivery."""

    id = serializers.UUIDField(help_text="The `webhook-id` without its `msg_`; the same on every attempt.")
    type = serializers.CharField()
    created_at = serializers.DateTimeField()
    state = serializers.ChoiceField(
        State.choices,
        help_text="`parked` ones have failed or waited too long, and are sent if you ask for it.",
    )
    attempts = serializers.IntegerField()
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    last_attempt_at = serializers.DateTimeField(allow_null=True)
    last_status = serializers.IntegerField(allow_null=True)
    last_error = serializers.CharField(
        help_text="A word and a sentence, as `timeout: …`; empty after success."
    )


class DeliveryPage(serializers.Serializer[Any]):
    """A page of deliveries, newest first."""

    results = DeliveryOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_next_page = serializers.BooleanField()


class SentOutput(serializers.Serializer[Any]):
    """What was sent."""

    url = serializers.CharField()
    headers = serializers.DictField(child=serializers.CharField())


class AnsweredOutput(serializers.Serializer[Any]):
    """What was answered."""

    status = serializers.IntegerField(allow_null=True)
    headers = serializers.DictField(child=serializers.CharField())
    body = serializers.CharField(help_text="Its first 4 KiB, as UTF-8.")


class AttemptOutput(serializers.Serializer[Any]):
    """An attempt."""

    number = serializers.IntegerField()
    at = serializers.DateTimeField()
    duration_ms = serializers.IntegerField()
    error = serializers.CharField()
    request = SentOutput()
    response = AnsweredOutput()


class WholeDelivery(DeliveryOutput):
    """A delivery with its message and its attempts."""

    payload = serializers.DictField(help_text="The message's body.")
    log = AttemptOutput(many=True, help_text="The latest fifty attempts, the newest first.")


class RangeInput(StrictSerializer):
    """What is to be sent again."""

    since = StrictText(help_text="RFC 3339.")
    until = StrictText(required=False, help_text="RFC 3339; now if not given.")
    states = serializers.MultipleChoiceField(
        choices=[State.PARKED, State.SUCCEEDED],
        required=False,
        allow_empty=False,
        default={State.PARKED.value},
        help_text="Parked ones only, if not given.",
    )


class RangeOutput(serializers.Serializer[Any]):
    """How many deliveries were queued."""

    queued = serializers.IntegerField()


_ID = "019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b11"
_TIME = "2026-11-23T12:26:00.123Z"
_EXAMPLE = {
    "id": _ID,
    "type": "achievement.unlocked",
    "created_at": _TIME,
    "state": "succeeded",
    "attempts": 1,
    "next_attempt_at": None,
    "last_attempt_at": _TIME,
    "last_status": 204,
    "last_error": "",
}
_WHOLE = {
    **_EXAMPLE,
    "payload": {"type": "achievement.unlocked", "timestamp": _TIME, "data": {"points": 10}},
    "log": [
        {
            "number": 1,
            "at": _TIME,
            "duration_ms": 41,
            "error": "",
            "request": {
                "url": "https://hooks.example.com/laurel",
                "headers": {"webhook-id": f"msg_{_ID}", "webhook-timestamp": "1795436760"},
            },
            "response": {"status": 204, "headers": {"Server": "nginx"}, "body": ""},
        }
    ],
}


class DeliveriesView(Endpoint):
    """A webhook's log."""

    scopes = {"GET": SCOPE}
    query = frozenset({"limit", "cursor", "state", "type"})

    @extend_schema(
        operation_id="list_deliveries",
        summary="List a webhook's deliveries",
        description="Newest first. Those that succeeded are kept for 3 days, the others for 30.",
        tags=TAGS,
        parameters=[
            *PAGE_PARAMETERS,
            OpenApiParameter("state", OpenApiTypes.STR, enum=State.values),
            OpenApiParameter("type", OpenApiTypes.STR, enum=[*EVENTS, TEST]),
        ],
        responses=DeliveryPage,
        examples=[
            OpenApiExample(
                "One",
                {"results": [_EXAMPLE], "next_cursor": None, "has_next_page": False},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, webhook_id: str) -> HttpResponse:
        """Answer a page."""
        info, limit = webhook_of(request, webhook_id), read_limit(request)
        state, event = _choice(request, "state", State.values), _choice(request, "type", [*EVENTS, TEST])
        kind, cursor = f"deliveries {info.id} {state} {event}", request.GET.get("cursor")
        before = decode_cursor(kind, cursor)[0] if cursor is not None else None
        found = selectors.deliveries(info.id, state=state, event=event, before_id=before, limit=limit + 1)
        shown = found[:limit]
        next_cursor = encode_cursor(kind, [shown[-1].id]) if len(found) > limit else None
        data = page([_delivery(one) for one in shown], next_cursor=next_cursor)
        return cached_answer(request, data, cache_control=_PRIVATE)


class DeliveryView(Endpoint):
    """One delivery."""

    scopes = {"GET": SCOPE}

    @extend_schema(
        operation_id="get_delivery",
        summary="Get a delivery with what was sent and answered",
        tags=TAGS,
        responses=WholeDelivery,
        examples=[OpenApiExample("A delivery", _WHOLE, response_only=True)],
    )
    def get(self, request: Request, webhook_id: str, delivery_id: str) -> HttpResponse:
        """Answer it."""
        found = delivery_of(webhook_of(request, webhook_id), delivery_id)
        log = [_attempt(one) for one in selectors.attempts(found.id)]
        data = {**_delivery(found), "payload": orjson.loads(found.payload), "log": log}
        return cached_answer(request, data, cache_control=_PRIVATE)


class RedeliverView(Endpoint):
    """One delivery, again."""

    scopes = {"POST": SCOPE}
    bodiless = frozenset({"POST"})

    @extend_schema(
        operation_id="redeliver",
        summary="Send a delivery again",
        description="Under the same `webhook-id`, at once, and with the whole schedule of retries before it.",
        tags=TAGS,
        request=None,
        responses={202: DeliveryOutput},
        examples=[
            OpenApiExample(
                "Queued",
                {**_EXAMPLE, "state": "pending", "next_attempt_at": _TIME},
                response_only=True,
                status_codes=["202"],
            )
        ],
    )
    def post(self, request: Request, webhook_id: str, delivery_id: str) -> Response:
        """Queue it."""
        info = webhook_of(request, webhook_id)
        deliveries.redeliver(info, delivery_of(info, delivery_id))
        return Response(_delivery(delivery_of(info, delivery_id)), status=202)


class RedeliverRangeView(Endpoint):
    """Many deliveries, again."""

    scopes = {"POST": SCOPE}
    # An answer is kept in the transaction of its effect; this one's takes seconds, and as one would hold listeners up.
    keeps_answers = False

    @extend_schema(
        operation_id="redeliver_range",
        summary="Send the deliveries of a time again",
        description=(
            "At most 100,000 at once: 409 when there are more. An `Idempotency-Key` means nothing here. Repeated, what "
            "is parked or waits goes out once; what was delivered meanwhile does again if `states` names `succeeded`."
        ),
        tags=TAGS,
        request=RangeInput,
        responses={202: RangeOutput},
        examples=[
            OpenApiExample("Since an outage", {"since": _TIME, "states": ["parked"]}, request_only=True),
            OpenApiExample("Queued", {"queued": 12}, response_only=True, status_codes=["202"]),
        ],
    )
    def post(self, request: Request, webhook_id: str) -> Response:
        """Queue them."""
        info = webhook_of(request, webhook_id)
        sent = RangeInput(data=request.data)
        sent.is_valid(raise_exception=True)
        since = _time("/since", sent.validated_data["since"])
        until = (
            _time("/until", sent.validated_data["until"]) if "until" in sent.validated_data else clock.now()
        )
        if until <= since:
            raise Invalid.value("/until", "It must lie after `since`.")
        extend(LOG_SECONDS)
        queued = deliveries.redeliver_range(
            info, since=since, until=until, states=sorted(sent.validated_data["states"])
        )
        return Response({"queued": queued}, status=202)


def _choice(request: Request, name: str, known: list[str]) -> str | None:
    value = request.GET.get(name)
    if value is not None and value not in known:
        raise Malformed(f"`{name}` takes one of: {', '.join(known)}.")
    return value


def _time(pointer: str, text: str) -> datetime:
    try:
        return parse_rfc3339(text)
    except ValueError as problem:
        raise Invalid.value(pointer, f"The time is {problem}: correct it.") from None


def _delivery(info: DeliveryInfo) -> dict[str, Any]:
    return {
        "id": str(info.uuid),
        "type": info.event,
        "created_at": rfc3339(info.created_at),
        "state": info.state,
        "attempts": info.attempts,
        "next_attempt_at": None if info.next_attempt_at is None else rfc3339(info.next_attempt_at),
        "last_attempt_at": None if info.last_attempt_at is None else rfc3339(info.last_attempt_at),
        "last_status": info.last_status,
        "last_error": info.last_error,
    }


def _attempt(info: AttemptInfo) -> dict[str, Any]:
    return {
        "number": info.number,
        "at": rfc3339(info.at),
        "duration_ms": info.duration_ms,
        "error": info.error,
        "request": {"url": info.url, "headers": info.request_headers},
        "response": {"status": info.status, "headers": info.response_headers, "body": info.response_body},
    }
