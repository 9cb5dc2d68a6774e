"""/webhooks: where a studio's servers hear what happened."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import game_of
from core import clock
from core.clock import rfc3339
from core.deadlines import extend
from core.endpoint import (
    PAGE_PARAMETERS,
    Endpoint,
    GameId,
    StrictBoolean,
    StrictInteger,
    StrictSerializer,
    StrictText,
    cached_answer,
    page,
    read_limit,
)
from core.pagination import decode_cursor, encode_cursor
from core.strict_json import read_body
from webhooks import selectors
from webhooks.announcing import EVENTS
from webhooks.api.asked import key_of, webhook_of
from webhooks.rules import targets
from webhooks.selectors import EndpointInfo
from webhooks.services import deliveries, endpoints

TAGS = ["Webhooks"]
SCOPE = "webhooks:write"
_PRIVATE = "private, no-cache"
_OVERLAP_H = 24
# What changes a whole log's rows takes longer than other requests: 5,000 of them about 0.3 s.
LOG_SECONDS = 25.0


class EventsField(serializers.MultipleChoiceField):
    """Names of events, at least one."""

    def __init__(self, **kwargs: Any) -> None:
        """Take the events that there are."""
        super().__init__(choices=EVENTS, allow_empty=False, **kwargs)

    def to_internal_value(self, data: Any) -> Any:
        """Read a list: of an object its names would be taken."""
        if isinstance(data, Mapping):
            self.fail("not_a_list", input_type=type(data).__name__)
        return super().to_internal_value(data)


class WebhookInput(StrictSerializer):
    """A webhook to create."""

    url = StrictText(
        max_length=targets.LONGEST_URL,
        trim_whitespace=False,
        help_text="https, a public host name, port 443 or 8443.",
    )
    events = EventsField(required=False, help_text="All of them if not given.")
    game_id = GameId(required=False, allow_null=True, help_text="Only what happens in this game.")
    description = StrictText(max_length=200, required=False, allow_blank=True, default="")


class WebhookChanges(StrictSerializer):
    """What is to change; what is left out stays."""

    url = StrictText(max_length=targets.LONGEST_URL, trim_whitespace=False, required=False)
    events = EventsField(required=False)
    description = StrictText(max_length=200, required=False, allow_blank=True)
    enabled = StrictBoolean(
        required=False,
        help_text="Enabling begins anew: what has waited is delivered only if it is asked for.",
    )


class WebhookOutput(serializers.Serializer[Any]):
    """A webhook."""

    id = serializers.UUIDField()
    url = serializers.CharField()
    events = serializers.ListField(child=serializers.CharField())
    game_id = serializers.UUIDField(allow_null=True)
    description = serializers.CharField()
    enabled = serializers.BooleanField()
    disabled_reason = serializers.ChoiceField(
        ["by_hand", "gone", "failing"],
        allow_null=True,
        help_text="`gone`: it answered 410. `failing`: it only failed for five days.",
    )
    disabled_at = serializers.DateTimeField(allow_null=True)
    failing_since = serializers.DateTimeField(allow_null=True)
    secret_hint = serializers.CharField(help_text="The end of the secret, to tell it from another.")
    previous_secret_until = serializers.DateTimeField(
        allow_null=True, help_text="During a rotation: until when the secret before it signs as well."
    )
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class WebhookWithSecret(WebhookOutput):
    """A webhook and its secret, shown this once."""

    secret = serializers.CharField(
        required=False,
        help_text="`whsec_` and 32 bytes in Base64: verifies the signatures. Not with an answer that is given again.",
    )


class WebhookPage(serializers.Serializer[Any]):
    """A page of webhooks."""

    results = WebhookOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_next_page = serializers.BooleanField()


class RotationInput(StrictSerializer):
    """How long the old secret signs as well."""

    overlap_hours = StrictInteger(
        required=False,
        min_value=0,
        max_value=int(endpoints.LONGEST_OVERLAP / timedelta(hours=1)),
        default=_OVERLAP_H,
    )


class TestOutput(serializers.Serializer[Any]):
    """The delivery that was queued."""

    delivery_id = serializers.UUIDField()


_ID = "019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b11"
_TIME = "2026-11-23T12:26:00.123Z"
_EXAMPLE = {
    "id": _ID,
    "url": "https://hooks.example.com/laurel",
    "events": ["achievement.unlocked"],
    "game_id": None,
    "description": "",
    "enabled": True,
    "disabled_reason": None,
    "disabled_at": None,
    "failing_since": None,
    "secret_hint": "whsec_…x4Qk=",
    "previous_secret_until": None,
    "created_at": _TIME,
    "updated_at": _TIME,
}
_WITH_SECRET = {**_EXAMPLE, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwMfKQ9r8GKYo="}
_ABOUT = (
    "Messages are signed as Standard Webhooks (`webhook-id`, `webhook-timestamp`, `webhook-signature`); a 2xx within "
    "15 seconds is success, and anything else is tried again over three days. Private addresses are refused (422 "
    "`webhook-url-not-allowed`), here and at every connection."
)


class WebhooksView(Endpoint):
    """A studio's webhooks."""

    scopes = {"GET": SCOPE, "POST": SCOPE}
    secrets = frozenset({"secret"})
    query = frozenset({"limit", "cursor"})

    @extend_schema(
        operation_id="list_webhooks",
        summary="List your webhooks",
        tags=TAGS,
        parameters=PAGE_PARAMETERS,
        responses=WebhookPage,
        examples=[
            OpenApiExample(
                "One",
                {"results": [_EXAMPLE], "next_cursor": None, "has_next_page": False},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request) -> HttpResponse:
        """Answer a page."""
        key, limit = key_of(request), read_limit(request)
        kind, cursor = f"webhooks {key.studio_id}", request.GET.get("cursor")
        after = decode_cursor(kind, cursor)[0] if cursor is not None else 0
        found = selectors.endpoints(key.studio_id, game_id=key.game_id, after_id=after, limit=limit + 1)
        shown = found[:limit]
        next_cursor = encode_cursor(kind, [shown[-1].id]) if len(found) > limit else None
        data = page([webhook_json(info) for info in shown], next_cursor=next_cursor)
        return cached_answer(request, data, cache_control=_PRIVATE)

    @extend_schema(
        operation_id="create_webhook",
        summary="Create a webhook",
        description=f"{_ABOUT} The secret is in this answer only.",
        tags=TAGS,
        request=WebhookInput,
        responses={201: WebhookWithSecret},
        examples=[
            OpenApiExample(
                "Unlocks",
                {"url": _EXAMPLE["url"], "events": ["achievement.unlocked"]},
                request_only=True,
            ),
            OpenApiExample("Created", _WITH_SECRET, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> Response:
        """Create one."""
        key = key_of(request)
        sent = WebhookInput(data=request.data)
        sent.is_valid(raise_exception=True)
        values = sent.validated_data
        game_uuid = values.get("game_id") or key.game_uuid
        info, secret = endpoints.create(
            studio_id=key.studio_id,
            game_id=game_of(request, game_uuid).id if game_uuid else None,
            url=values["url"],
            events=values.get("events", EVENTS),
            description=values["description"],
            actor=key.actor,
            at=clock.now(),
        )
        return Response({**webhook_json(info), "secret": secret}, status=201)


class WebhookView(Endpoint):
    """One webhook."""

    scopes = {"GET": SCOPE, "PATCH": SCOPE, "DELETE": SCOPE}
    bodiless = frozenset({"DELETE"})

    @extend_schema(
        operation_id="get_webhook",
        summary="Get a webhook",
        tags=TAGS,
        responses=WebhookOutput,
        examples=[OpenApiExample("A webhook", _EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, webhook_id: str) -> HttpResponse:
        """Answer it."""
        data = webhook_json(webhook_of(request, webhook_id))
        return cached_answer(request, data, cache_control=_PRIVATE)

    @extend_schema(
        operation_id="change_webhook",
        summary="Change, disable or enable a webhook",
        tags=TAGS,
        request=WebhookChanges,
        responses=WebhookOutput,
        examples=[
            OpenApiExample("Enable it again", {"enabled": True}, request_only=True),
            OpenApiExample("Changed", _EXAMPLE, response_only=True),
        ],
    )
    def patch(self, request: Request, webhook_id: str) -> Response:
        """Change it."""
        info = webhook_of(request, webhook_id)
        sent = WebhookChanges(data=request.data)
        sent.is_valid(raise_exception=True)
        if "enabled" in sent.validated_data:
            extend(LOG_SECONDS)
        changed = endpoints.change(
            info, changes=sent.validated_data, actor=key_of(request).actor, at=clock.now()
        )
        return Response(webhook_json(changed))

    @extend_schema(
        operation_id="delete_webhook",
        summary="Delete a webhook",
        description="Nothing is sent any more, and its deliveries are gone.",
        tags=TAGS,
        responses={204: None},
    )
    def delete(self, request: Request, webhook_id: str) -> Response:
        """Delete it."""
        endpoints.delete(webhook_of(request, webhook_id), actor=key_of(request).actor, at=clock.now())
        return Response(status=204)


class RotateSecretView(Endpoint):
    """A webhook's secret."""

    scopes = {"POST": SCOPE}
    secrets = frozenset({"secret"})

    @extend_schema(
        operation_id="rotate_webhook_secret",
        summary="Give a webhook a new secret",
        description=(
            "For the hours of the overlap messages carry two signatures, one by each secret, so that the receiver can "
            "change over. 0 ends the old one at once. Without a body it is a day. Under an Idempotency-Key "
            "that was used the answer comes again without the secret."
        ),
        tags=TAGS,
        request=RotationInput,
        responses=WebhookWithSecret,
        examples=[
            OpenApiExample("A day's overlap", {"overlap_hours": 24}, request_only=True),
            OpenApiExample("Rotated", _WITH_SECRET, response_only=True),
        ],
    )
    def post(self, request: Request, webhook_id: str) -> Response:
        """Rotate it."""
        info = webhook_of(request, webhook_id)
        sent = RotationInput(data=request.data if read_body(request._request) else {})
        sent.is_valid(raise_exception=True)
        rotated, secret = endpoints.rotate_secret(
            info,
            overlap=timedelta(hours=sent.validated_data["overlap_hours"]),
            actor=key_of(request).actor,
            at=clock.now(),
        )
        return Response({**webhook_json(rotated), "secret": secret})


class TestView(Endpoint):
    """A message to try a webhook with."""

    scopes = {"POST": SCOPE}
    bodiless = frozenset({"POST"})

    @extend_schema(
        operation_id="test_webhook",
        summary="Send a test message",
        description="Its `type` is `webhook.test`. Look at the delivery to see what was answered.",
        tags=TAGS,
        request=None,
        responses={202: TestOutput},
        examples=[OpenApiExample("Queued", {"delivery_id": _ID}, response_only=True, status_codes=["202"])],
    )
    def post(self, request: Request, webhook_id: str) -> Response:
        """Queue it."""
        uuid = deliveries.send_test(webhook_of(request, webhook_id), at=clock.now())
        return Response({"delivery_id": str(uuid)}, status=202)


def webhook_json(info: EndpointInfo) -> dict[str, Any]:
    """Return a webhook in the API's shape."""

    def at(time: Any) -> str | None:
        return None if time is None else rfc3339(time)

    return {
        "id": str(info.uuid),
        "url": info.url,
        "events": list(info.events),
        "game_id": None if info.game_uuid is None else str(info.game_uuid),
        "description": info.description,
        "enabled": not info.disabled,
        "disabled_reason": info.disabled or None,
        "disabled_at": at(info.disabled_at),
        "failing_since": at(info.failing_since),
        "secret_hint": info.secret_hint,
        "previous_secret_until": at(info.previous_until),
        "created_at": rfc3339(info.created_at),
        "updated_at": rfc3339(info.updated_at),
    }
