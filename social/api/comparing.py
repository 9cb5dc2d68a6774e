"""GET /players/{player}/friends/compare and /players/{player}/compare/{other}."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    PolymorphicProxySerializer,
    extend_schema,
)
from rest_framework import serializers
from rest_framework.request import Request

from accounts import people
from accounts.authentication import other_of, player_of
from accounts.people import Part
from accounts.selectors import GameInfo, PlayerInfo
from achievements.selectors import showing
from core.endpoint import PAGE_PARAMETERS, Endpoint, cached_answer, page, read_limit
from core.pagination import decode_cursor, encode_cursor
from social.api.asked import asked_game, asker_of
from social.api.friends import ShownPlayer
from social.selectors import comparing
from social.selectors.comparing import Position

_PRIVATE = "private, no-cache"
_TAGS = ["Social"]
_PLAYER = OpenApiParameter(
    "player", OpenApiTypes.STR, OpenApiParameter.PATH, description="Your id for the player, or `me`."
)
_OTHER = OpenApiParameter(
    "other",
    OpenApiTypes.STR,
    OpenApiParameter.PATH,
    description="`id:<uuid>`, or with a server key your id for the other one.",
)
_LANG = OpenApiParameter("lang", OpenApiTypes.STR, description="A language (BCP 47).")


class ComparedTotals(serializers.Serializer[Any]):
    """What a player has, and of how much."""

    points = serializers.IntegerField()
    unlocked = serializers.IntegerField()
    available = serializers.IntegerField(help_text="Published achievements of the games he plays.")
    completion_percent = serializers.FloatField()
    last_unlock_at = serializers.DateTimeField(allow_null=True)


class ComparedFriend(ComparedTotals):
    """A player, or a friend, with what he has."""

    player = ShownPlayer()
    is_me = serializers.BooleanField(help_text="Whether it is the player himself.")


class ComparedFriends(serializers.Serializer[Any]):
    """A player and his friends."""

    results = ComparedFriend(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_next_page = serializers.BooleanField()
    total_count = serializers.IntegerField()


class ComparedGameTotals(serializers.Serializer[Any]):
    """What a player has in a game."""

    points = serializers.IntegerField()
    unlocked = serializers.IntegerField()
    completion_percent = serializers.FloatField()
    last_unlock_at = serializers.DateTimeField(allow_null=True)


class SharedGameOutput(serializers.Serializer[Any]):
    """A game in which both have unlocked something."""

    game_id = serializers.UUIDField()
    name = serializers.CharField()
    available = serializers.IntegerField()
    player = ComparedGameTotals()
    other = ComparedGameTotals()


class SharedGames(serializers.Serializer[Any]):
    """The games of both, without `game_id`."""

    player = ShownPlayer()
    other = ShownPlayer()
    results = SharedGameOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_next_page = serializers.BooleanField()


class ComparedProgress(serializers.Serializer[Any]):
    """How far an incremental achievement is."""

    current = serializers.IntegerField()
    target = serializers.IntegerField()


class ComparedUnlock(serializers.Serializer[Any]):
    """How one of both stands to an achievement."""

    unlocked = serializers.BooleanField()
    unlocked_at = serializers.DateTimeField(allow_null=True)
    progress = ComparedProgress(allow_null=True)


class ComparedAchievement(serializers.Serializer[Any]):
    """An achievement as two players stand to it; a hidden one shows its texts once the first one has it."""

    key = serializers.CharField(allow_null=True)
    name = serializers.CharField(allow_null=True)
    description = serializers.CharField(allow_null=True)
    points = serializers.IntegerField(allow_null=True)
    hidden = serializers.BooleanField()
    icon_url = serializers.CharField()
    group = serializers.CharField()
    rarity = serializers.DictField()
    player = ComparedUnlock()
    other = ComparedUnlock()


class ComparedPlayer(ComparedTotals):
    """One of both, with what he has in the game."""

    player = ShownPlayer()


class ComparedGame(serializers.Serializer[Any]):
    """One game of both, with `game_id`."""

    game_id = serializers.UUIDField()
    name = serializers.CharField()
    player = ComparedPlayer()
    other = ComparedPlayer()
    both = serializers.IntegerField(help_text="How many of the achievements both have.")
    only_player = serializers.IntegerField(help_text="How many the other one lacks.")
    only_other = serializers.IntegerField(help_text="How many the player lacks and the other one has.")
    results = ComparedAchievement(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_next_page = serializers.BooleanField()
    total_count = serializers.IntegerField()


_ADA = {
    "id": "019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b11",
    "display_name": "Ada",
    "region": "EU",
    "avatar_url": "",
}
_BEN = {**_ADA, "id": "019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b12", "display_name": "Ben"}
_GAME = "019ab39f-11aa-7c00-8000-5a5a5a5a5a5a"
_TIME = "2026-11-23T12:26:00.123Z"
_HAS = {"points": 110, "unlocked": 7, "completion_percent": 17.5, "last_unlock_at": _TIME}
_NONE = {"points": 0, "unlocked": 0, "completion_percent": 0.0, "last_unlock_at": None}
_LAST_PAGE = {"next_cursor": None, "has_next_page": False}
_COMPARED = {
    "key": "first-blood",
    "name": "First blood",
    "description": "Win a duel.",
    "points": 10,
    "hidden": False,
    "icon_url": "",
    "group": "base",
    "rarity": {"unlocked_percent": 12.3, "unlocked": 123, "players": 1000, "tier": "rare"},
    "player": {"unlocked": True, "unlocked_at": _TIME, "progress": None},
    "other": {"unlocked": False, "unlocked_at": None, "progress": None},
}


class CompareFriendsView(Endpoint):
    """A player beside his friends."""

    scopes = {"GET": "players:read"}
    player_may = frozenset({"GET"})
    query = frozenset({"game_id"})

    @extend_schema(
        operation_id="compare_with_friends",
        summary="Compare a player with his friends",
        description=(
            "The player and his friends, at most 501 in one page: most points first, of equals who reached them first. "
            "Over all games, or in one. Friends who are `private` are left out, and those whom the studio has banned; "
            "a server key is shown all of its studio's players, and of others those who are `public`. `available` over "
            "all games may be five minutes old."
        ),
        tags=_TAGS,
        parameters=[
            _PLAYER,
            OpenApiParameter(
                "game_id",
                OpenApiTypes.UUID,
                description="All games without it; with a key of one game that one.",
            ),
        ],
        responses=ComparedFriends,
        examples=[
            OpenApiExample(
                "A player and a friend",
                {
                    "results": [
                        {"player": _ADA, "is_me": False, "available": 40, **_HAS},
                        {"player": _BEN, "is_me": True, "available": 0, **_NONE},
                    ],
                    **_LAST_PAGE,
                    "total_count": 2,
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, player: str) -> HttpResponse:
        """Answer them all."""
        owner, game = player_of(request, player), asked_game(request)
        game_id = None if game is None else game.id
        rows = comparing.beside_friends(owner.id, game_id=game_id, asker=asker_of(request))
        data = page(rows, next_cursor=None, total_count=len(rows))
        return cached_answer(request, data, cache_control=_PRIVATE)


class CompareView(Endpoint):
    """A player beside another one."""

    scopes = {"GET": "players:read"}
    player_may = frozenset({"GET"})
    query = frozenset({"game_id", "lang", "limit", "cursor"})

    @extend_schema(
        operation_id="compare_players",
        summary="Compare a player with another",
        description=(
            "With `game_id` achievement by achievement; without it (and without a key of one game) the games in which "
            "both have unlocked something, those with most of the player's points first. A hidden achievement is "
            "masked until the player, not the other one, has unlocked it; a studio sees it. Who may not be seen is "
            "answered as who does not exist."
        ),
        tags=_TAGS,
        parameters=[
            _PLAYER,
            _OTHER,
            OpenApiParameter("game_id", OpenApiTypes.UUID, description="Which game; a token's own only."),
            _LANG,
            *PAGE_PARAMETERS,
        ],
        responses=PolymorphicProxySerializer(
            component_name="Compared",
            serializers=[ComparedGame, SharedGames],
            resource_type_field_name=None,
        ),
        examples=[
            OpenApiExample(
                "One game",
                {
                    "game_id": _GAME,
                    "name": "Emberwake",
                    "player": {"player": _ADA, "available": 40, **_HAS},
                    "other": {"player": _BEN, "available": 40, **_NONE},
                    "both": 0,
                    "only_player": 7,
                    "only_other": 0,
                    "results": [_COMPARED],
                    **_LAST_PAGE,
                    "total_count": 1,
                },
                response_only=True,
            ),
            OpenApiExample(
                "All games",
                {
                    "player": _ADA,
                    "other": _BEN,
                    "results": [
                        {
                            "game_id": _GAME,
                            "name": "Emberwake",
                            "available": 40,
                            "player": _HAS,
                            "other": _HAS,
                        }
                    ],
                    **_LAST_PAGE,
                },
                response_only=True,
            ),
        ],
    )
    def get(self, request: Request, player: str, other: str) -> HttpResponse:
        """Answer a page of games or of achievements."""
        pair = player_of(request, player), other_of(request, other, part=Part.GAMES)
        game = asked_game(request)
        data = _games(request, *pair) if game is None else _achievements(request, *pair, game)
        return cached_answer(request, data, cache_control=_PRIVATE)


def _games(request: Request, player: PlayerInfo, other: PlayerInfo) -> dict[str, Any]:
    asker, kind = asker_of(request), f"games of {player.id} and {other.id} {asker_of(request).only_studio_id}"
    showing.language(request.GET.get("lang"))  # refused alike
    found = comparing.shared_games(
        player, other, asker=asker, after=_position(request, kind), limit=read_limit(request)
    )
    return page(
        found.rows,
        next_cursor=_cursor(kind, found.after),
        player=people.shown(player, to_studio=asker.is_studio),
        other=people.shown(other, to_studio=asker.is_studio),
    )


def _achievements(request: Request, player: PlayerInfo, other: PlayerInfo, game: GameInfo) -> dict[str, Any]:
    asker, kind = asker_of(request), f"achievements of {player.id} and {other.id} {game.id}"
    found = comparing.achievements(
        player,
        other,
        game_id=game.id,
        asker=asker,
        language=showing.language(request.GET.get("lang")),
        after=_position(request, kind),
        limit=read_limit(request),
    )
    return page(
        found.page.rows,
        next_cursor=_cursor(kind, found.page.after),
        game_id=str(game.uuid),
        name=game.title,
        player={"player": people.shown(player, to_studio=asker.is_studio), **found.player},
        other={"player": people.shown(other, to_studio=asker.is_studio), **found.other},
        both=found.both,
        only_player=found.only_player,
        only_other=found.only_other,
        total_count=found.total_count,
    )


def _position(request: Request, kind: str) -> Position | None:
    cursor = request.GET.get("cursor")
    if cursor is None:
        return None
    first, second = decode_cursor(kind, cursor)
    return first, second


def _cursor(kind: str, after: Position | None) -> str | None:
    return None if after is None else encode_cursor(kind, list(after))
