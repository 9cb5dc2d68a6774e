"""GET /players/{player}/achievements."""

from datetime import datetime
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from accounts.authentication import TokenHolder, game_of, holder_of, player_of
from achievements.api.shapes import RarityOutput
from achievements.models import State, Type
from achievements.rules import Rarity
from achievements.selectors import definitions, progress, showing, unlocks
from achievements.selectors.definitions import Definition
from achievements.selectors.progress import Steps
from core.clock import rfc3339
from core.endpoint import LIMIT, Endpoint, cached_answer, page, read_limit
from core.ids import parse_id
from core.pagination import decode_cursor, encode_cursor
from core.refusals import NotFound


class ProgressOutput(serializers.Serializer[Any]):
    """How far an incremental achievement is."""

    current = serializers.IntegerField()
    target = serializers.IntegerField()


class PlayerAchievementOutput(serializers.Serializer[Any]):
    """An achievement as it is for a player; a hidden one that is locked shows its texts to the studio only."""

    key = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    description = serializers.CharField(allow_null=True)
    points = serializers.IntegerField(allow_null=True)
    hidden = serializers.BooleanField()
    unlocked = serializers.BooleanField()
    unlocked_at = serializers.DateTimeField(allow_null=True)
    flagged = serializers.BooleanField(
        help_text="It is looked at by the studio before it counts; nothing counts it until then."
    )
    progress = ProgressOutput(allow_null=True)
    icon_url = serializers.CharField()
    group = serializers.CharField()
    rarity = RarityOutput()


class PlayerAchievementPage(serializers.Serializer[Any]):
    """A page of them."""

    results = PlayerAchievementOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_next_page = serializers.BooleanField()
    total_count = serializers.IntegerField()


_EXAMPLE = {
    "key": "first-blood",
    "name": "First blood",
    "description": "Win a duel.",
    "points": 10,
    "hidden": False,
    "unlocked": True,
    "unlocked_at": "2026-11-23T12:26:00.123Z",
    "flagged": False,
    "progress": None,
    "icon_url": "",
    "group": "base",
    "rarity": {"unlocked_percent": 12.3, "unlocked": 123, "players": 1000, "tier": "rare"},
}


class PlayerAchievementsView(Endpoint):
    """A game's achievements, as they are for a player."""

    scopes = {"GET": "players:read"}
    player_may = frozenset({"GET"})
    query = frozenset({"game_id", "lang", "limit", "cursor"})

    @extend_schema(
        operation_id="list_player_achievements",
        summary="List a game's achievements for a player",
        description=(
            "Every published achievement, and archived ones that the player has. `lang` picks a translation, with its "
            "fallbacks: `pt-BR`, then `pt`, then the default."
        ),
        tags=["Players"],
        parameters=[
            OpenApiParameter(
                "game_id", OpenApiTypes.UUID, description="May be left out with a key of one game."
            ),
            OpenApiParameter("lang", OpenApiTypes.STR, description="A language (BCP 47)."),
            LIMIT,
            OpenApiParameter("cursor", OpenApiTypes.STR),
        ],
        responses=PlayerAchievementPage,
        examples=[
            OpenApiExample(
                "One",
                {"results": [_EXAMPLE], "next_cursor": None, "has_next_page": False, "total_count": 1},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, player: str) -> HttpResponse:
        """Return a page of the game's achievements, in the definitions' order."""
        named = request.GET.get("game_id")
        uuid = None if named is None else parse_id(named)
        if named is not None and uuid is None:
            raise NotFound("There is no such game.")
        game, info = game_of(request, uuid), player_of(request, player)
        held = unlocks.unlocks_of(info.id, game_id=game.id)
        catalogue = definitions.fresh_catalogue(game.id)
        flagged = unlocks.flagged_of(info.id, game_id=game.id)
        had = held.keys() | flagged.keys()
        shown = [one for one in catalogue.by_key.values() if one.state == State.PUBLISHED or one.id in had]
        limit, cursor = read_limit(request), request.GET.get("cursor")
        kind = f"achievements {info.id} {game.id}"
        after = tuple(decode_cursor(kind, cursor)) if cursor is not None else None
        rest = [one for one in shown if after is None or (one.sort_order, one.id) > after]
        listed = rest[:limit]
        rarities = definitions.rarities(one.id for one in listed)
        standing = progress.standing(info.id, catalogue, listed)
        see_all = not isinstance(holder_of(request), TokenHolder)
        language = showing.language(request.GET.get("lang"))
        results = [
            achievement_json(
                one,
                held[one.id].unlocked_at if one.id in held else flagged.get(one.id),
                rarities[one.id],
                is_flagged=one.id not in held and one.id in flagged,
                steps=progress.steps(standing, one, catalogue.goals.get(one.id), unlocked=one.id in had),
                language=language,
                see_all=see_all,
            )
            for one in listed
        ]
        more = len(rest) > limit
        next_cursor = encode_cursor(kind, [listed[-1].sort_order, listed[-1].id]) if more else None
        return cached_answer(
            request,
            page(results, next_cursor=next_cursor, total_count=len(shown)),
            cache_control="private, max-age=0",
        )


def achievement_json(
    definition: Definition,
    unlocked_at: datetime | None,
    rarity: Rarity,
    *,
    is_flagged: bool,
    steps: Steps,
    language: str | None,
    see_all: bool,
) -> dict[str, Any]:
    """Return an achievement as it is for a player; masked if it is hidden, locked, and not for the studio."""
    masked = definition.hidden and unlocked_at is None and not see_all
    current, target = steps
    is_counted = definition.type == Type.INCREMENTAL and not masked
    return {
        **showing.definition_json(definition, language=language, masked=masked),
        "unlocked": unlocked_at is not None,
        "unlocked_at": rfc3339(unlocked_at) if unlocked_at else None,
        "flagged": is_flagged,
        "progress": {"current": current, "target": target} if is_counted else None,
        "rarity": rarity,
    }
