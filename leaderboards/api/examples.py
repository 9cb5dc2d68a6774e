"""Examples of what the leaderboards' operations take and answer, for the OpenAPI schema."""

from drf_spectacular.utils import OpenApiExample

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
    "rank_delta": 12,
}
_EXAMPLE_PERIOD = {"id": "all", "span": "all", "state": "open", "starts_at": None, "ends_at": None}
_EXAMPLE_FINAL = {
    "id": "2026-W47",
    "span": "week",
    "state": "final",
    "starts_at": "2026-11-16T00:00:00.000Z",
    "ends_at": "2026-11-23T00:00:00.000Z",
    "players": 1000,
    "finalised_at": "2026-11-23T00:15:04.210Z",
    "standings_hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}
PERIOD_EXAMPLE = OpenApiExample("A final period", _EXAMPLE_FINAL, response_only=True)
PERIODS_EXAMPLE = OpenApiExample(
    "One", {"results": [_EXAMPLE_FINAL], "next_cursor": None, "has_next_page": False}, response_only=True
)
STANDINGS_EXAMPLE = OpenApiExample(
    "A file",
    "rank,player_id,region,score,reached_at,metadata\r\n"
    "1,019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b11,EU,81.250,2026-11-20T18:02:11.120431Z,\r\n",
    response_only=True,
    media_type="text/csv",
)
_EXAMPLE_PAGE = {
    "board": "points",
    "period": _EXAMPLE_PERIOD,
    "total_count": 1,
    "exact": True,
    "results": [_EXAMPLE_ROW],
    "next_cursor": None,
    "has_next_page": False,
    "as_of": "2026-11-23T12:30:00.000Z",
}
PAGE_EXAMPLE = OpenApiExample("A page", _EXAMPLE_PAGE, response_only=True)
AROUND_EXAMPLE = OpenApiExample("A page", {**_EXAMPLE_PAGE, "me": _EXAMPLE_ROW}, response_only=True)
_EXAMPLE_RANK = {"rank": 17, "score": 1240, "percentile": 98.4, "exact": True, "total_count": 1000}
RANK_EXAMPLE = OpenApiExample("A rank", {**_EXAMPLE_RANK, "rank_delta": 12}, response_only=True)
_EXAMPLE_SNAPSHOT = {
    "id": "019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b11",
    "taken_at": "2026-11-23T12:25:00.000Z",
    "period": "all",
    "players": 1000,
}
SNAPSHOTS_EXAMPLE = OpenApiExample(
    "One", {"results": [_EXAMPLE_SNAPSHOT], "next_cursor": None, "has_next_page": False}, response_only=True
)
SNAPSHOT_EXAMPLE = OpenApiExample(
    "A snapshot",
    {
        **_EXAMPLE_SNAPSHOT,
        "results": [
            {name: _EXAMPLE_ROW[name] for name in ("rank", "player", "score", "submitted_at")},
        ],
    },
    response_only=True,
)
HISTORY_EXAMPLE = OpenApiExample(
    "Two moments",
    {
        "window": "7d",
        "points": [
            {"at": "2026-11-22T12:25:00.000Z", "rank": 29, "score": 1100},
            {"at": "2026-11-23T12:25:00.000Z", "rank": 17, "score": 1240},
        ],
    },
    response_only=True,
)
WHAT_IF_EXAMPLE = OpenApiExample(
    "A rank", {"rank": 18, "score": 1200, "total_count": 1000, "exact": True}, response_only=True
)
RANKS_EXAMPLE = OpenApiExample(
    "One board",
    {
        "results": [{"board": "points", "name": "Points", "period": _EXAMPLE_PERIOD, **_EXAMPLE_RANK}],
        "next_cursor": None,
        "has_next_page": False,
    },
    response_only=True,
)
_EXAMPLE_EVENT = "019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b11"
_EXAMPLE_SPANS = [{"span": "day", "period": "2026-11-25", "counted": True, "score": 81.25, "new_best": True}]
_EXAMPLE_SCORE = {"player": "p-1", "score": 81.25, "metadata": {"ship": "Heron"}}
SCORE_EXAMPLES = [
    OpenApiExample("A score", _EXAMPLE_SCORE, request_only=True),
    OpenApiExample(
        "Stored",
        {"event_id": _EXAMPLE_EVENT, "status": "submitted", "spans": _EXAMPLE_SPANS},
        response_only=True,
        status_codes=["202"],
    ),
]
BATCH_EXAMPLES = [
    OpenApiExample("One", {"scores": [_EXAMPLE_SCORE]}, request_only=True),
    OpenApiExample(
        "Stored",
        {
            "submitted": 1,
            "already_submitted": 0,
            "rejected": 0,
            "results": [{"event_id": _EXAMPLE_EVENT, "status": "submitted", "spans": _EXAMPLE_SPANS}],
        },
        response_only=True,
    ),
]
