"""How analytics looks in the API."""

from collections.abc import Sequence
from typing import Any

from analytics import tables
from analytics.asking import Asked
from analytics.distributions import Spread, Taken, at_least
from analytics.rules.windows import Span
from analytics.selectors import activity
from analytics.selectors.achievements import Row
from analytics.selectors.activity import Bucket, Region
from analytics.selectors.boards import Row as BoardRow
from analytics.selectors.cohorts import Cohort
from analytics.tables import Step, rounded
from core.clock import rfc3339
from stats.selectors.definitions import StatInfo


def about(asked: Asked) -> dict[str, Any]:
    """Return the window that an answer is of."""
    return {"window": asked.choice.window, **_days(asked.span), "bucket": asked.span.step}


def _days(span: Span) -> dict[str, Any]:
    return {"since": span.since.isoformat(), "until": span.until.isoformat()}


def totals(listed: list[Bucket]) -> dict[str, Any]:
    """Return what a span comes to."""
    total = activity.totals(listed)
    return {
        "active_players_average": rounded(total.active),
        "wau": total.weekly,
        "mau": total.monthly,
        "new_players": total.new,
        "unlocks": total.unlocks,
        "points": total.points,
        "playtime_s": total.playtime_ms // 1000,
    }


def span(of: Span, listed: list[Bucket]) -> dict[str, Any]:
    """Return a span with its buckets."""
    return {**_days(of), "totals": totals(listed), "buckets": [bucket(one) for one in listed]}


def bucket(one: Bucket) -> dict[str, Any]:
    """Return a day, week or month."""
    return {
        "at": one.at.isoformat(),
        "active_players": one.active,
        "wau": one.weekly,
        "mau": one.monthly,
        "new_players": one.new,
        "returning_players": one.returning,
        "unlocks": one.unlocks,
        "points": one.points,
        "playtime_s": one.playtime_ms // 1000,
    }


def achievement(row: Row) -> dict[str, Any]:
    """Return an achievement's figures."""
    timing = row.timing
    return {
        "key": row.achievement.key,
        "name": row.achievement.name,
        "unlocked": row.unlocked,
        "players": row.players,
        "unlocked_percent": rounded(row.percent),
        "tier": row.tier,
        "unlocks": row.in_span,
        "unlocks_before": row.before,
        "sample": timing.players if timing else 0,
        "median_time_s": timing.median_s if timing else None,
        "p90_time_s": timing.p90_s if timing else None,
        "usual_order": timing.order if timing else None,
        "first_unlock_at": rfc3339(timing.first_at) if timing else None,
        "last_unlock_at": rfc3339(timing.last_at) if timing else None,
    }


def cohort(one: Cohort) -> dict[str, Any]:
    """Return a cohort with how many were there on each day after."""
    return {"first_at": one.day.isoformat(), "players": one.players, "retained": list(one.kept)}


def step(one: Step) -> dict[str, Any]:
    """Return a funnel's step."""
    return {
        "key": one.key,
        "name": one.name,
        "players": one.players,
        "percent": rounded(one.percent),
        "percent_of_previous": rounded(one.percent_of_previous),
        "lost": one.lost,
    }


def board(row: BoardRow) -> dict[str, Any]:
    """Return a board's figures."""
    return {"key": row.key, "name": row.name, "scores": row.scores, "scores_before": row.before}


def region(row: Region) -> dict[str, Any]:
    """Return a region's figures."""
    return {
        "region": row.region or None,
        "active_players_average": rounded(row.active),
        "new_players": row.new,
        "unlocks": row.unlocks,
        "points": row.points,
        "playtime_s": row.playtime_ms // 1000,
    }


def distributions(taken: Taken | None, stats: Sequence[StatInfo]) -> dict[str, Any]:
    """Return what was taken of a game; before the first time there is nothing of it."""
    counted = taken.completion if taken else []
    playtime = taken.playtime if taken else None
    values = taken.values if taken else {}
    return {
        "completion": [
            {"achievements": n, "players": players, "players_at_least": more}
            for n, (players, more) in enumerate(zip(counted, at_least(counted), strict=True))
        ],
        "playtime_s": spread(tables.seconds(playtime)) if playtime else None,
        "stats": [
            {"key": one.key, "name": one.name, **spread(values[one.id])} for one in stats if one.id in values
        ],
    }


def spread(of: Spread) -> dict[str, Any]:
    """Return quantiles with their sample, and bars to draw."""
    return {
        "players": of.players,
        "p10": of.p10,
        "p50": of.p50,
        "p90": of.p90,
        "bars": [{"from": least, "to": most, "players": int(players)} for least, most, players in of.bars],
    }
