"""What the leaderboards' operations take and answer, for the OpenAPI schema; answers are rendered from plain values."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework import serializers

from core.endpoint import DEFAULT_LIMIT, MAX_LIMIT

TAGS = ["Leaderboards"]
ABOUT_PAGES = (
    "Most points first; of equals, who reached them first. Equal scores share a rank and the next is skipped "
    "(1, 2, 2, 4), also across pages. Walk a board by `cursor`: players who don't change meanwhile are met exactly "
    "once. Public: without a credential an answer may be a minute old, with one it is of this moment. A credential "
    "sees its own studio's games only; a server key also sees its own ids for the players."
)
AROUND_LIMIT = 11


class BoardPlayer(serializers.Serializer[Any]):
    """A player on a board."""

    id = serializers.UUIDField()
    external_id = serializers.CharField(
        required=False, help_text="Your own id for the player: only with a server key of yours."
    )
    display_name = serializers.CharField()
    region = serializers.CharField()
    avatar_url = serializers.CharField()


class BoardRow(serializers.Serializer[Any]):
    """A place on a board."""

    rank = serializers.IntegerField(
        help_text="Equal scores share a rank and the next is skipped: 1, 2, 2, 4."
    )
    player = BoardPlayer()
    score = serializers.IntegerField()
    submitted_at = serializers.DateTimeField(
        help_text="When the score was reached. Of equals the earliest is first."
    )
    metadata = serializers.JSONField(allow_null=True)


class Period(serializers.Serializer[Any]):
    """The span of time that a board is about; `points` boards have one, for all time."""

    id = serializers.CharField()
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)


class BoardPage(serializers.Serializer[Any]):
    """A page of a board, read at one moment."""

    board = serializers.CharField()
    period = Period()
    total_count = serializers.IntegerField(help_text="How many players are on the board.")
    results = BoardRow(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_next_page = serializers.BooleanField()
    as_of = serializers.DateTimeField()


class AroundPage(BoardPage):
    """A page with a player in the middle."""

    me = BoardRow(allow_null=True, help_text="The player's own row; null when not on the board.")


class PlayerRank(serializers.Serializer[Any]):
    """Where a player stands."""

    rank = serializers.IntegerField()
    score = serializers.IntegerField()
    percentile = serializers.FloatField(
        help_text="The percent of the board's players who are ranked the same or lower, oneself included."
    )
    exact = serializers.BooleanField()
    total_count = serializers.IntegerField()


_EXAMPLE_ROW = {
    "rank": 1,
    "player": {
        "id": "019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b11",
        "display_name": "Ada",
        "region": "EU",
        "avatar_url": "",
    },
    "score": 1240,
    "submitted_at": "2026-11-23T12:26:00.123Z",
    "metadata": None,
}
_EXAMPLE_PAGE = {
    "board": "points",
    "period": {"id": "all", "starts_at": None, "ends_at": None},
    "total_count": 1,
    "results": [_EXAMPLE_ROW],
    "next_cursor": None,
    "has_next_page": False,
    "as_of": "2026-11-23T12:30:00.000Z",
}
PAGE_EXAMPLE = OpenApiExample("A page", _EXAMPLE_PAGE, response_only=True)
AROUND_EXAMPLE = OpenApiExample("A page", {**_EXAMPLE_PAGE, "me": _EXAMPLE_ROW}, response_only=True)
RANK_EXAMPLE = OpenApiExample(
    "A rank",
    {"rank": 17, "score": 1240, "percentile": 98.4, "exact": True, "total_count": 1000},
    response_only=True,
)


def _query(name: str, about: str, kind: Any = OpenApiTypes.STR, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=about, **more)


def _path(name: str, about: str) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.STR, OpenApiParameter.PATH, description=about)


GAME = _path("game_id", "The game's id; `global` for the board over all games.")
BOARD = _path("board", "The board's key. Every game has the built-in board `points`.")
PLAYER = _path(
    "player", "Your id for the player, `me` with a player token, or `id:<uuid>`, which needs no credential."
)
NARROWED = [
    _query(
        "region",
        "Only players of this region: one that the game declares (else 422); any on the global board.",
    ),
    _query("period", "`current`, or a period's id. A `points` board has one period, `all`; 404 for others."),
]
PAGED = [
    _query("limit", f"Rows a page, 1 to {MAX_LIMIT}.", OpenApiTypes.INT, default=DEFAULT_LIMIT),
    _query("cursor", "Go on behind the page whose `next_cursor` this is; scores may have changed meanwhile."),
    _query("offset", "Leave out so many places. Not together with `cursor`.", OpenApiTypes.INT, default=0),
    *NARROWED,
]
CENTRED = [
    _query("limit", f"Rows, 1 to {MAX_LIMIT}.", OpenApiTypes.INT, default=AROUND_LIMIT),
    *NARROWED,
]
