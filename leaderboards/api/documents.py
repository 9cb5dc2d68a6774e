"""What the leaderboards' operations take and answer, for the OpenAPI schema; answers are rendered from plain values."""

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from core.endpoint import LIMIT, MAX_LIMIT, whole

TAGS = ["Leaderboards"]
ABOUT_PAGES = (
    "The best score first; of equals, who reached it first. Ranks follow the board's tie rule, also across pages: "
    "`shared` (1, 2, 2, 4; the `points` boards' rule), `dense` (1, 2, 2, 3) or `earliest` (1, 2, 3, 4). Walk a board "
    "by `cursor`: players who don't change meanwhile are met exactly once. Public: without a credential an answer may "
    "be a minute old, with one it is of this moment. A credential sees its own studio's games only; a server key also "
    "sees its own ids for the players."
)
AROUND_LIMIT = 11
DEEPEST = 10**9
PERIOD_STATES = ["open", "finalising", "final"]


class BoardPlayer(serializers.Serializer[Any]):
    """A player on a board; whom the caller may not see has a place and no name."""

    id = serializers.UUIDField(allow_null=True)
    external_id = serializers.CharField(
        required=False, help_text="Your own id for the player: only with a server key of yours."
    )
    display_name = serializers.CharField()
    region = serializers.CharField()
    avatar_url = serializers.CharField()


class BoardRow(serializers.Serializer[Any]):
    """A place on a board."""

    rank = serializers.IntegerField(help_text="By the board's tie rule.")
    player = BoardPlayer()
    score = serializers.FloatField(help_text="Whole on boards without decimals.")
    submitted_at = serializers.DateTimeField(
        help_text="When the score was reached. Of equals the earliest is first."
    )
    metadata = serializers.JSONField(allow_null=True, help_text="What was sent beside the score.")
    rank_delta = serializers.IntegerField(
        allow_null=True, help_text="How many places higher than a day ago; null where that is not known."
    )


class Period(serializers.Serializer[Any]):
    """The span of time that a board is about; `points` boards have one, for all time."""

    id = serializers.CharField(help_text="`all`, `2026-11-25`, `2026-W48`, `2026-11`, or a start in UTC.")
    span = serializers.ChoiceField(["all", "day", "week", "month", "cron"])
    state = serializers.ChoiceField(PERIOD_STATES)
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)


class PeriodOutput(Period):
    """A period with what became of it."""

    players = serializers.IntegerField(allow_null=True, help_text="In the final standings; null before.")
    finalised_at = serializers.DateTimeField(allow_null=True)
    standings_hash = serializers.CharField(
        allow_null=True, help_text="SHA-256 of the final standings' file, in hex; null before."
    )


class PeriodPage(serializers.Serializer[Any]):
    """A page of periods."""

    results = PeriodOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_next_page = serializers.BooleanField()


class BoardPage(serializers.Serializer[Any]):
    """A page of a board, read at one moment."""

    board = serializers.CharField()
    period = Period()
    total_count = serializers.IntegerField(help_text="How many players are on the board.")
    exact = serializers.BooleanField(help_text="False where a very large board's ranks are estimated.")
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
    score = serializers.FloatField()
    percentile = serializers.FloatField(
        help_text="The percent of the board's players who are ranked the same or lower, oneself included."
    )
    exact = serializers.BooleanField()
    total_count = serializers.IntegerField()


class RankWithDelta(PlayerRank):
    """Where a player stands, and how far he rose."""

    rank_delta = serializers.IntegerField(allow_null=True, help_text="How many places higher than a day ago.")


class SnapshotOutput(serializers.Serializer[Any]):
    """A kept look at a board."""

    id = serializers.UUIDField()
    taken_at = serializers.DateTimeField()
    period = serializers.CharField()
    players = serializers.IntegerField(help_text="On the board at that time.")


class SnapshotPage(serializers.Serializer[Any]):
    """A page of snapshots."""

    results = SnapshotOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_next_page = serializers.BooleanField()


class SnapshotRow(serializers.Serializer[Any]):
    """A place on a board at the time of a snapshot."""

    rank = serializers.IntegerField()
    player = BoardPlayer()
    score = serializers.FloatField()
    submitted_at = serializers.DateTimeField()


class SnapshotWithRows(SnapshotOutput):
    """A snapshot with its rows."""

    results = SnapshotRow(many=True)


class RankPoint(serializers.Serializer[Any]):
    """Where a player stood at a moment."""

    at = serializers.DateTimeField()
    rank = serializers.IntegerField()
    score = serializers.FloatField()


class RankHistory(serializers.Serializer[Any]):
    """A player's ranks over time, oldest first."""

    window = serializers.CharField()
    points = RankPoint(many=True)


