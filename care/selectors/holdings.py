"""What somebody has of one game: its achievements as they are for him, his stats, and how much he played."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from achievements.selectors import definitions, progress, unlocks
from achievements.selectors.definitions import Definition
from achievements.selectors.unlocks import HeldUnlock
from history.selectors import trends
from stats.selectors import definitions as declared
from stats.selectors import persons as stats

MOST_STATS = 500
TREND = "30d"


@dataclass(frozen=True, slots=True)
class Had:
    """An achievement as it is for somebody; `steps` and `target` of one that counts."""

    definition: Definition
    held: HeldUnlock | None
    steps: int = 0
    target: int = 0

    @property
    def percent(self) -> float:
        """How far it is."""
        return 100 * self.steps / self.target if self.target > 0 else 0.0


def achievements(
    player_id: int, game_id: int, *, query: str, which: str, offset: int, limit: int
) -> tuple[list[Had], int]:
    """Return a page of a game's achievements as they are for somebody, and how many fit; in six queries at most.

    Those that he has come first, the newest at the top, then the others in their order; drafts and archived ones only
    where he has them. `which` is `unlocked`, `locked` or anything else for both.
    """
    catalogue = definitions.fresh_catalogue(game_id)
    held = unlocks.unlocks_of(player_id, game_id=game_id)
    wanted = [one for one in catalogue.by_key.values() if one.is_published or one.id in held]
    if which in ("unlocked", "locked"):
        wanted = [one for one in wanted if (one.id in held) == (which == "unlocked")]
    fitting = [one for one in wanted if _fits(one, query.casefold())]
    fitting.sort(key=lambda one: -held[one.id].unlocked_at.timestamp() if one.id in held else 0.0)
    listed = fitting[offset : offset + limit]
    standing = progress.standing(player_id, catalogue, listed)
    rows = []
    for one in listed:
        steps, target = progress.steps(standing, one, catalogue.goals.get(one.id), unlocked=one.id in held)
        counts = one.is_incremental
        rows.append(Had(one, held.get(one.id), steps if counts else 0, target if counts else 0))
    return rows, len(fitting)


def _fits(definition: Definition, query: str) -> bool:
    return not query or any(query in text.casefold() for text in (definition.key, definition.name))


@dataclass(frozen=True, slots=True)
class Value:
    """What somebody holds of a stat; `reached_at` is None for a declared default."""

    key: str
    name: str
    aggregation: str
    archived: bool
    value: Decimal | None
    reached_at: datetime | None


def values(studio_id: int, player_id: int, game_id: int) -> list[Value]:
    """Return a game's stats with what somebody holds of each, in two queries; archived ones only where he holds one."""
    held = {one.key: one for one in stats.held(studio_id, player_id, game_ids=[game_id], limit=MOST_STATS)}
    rows = []
    for stat in list(declared.fresh_stats(game_id).values())[:MOST_STATS]:
        own = held.get(stat.key)
        if own is None and stat.archived:
            continue
        rows.append(
            Value(
                stat.key,
                stat.name,
                stat.rule.aggregation,
                stat.archived,
                own.value if own else stat.rule.start,
                own.reached_at if own else None,
            )
        )
    return rows


@dataclass(frozen=True, slots=True)
class Day:
    """How much somebody played on a day of his own."""

    date: date
    seconds: float
    percent: float


def days_played(player_id: int, time_zone: str, game_ids: Iterable[int], *, at: datetime) -> Sequence[Day]:
    """Return how much somebody played on each of the last thirty days, the newest first, in one query."""
    trend = trends.trend(
        player_id=player_id, time_zone=time_zone, metric="playtime", window=TREND, at=at, game_ids=game_ids
    )
    most = max((value for _at, value in trend.points), default=0) or 1
    return [Day(day.date(), value, 100 * value / most) for day, value in reversed(trend.points)]
