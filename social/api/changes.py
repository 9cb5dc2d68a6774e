"""GET /players/{player}/changes: everything new for a player since the last time, in order."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from core.endpoint import LIMIT, Endpoint, cached_answer, page, read_limit
from core.pagination import decode_cursor, encode_cursor
from social import selectors
from social.api.asked import inbox_of
from social.api.notifications import EXAMPLE, notification_json


class NewsOutput(serializers.Serializer[Any]):
    """Something that happened: an event as it was pushed."""

    id = serializers.UUIDField()
    type = serializers.CharField(help_text="Such as `achievement.unlocked`.")
    at = serializers.DateTimeField()
    data = serializers.DictField(help_text="Its fields depend on `type`.")  # type: ignore[assignment]


class NewsPage(serializers.Serializer[Any]):
    """What is new, oldest first."""

    results = NewsOutput(many=True)
    next_cursor = serializers.CharField(
        help_text="What to send as `since` the next time, also when nothing is new."
    )
    has_next_page = serializers.BooleanField(help_text="There is more already.")


class ChangesView(Endpoint):
    """What is new for a player."""

    scopes = {"GET": "players:read"}
    player_may = frozenset({"GET"})
    query = frozenset({"since", "limit"})

    @extend_schema(
        operation_id="list_changes",
        summary="Read what is new for a player",
        description=(
            "One call a refresh for a tracker: unlocks, revokes, progress, ranks and what friends do, across games, in "
            "the order in which they came, as the inbox keeps them for 30 days. Progress and ranks that were not read "
            "are replaced by later ones. What the player does not want to be told is not among them, nor what a "
            "changed definition unlocked silently. A server key reads what its own games told. Without `since` it "
            "begins with the oldest that is kept."
        ),
        tags=["Social"],
        parameters=[
            OpenApiParameter(
                "player",
                OpenApiTypes.STR,
                OpenApiParameter.PATH,
                description="Your id for the player, `id:<uuid>`, or `me`.",
            ),
            OpenApiParameter("since", OpenApiTypes.STR, description="`next_cursor` of the time before."),
            LIMIT,
        ],
        responses=NewsPage,
        examples=[
            OpenApiExample(
                "An unlock",
                {
                    "results": [{name: EXAMPLE[name] for name in ("id", "type", "at", "data")}],
                    "next_cursor": "WzFd.x1y2",
                    "has_next_page": False,
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, player: str) -> HttpResponse:
        """Answer what came since."""
        inbox, limit = inbox_of(request, player), read_limit(request)
        kind, since = f"changes {inbox}", request.GET.get("since")
        after = decode_cursor(kind, since)[0] if since is not None else 0
        found = selectors.changes(inbox, after_seq=after, limit=limit + 1)
        shown = found[:limit]
        rows = [notification_json(info) for info in shown]
        for row in rows:
            del row["read_at"]
        answer = page(rows, next_cursor=encode_cursor(kind, [shown[-1].seq if shown else after]))
        answer["has_next_page"] = len(found) > limit
        return cached_answer(request, answer, cache_control="private, no-cache")
