"""GET /players/{player}/feed: what friends have unlocked."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from accounts.authentication import player_of
from achievements.selectors import showing
from achievements.selectors.circles import Place
from core.endpoint import PAGE_PARAMETERS, Endpoint, cached_answer, page, read_limit
from core.pagination import decode_cursor, encode_cursor
from social.api.asked import asker_of
from social.api.friends import ShownPlayer
from social.selectors import feed as feeds


class FeedAchievement(serializers.Serializer[Any]):
    """What was unlocked; a hidden one shows its texts to who has it."""

    key = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    description = serializers.CharField(allow_null=True)
    hidden = serializers.BooleanField()
    icon_url = serializers.CharField()


class FeedOutput(serializers.Serializer[Any]):
    """An unlock of a friend."""

    player = ShownPlayer()
    game_id = serializers.UUIDField()
    game = serializers.CharField()
    achievement = FeedAchievement()
    points = serializers.IntegerField(allow_null=True)
    unlocked_at = serializers.DateTimeField()


class FeedPage(serializers.Serializer[Any]):
    """A page of a feed."""

    results = FeedOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_next_page = serializers.BooleanField()


_EXAMPLE = {
    "player": {
        "id": "019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b11",
        "display_name": "Ada",
        "region": "EU",
        "avatar_url": "",
    },
    "game_id": "019ab39f-11aa-7c00-8000-5a5a5a5a5a5a",
    "game": "Emberwake",
    "achievement": {
        "key": "first-blood",
        "name": "First blood",
        "description": "Win a duel.",
        "hidden": False,
        "icon_url": "",
    },
    "points": 10,
    "unlocked_at": "2026-11-23T12:26:00.123Z",
}


class FeedView(Endpoint):
    """What a player's friends have unlocked."""

    scopes = {"GET": "players:read"}
    player_may = frozenset({"GET"})
    query = frozenset({"lang", "limit", "cursor"})

    @extend_schema(
        operation_id="get_player_feed",
        summary="Read what a player's friends have unlocked",
        description=(
            "Newest first. A hidden achievement is masked until the player has unlocked it himself; a studio sees it, "
            "and of all games only its own. What friends who are `private` did is not here (a studio sees its own "
            "players), nor what was taken back, nor what somebody did in the games of a studio that bans him. A page "
            "may have fewer rows than `limit`."
        ),
        tags=["Social"],
        parameters=[
            OpenApiParameter(
                "player",
                OpenApiTypes.STR,
                OpenApiParameter.PATH,
                description="Your id for the player, or `me`.",
            ),
            OpenApiParameter("lang", OpenApiTypes.STR, description="A language (BCP 47)."),
            *PAGE_PARAMETERS,
        ],
        responses=FeedPage,
        examples=[
            OpenApiExample(
                "One unlock",
                {"results": [_EXAMPLE], "next_cursor": None, "has_next_page": False},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, player: str) -> HttpResponse:
        """Answer a page."""
        owner, asker = player_of(request, player), asker_of(request)
        kind, cursor = f"feed {owner.id} {asker.only_studio_id} {asker.game_id}", request.GET.get("cursor")
        after = None if cursor is None else Place(*decode_cursor(kind, cursor))
        language = showing.language(request.GET.get("lang"))
        found = feeds.feed(owner.id, asker=asker, language=language, after=after, limit=read_limit(request))
        data = page(found.rows, next_cursor=found.after and encode_cursor(kind, list(found.after)))
        return cached_answer(request, data, cache_control="private, no-cache")
