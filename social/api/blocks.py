"""GET /players/{player}/blocks: whom a player blocks, so that he can let them through again."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from accounts.authentication import player_of
from core.clock import rfc3339
from core.endpoint import PAGE_PARAMETERS, Endpoint, cached_answer, page, read_limit
from core.pagination import decode_cursor, encode_cursor
from social import selectors
from social.api.friends import EXAMPLE_PLAYER, PLAYER, ShownPlayer, listed


class BlockOutput(serializers.Serializer[Any]):
    """Somebody who is blocked."""

    player = ShownPlayer()
    since = serializers.DateTimeField()


class BlockPage(serializers.Serializer[Any]):
    """A page of those who are blocked."""

    results = BlockOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_next_page = serializers.BooleanField()


class BlocksView(Endpoint):
    """Whom a player blocks."""

    scopes = {"GET": "players:read"}
    player_may = frozenset({"GET"})
    query = frozenset({"limit", "cursor"})

    @extend_schema(
        operation_id="list_blocks",
        summary="List whom a player blocks",
        description=(
            "To let somebody through again, name him by `id:<uuid>`. Of whom you may not see only the id is shown."
        ),
        tags=["Social"],
        parameters=[PLAYER, *PAGE_PARAMETERS],
        responses=BlockPage,
        examples=[
            OpenApiExample(
                "One",
                {
                    "results": [{"player": EXAMPLE_PLAYER, "since": "2026-11-23T12:26:00.123Z"}],
                    "next_cursor": None,
                    "has_next_page": False,
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, player: str) -> HttpResponse:
        """Answer a page of them."""
        owner, limit = player_of(request, player), read_limit(request)
        kind, cursor = f"blocks {owner.id}", request.GET.get("cursor")
        after = decode_cursor(kind, cursor)[0] if cursor is not None else 0
        found = selectors.blocks(owner.id, after_id=after, limit=limit + 1)
        shown = found[:limit]
        players = listed(request, [one.player_id for one in shown])
        rows = [{"player": players[one.player_id], "since": rfc3339(one.at)} for one in shown]
        next_cursor = encode_cursor(kind, [shown[-1].player_id]) if len(found) > limit else None
        return cached_answer(request, page(rows, next_cursor=next_cursor), cache_control="private, no-cache")
