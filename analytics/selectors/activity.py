"""How many were there, and what they did, by the day, week or month; and by region and by the hour."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from analytics.reading import ask
from analytics.rules.windows import Span


@dataclass(frozen=True, slots=True)
class Bucket:
    """A day, week or month of a game.

    Attributes:
        active: players, each once in the bucket.
        new: of these, who were never there before.
        weekly, monthly: players of the 7 and 30 days that end with the bucket's last day (or with today), each once.

    """

    at: date
    active: int = 0
    new: int = 0
    unlocks: int = 0
    points: int = 0
    playtime_ms: int = 0
    weekly: int = 0
    monthly: int = 0

    @property
    def returning(self) -> int:
        """Of the active ones, who had been there before."""
        return self.active - self.new


@dataclass(frozen=True, slots=True)
class Totals:
    """What a span's buckets come to.

    Attributes:
        active: the buckets' average, unrounded.
        weekly, monthly: those of the last bucket.

    """

    active: float
    new: int
    unlocks: int
    points: int
    playtime_ms: int
    weekly: int
    monthly: int


@dataclass(frozen=True, slots=True)
class Region:
    """A region's part of a span; `active` is the average of its days."""

    region: str
    active: float
    new: int
    unlocks: int
    points: int
    playtime_ms: int


_TABLES = {"day": "analytics_gameday", "week": "analytics_gameweek", "month": "analytics_gamemonth"}
_BUCKETS = """
SELECT at, sum(active)::bigint, sum(new)::bigint, sum(unlocks)::bigint, sum(points)::bigint, sum(playtime_ms)::bigint
  FROM {table} WHERE game_id = $1 AND at BETWEEN $2::date AND $3::date GROUP BY at
"""
_REACH = """
SELECT greatest(day, $2::date), sum(weekly)::bigint, sum(monthly)::bigint
  FROM analytics_reach WHERE game_id = $1 AND day <= $3::date GROUP BY 1 ORDER BY 1
"""


def buckets(game_id: int, span: Span) -> list[Bucket]:
    """Return every step of a span, oldest first; one on which nothing happened is all zeros."""
    sql = _BUCKETS.format(table=_TABLES[span.step])
    counted = {row[0]: row for row in ask(sql, [game_id, span.since, span.until])}
    reach = _reach(game_id, span)
    listed = []
    steps = list(span.steps())
    for at, following in zip(steps, [*steps[1:], span.until + timedelta(days=1)], strict=True):
        last = min(following - timedelta(days=1), span.until)
        row: tuple[Any, ...] = (*counted.get(at, (at, 0, 0, 0, 0, 0)), *reach[last])
        listed.append(Bucket(*row))
    return listed


def _reach(game_id: int, span: Span) -> dict[date, tuple[int, int]]:
    changes = {
        at: (weekly, monthly) for at, weekly, monthly in ask(_REACH, [game_id, span.since, span.until])
    }
    weekly = monthly = 0
    found = {}
    for at in (span.since + timedelta(days=n) for n in range(span.days)):
        change = changes.get(at, (0, 0))
        weekly, monthly = weekly + change[0], monthly + change[1]
        found[at] = weekly, monthly
    return found


def totals(listed: list[Bucket]) -> Totals:
    """Return what buckets come to, one or more."""
    return Totals(
        active=sum(one.active for one in listed) / len(listed),
        new=sum(one.new for one in listed),
        unlocks=sum(one.unlocks for one in listed),
        points=sum(one.points for one in listed),
        playtime_ms=sum(one.playtime_ms for one in listed),
        weekly=listed[-1].weekly,
        monthly=listed[-1].monthly,
    )


_REGIONS = """
SELECT region, sum(active)::bigint, sum(new)::bigint, sum(unlocks)::bigint, sum(points)::bigint,
       sum(playtime_ms)::bigint
  FROM analytics_gameday WHERE game_id = $1 AND at BETWEEN $2::date AND $3::date
 GROUP BY region HAVING sum(active) > 0 ORDER BY 2 DESC, 1
"""


def regions(game_id: int, span: Span) -> list[Region]:
    """Return the regions of a span, busiest first; players without one are in `""`. None where nobody was there."""
    return [
        Region(row[0], row[1] / span.days, *row[2:])
        for row in ask(_REGIONS, [game_id, span.since, span.until])
    ]


_HOURS = "SELECT at, unlocks, points FROM analytics_gamehour WHERE game_id = $1 AND at > $2 AND at <= $3"


def hours(game_id: int, *, until: datetime, count: int) -> list[tuple[datetime, int, int]]:
    """Return `(hour, unlocks, points)` of the last hours up to that of `until`, oldest first, empty ones too."""
    last = until.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    listed = [last - timedelta(hours=ago) for ago in range(count - 1, -1, -1)]
    rows = ask(_HOURS, [game_id, listed[0] - timedelta(hours=1), last])
    counted = {row[0]: (row[1], row[2]) for row in rows}
    return [(at, *counted.get(at, (0, 0))) for at in listed]


_EVER = """
SELECT (SELECT at FROM analytics_gameday WHERE game_id = $1 AND active > 0 ORDER BY at LIMIT 1),
       (SELECT coalesce(sum(new), 0)::bigint FROM analytics_gamemonth WHERE game_id = $1)
"""


def ever(game_id: int) -> tuple[date | None, int]:
    """Return the first day on which anybody was there (None: nobody ever was), and how many players there ever were."""
    first, players = ask(_EVER, [game_id])[0]
    return first, players
