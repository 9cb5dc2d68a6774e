"""GET /players/{player}/notifications, POST …/read and DELETE …/{id}: the inbox."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from core import clock
from core.endpoint import LIMIT, Endpoint, StrictSerializer, cached_answer, page, read_flag, read_limit
from core.ids import parse_id
from core.pagination import decode_cursor, encode_cursor
from core.refusals import Invalid, Malformed, NotFound
from social import selectors, services
from social.api.asked import inbox_of
from social.events import KINDS
from social.selectors import NotificationInfo

MOST_IDS = 1000


class NotificationOutput(serializers.Serializer[Any]):
    """A notification: an event as it was pushed, and when it was read."""

    id = serializers.UUIDField()
    type = serializers.CharField(help_text="Such as `achievement.unlocked`.")
    at = serializers.DateTimeField()
    data = serializers.DictField(  # type: ignore[assignment]  # a field, not Serializer.data
        help_text="What the event says; its fields depend on `type`."
    )
    read_at = serializers.DateTimeField(allow_null=True)


class NotificationsOutput(serializers.Serializer[Any]):
    """A page of an inbox, newest first."""

    results = NotificationOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_next_page = serializers.BooleanField()
    unread_count = serializers.IntegerField()


class ReadInput(StrictSerializer):
    """Which notifications were read: some, or all."""

    ids = serializers.ListField(
        child=serializers.UUIDField(),
        required=False,
        min_length=1,
        max_length=MOST_IDS,
        help_text="At most 1,000.",
    )
    all = serializers.BooleanField(required=False, help_text="`true` marks the whole inbox.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take one of the two."""
        # Read as it was sent: DRF takes "yes" and 1 for true.
        if ("ids" in attrs) == ("all" in attrs) or self.initial_data.get("all", True) is not True:
            raise Invalid.value("", 'Send either {"ids": [...]} or {"all": true}.')
        return attrs


class ReadOutput(serializers.Serializer[Any]):
    """What is left."""

    read = serializers.IntegerField(help_text="How many of them were unread until now.")
    unread_count = serializers.IntegerField()


_PLAYER = OpenApiParameter(
    "player",
    OpenApiTypes.STR,
    OpenApiParameter.PATH,
    description="Your id for the player, `id:<uuid>`, or `me`.",
)
EXAMPLE: dict[str, Any] = {
    "id": "019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b11",
    "type": "achievement.unlocked",
    "at": "2026-11-23T12:26:00.123Z",
    "data": {
        "game_id": "019ab39f-11aa-7c00-8000-5a5a5a5a5a5a",
        "game": {"title": "The Long Way Home"},
        "achievement": {
            "key": "first-blood",
            "name": "First blood",
            "description": "Win a fight.",
            "icon_url": "",
            "hidden": False,
            "rarity": {"unlocked_percent": 12.3, "unlocked": 123, "players": 1000, "tier": "rare"},
        },
        "points": 10,
        "unlocked_at": "2026-11-23T12:26:00.123Z",
        "totals": {"points": 110, "unlocked": 7, "available": 40},
    },
    "read_at": None,
}


class NotificationsView(Endpoint):
    """A player's inbox."""

    scopes = {"GET": "players:read"}
    player_may = frozenset({"GET"})
    query = frozenset({"unread", "kind", "limit", "cursor"})

    @extend_schema(
        operation_id="list_notifications",
        summary="Read a player's inbox",
        description="Newest first; it keeps 30 days. The same events are pushed to the player's live connections. A "
        "server key reads what its own games told, and what is of no game.",
        tags=["Social"],
        parameters=[
            _PLAYER,
            OpenApiParameter("unread", OpenApiTypes.BOOL, description="Only what was not read yet."),
            OpenApiParameter("kind", OpenApiTypes.STR, enum=KINDS, description="Only events of one type."),
            LIMIT,
            OpenApiParameter("cursor", OpenApiTypes.STR, description="`next_cursor` of the page before."),
        ],
        responses=NotificationsOutput,
        examples=[
            OpenApiExample(
                "One unlock",
                {"results": [EXAMPLE], "next_cursor": None, "has_next_page": False, "unread_count": 1},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, player: str) -> HttpResponse:
        """Answer a page."""
        inbox = inbox_of(request, player)
        unread, kind, limit = read_flag(request, "unread"), _kind(request), read_limit(request)
        listed = f"notifications {inbox} {'unread' if unread else 'all'} {kind or ''}"
        cursor = request.GET.get("cursor")
        before = None if cursor is None else decode_cursor(listed, cursor)[0]
        found = selectors.notifications(inbox, unread=unread, kind=kind, before_seq=before, limit=limit + 1)
        shown = found[:limit]
        answer = page(
            [notification_json(info) for info in shown],
            next_cursor=encode_cursor(listed, [shown[-1].seq]) if len(found) > limit else None,
            unread_count=selectors.unread_count(inbox),
        )
        return cached_answer(request, answer, cache_control="private, no-cache")


class ReadView(Endpoint):
    """Marks notifications as read."""

    scopes = {"POST": "players:write"}
    player_may = frozenset({"POST"})

    @extend_schema(
        operation_id="read_notifications",
        summary="Mark notifications as read",
        description="Repeating it changes nothing. Ids that are not in this inbox are passed by.",
        tags=["Social"],
        parameters=[_PLAYER],
        request=ReadInput,
        responses=ReadOutput,
        examples=[
            OpenApiExample("Some", {"ids": [EXAMPLE["id"]]}, request_only=True),
            OpenApiExample("All", {"all": True}, request_only=True),
            OpenApiExample("Done", {"read": 1, "unread_count": 0}, response_only=True),
        ],
    )
    def post(self, request: Request, player: str) -> Response:
        """Mark them."""
        inbox = inbox_of(request, player)
        sent = ReadInput(data=request.data)
        sent.is_valid(raise_exception=True)
        ids: list[UUID] | None = sent.validated_data.get("ids")
        read = services.mark_read(inbox, uuids=ids, at=clock.now())
        return Response({"read": read, "unread_count": selectors.unread_count(inbox)})


class NotificationView(Endpoint):
    """One notification."""

    scopes = {"DELETE": "players:write"}
    bodiless = frozenset({"DELETE"})
    player_may = frozenset({"DELETE"})

    @extend_schema(
        operation_id="delete_notification",
        summary="Delete a notification",
        description="It counts as read, and live connections that resume do not get it.",
        tags=["Social"],
        parameters=[
            _PLAYER,
            OpenApiParameter(
                "notification_id", OpenApiTypes.STR, OpenApiParameter.PATH, description="Its id."
            ),
        ],
        responses={204: None},
    )
    def delete(self, request: Request, player: str, notification_id: str) -> Response:
        """Delete it."""
        inbox, uuid = inbox_of(request, player), parse_id(notification_id)
        if uuid is None:
            raise NotFound("There is no such notification.")
        services.delete(inbox, uuid=uuid, at=clock.now())
        return Response(status=204)


def _kind(request: Request) -> str | None:
    kind = request.GET.get("kind")
    if kind is not None and kind not in KINDS:
        raise Malformed(f"`kind` is {kind[:40]!r}; it takes one of: {', '.join(KINDS)}.")
    return kind


def notification_json(info: NotificationInfo) -> dict[str, Any]:
    """Return a notification in the API's shape."""
    return {
        "id": str(info.uuid),
        "type": info.kind,
        "at": info.created_at,
        "data": info.data,
        "read_at": info.read_at,
    }