class WhatIf(serializers.Serializer[Any]):
    """What rank a score would have."""

    rank = serializers.IntegerField()
    score = serializers.FloatField()
    total_count = serializers.IntegerField(help_text="How many players are on the board, without it.")
    exact = serializers.BooleanField()


class BoardRank(PlayerRank):
    """Where a player stands on one of a game's boards."""

    board = serializers.CharField()
    name = serializers.CharField()
    period = Period()


class PlayerRanks(serializers.Serializer[Any]):
    """A page of the boards of a game that a player is on."""

    results = BoardRank(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_next_page = serializers.BooleanField()


class ScoreItem(serializers.Serializer[Any]):
    """A score, as documented; `leaderboards.api.scores` reads it."""

    player = serializers.CharField(max_length=128, help_text="Your id for the player.")
    score = serializers.FloatField(
        help_text="A number with as many decimals as the board keeps, read exactly."
    )
    metadata = serializers.JSONField(required=False, help_text="An object of at most 4 KiB.")
    event_id = serializers.UUIDField(
        required=False, help_text="Your id for the event: it counts once, however often it is sent."
    )
    achieved_at = serializers.DateTimeField(
        required=False,
        help_text="When it happened: a late score counts for its own period within the grace. One from before the "
        "board began is refused (409).",
    )


class ScoreBatch(serializers.Serializer[Any]):
    """Up to 1,000 scores for one board."""

    scores = ScoreItem(many=True)


class SpanOutput(serializers.Serializer[Any]):
    """What a submission came to in one span."""

    span = serializers.ChoiceField(["all", "day", "week", "month", "cron"])
    period = serializers.CharField()
    counted = serializers.BooleanField(help_text="False where the period is final.")
    score = serializers.FloatField(allow_null=True, help_text="What the player holds there now.")
    new_best = serializers.BooleanField()


class ScoreOutput(serializers.Serializer[Any]):
    """What a submission came to."""

    event_id = serializers.UUIDField()
    status = serializers.ChoiceField(["submitted", "already_submitted"])
    spans = SpanOutput(many=True)


class ScoreResult(serializers.Serializer[Any]):
    """What one item of a batch came to."""

    event_id = serializers.UUIDField(allow_null=True)
    status = serializers.ChoiceField(["submitted", "already_submitted", "rejected"])
    spans = SpanOutput(many=True, required=False)
    problem = serializers.DictField(required=False)


class ScoreBatchOutput(serializers.Serializer[Any]):
    """What each item came to, in the order sent."""

    submitted = serializers.IntegerField()
    already_submitted = serializers.IntegerField()
    rejected = serializers.IntegerField()
    results = ScoreResult(many=True)


def _query(name: str, about: str, kind: Any = OpenApiTypes.STR, **more: Any) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=about, **more)


def _path(name: str, about: str) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.STR, OpenApiParameter.PATH, description=about)


GAME = _path("game_id", "The game's id; `global` for the board over all games.")
BOARD = _path("board", "The board's key. Every game has the built-in board `points`.")
PLAYER = _path(
    "player", "Your id for the player, `me` with a player token, or `id:<uuid>`, which needs no credential."
)
OWN_PLAYER = _path("player", "Your id for the player, `me` with a player token, or `id:<uuid>`.")
PERIOD = _path("period", "The period's id, `current` or `previous`.")
SPAN = _query("span", "Which of the board's spans `period` is about; its main one if not given.")
NARROWED = [
    _query(
        "region",
        "Only players of this region: one that the game declares (else 422); any on the global board.",
    ),
    _query(
        "period",
        "`current`, `previous`, or a period's id. A `points` board has one period, `all`; 404 for others.",
    ),
    SPAN,
]
SNAPSHOT = _path("snapshot", "The snapshot's id.")
FROM = _query("from", "Only those taken at this time or later (RFC 3339).", OpenApiTypes.DATETIME)
TO = _query("to", "Only those taken before this time (RFC 3339).", OpenApiTypes.DATETIME)
WINDOWS = {"1d": 1, "7d": 7, "30d": 30, "90d": 90}  # days
WINDOW = _query("window", "How far back.", enum=list(WINDOWS), default="7d")
GAME_QUERY = _query("game_id", "The game's id.")
SCORE = _query(
    "score", "The score, with as many decimals as the board keeps.", OpenApiTypes.NUMBER, required=True
)
PAGED = [
    LIMIT,
    _query("cursor", "Go on behind the page whose `next_cursor` this is; scores may have changed meanwhile."),
    _query(
        "friends_of",
        "Only this player and his friends, ranked among themselves: with his token, or a server key of his studio.",
    ),
    whole(
        "offset",
        "Leave out so many places. Not together with `cursor`.",
        default=0,
        lowest=0,
        highest=DEEPEST,
    ),
    *NARROWED,
]
CENTRED = [
    whole("limit", "How many rows.", default=AROUND_LIMIT, lowest=1, highest=MAX_LIMIT),
    *NARROWED,
]
