"""Examples of analytics' answers, for the OpenAPI schema."""

from analytics.api.documents import example

_WINDOW = {"window": "30d", "since": "2026-10-24", "until": "2026-11-22", "bucket": "day"}
_AS_OF = {"as_of": "2026-11-22T14:25:00.000Z"}
_TOTALS = {
    "active_players_average": 2884.3,
    "wau": 9120,
    "mau": 21406,
    "new_players": 7312,
    "unlocks": 248117,
    "points": 4120350,
    "playtime_s": 61200450,
}
_DAY = {
    "at": "2026-11-22",
    "active_players": 3184,
    "wau": 9120,
    "mau": 21406,
    "new_players": 231,
    "returning_players": 2953,
    "unlocks": 8921,
    "points": 151220,
    "playtime_s": 2210400,
}
OVERVIEW = example(
    "Thirty days, of which one is shown",
    {**_WINDOW, "totals": _TOTALS, "buckets": [_DAY], "before": None, **_AS_OF},
)
ACHIEVEMENTS = example(
    "The first of a game's achievements",
    {
        **_WINDOW,
        "results": [
            {
                "key": "storm-debt",
                "name": "Storm Debt",
                "unlocked": 21646,
                "players": 48210,
                "unlocked_percent": 44.9,
                "tier": "uncommon",
                "unlocks": 3120,
                "unlocks_before": 2990,
                "sample": 21646,
                "median_time_s": 7500,
                "p90_time_s": 24000,
                "usual_order": 4,
                "first_unlock_at": "2026-03-01T18:20:11.000Z",
                "last_unlock_at": "2026-11-22T14:23:51.120Z",
            }
        ],
        "next_cursor": None,
        "has_next_page": False,
        "times_as_of": "2026-11-22T14:15:00.000Z",
        **_AS_OF,
    },
)
RETENTION = example(
    "A day's cohort, four days later",
    {
        **_WINDOW,
        "cohorts": [
            {"first_at": "2026-11-18", "players": 1188, "retained": [1188, 570, 427, 344, *[None] * 27]}
        ],
        "average_percent": [100.0, 47.98, 35.94, 28.96, *[None] * 27],
        **_AS_OF,
    },
)
FUNNEL = example(
    "Two steps",
    {
        "steps": [
            {
                "key": "first-spark",
                "name": "First Spark",
                "players": 44064,
                "percent": 100.0,
                "percent_of_previous": 100.0,
                "lost": 0,
            },
            {
                "key": "storm-debt",
                "name": "Storm Debt",
                "players": 21646,
                "percent": 49.12,
                "percent_of_previous": 49.12,
                "lost": 22418,
            },
        ],
        **_AS_OF,
    },
)
BOARDS = example(
    "One board",
    {
        **_WINDOW,
        "results": [{"key": "fastest-run", "name": "Fastest run", "scores": 5120, "scores_before": 4875}],
        **_AS_OF,
    },
)
REGIONS = example(
    "One region",
    {
        **_WINDOW,
        "results": [
            {
                "region": "EU",
                "active_players_average": 1520.4,
                "new_players": 3911,
                "unlocks": 130022,
                "points": 2160110,
                "playtime_s": 31450200,
            }
        ],
        **_AS_OF,
    },
)
DISTRIBUTIONS = example(
    "A game with one stat",
    {
        "completion": [
            {"achievements": 0, "players": 4146, "players_at_least": 48210},
            {"achievements": 1, "players": 44064, "players_at_least": 44064},
        ],
        "playtime_s": {
            "players": 48210,
            "p10": 640.0,
            "p50": 18200.0,
            "p90": 151000.0,
            "bars": [{"from": 12.0, "to": 7880.0, "players": 17300}],
        },
        "stats": [
            {
                "key": "kills",
                "name": "Kills",
                "players": 40112,
                "p10": 3.0,
                "p50": 118.0,
                "p90": 1204.0,
                "bars": [{"from": 0.0, "to": 80.0, "players": 15020}],
            }
        ],
        "as_of": "2026-11-22T14:15:00.000Z",
    },
)
