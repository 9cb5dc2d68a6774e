"""What analytics shows as tables of plain values, for files: the API's and the pages' are the same."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from analytics.distributions import Spread, Taken, at_least
from analytics.selectors.achievements import Row
from analytics.selectors.activity import Bucket, Region
from analytics.selectors.boards import Row as BoardRow
from analytics.selectors.cohorts import AGES, Cohort
from core.csv_files import Cell


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its head; `name` goes into the file's name."""

    name: str
    head: Sequence[str]
    rows: Iterable[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Step:
    """A funnel's step: an achievement, and how many players went so far."""

    key: str
    name: str
    players: int
    first: int
    before: int

    @property
    def percent(self) -> float | None:
        """How many percent of those who made the first step; None if nobody did."""
        return 100 * self.players / self.first if self.first else None

    @property
    def percent_of_previous(self) -> float | None:
        """How many percent of those who made the step before; None if nobody did."""
        return 100 * self.players / self.before if self.before else None

    @property
    def percent_before(self) -> float | None:
        """How many percent of the first step made the one before."""
        return 100 * self.before / self.first if self.first else None

    @property
    def lost(self) -> int:
        """How many made the step before and not this one."""
        return self.before - self.players

    @property
    def lost_percent(self) -> float | None:
        """How many percent of those who made the step before; None if nobody did."""
        return 100 * self.lost / self.before if self.before else None


def steps(named: Iterable[tuple[str, str]], reached: Sequence[int]) -> list[Step]:
    """Return a funnel's steps, of `(key, name)` and how many reached each."""
    before = [*reached[:1], *reached]
    return [
        Step(key, name, reached[n], first=reached[0], before=before[n]) for n, (key, name) in enumerate(named)
    ]


_BUCKET = (
    "at",
    "active_players",
    "new_players",
    "returning_players",
    "wau",
    "mau",
    "unlocks",
    "points",
    "playtime_s",
)


def _cells(one: Bucket) -> list[Cell]:
    figures = (one.active, one.new, one.returning, one.weekly, one.monthly, one.unlocks, one.points)
    return [one.at, *figures, one.playtime_ms // 1000]


def overview(listed: Sequence[Bucket], before: Sequence[Bucket] | None) -> Table:
    """Return a line for each step; beside it those of the span before, if it is given."""
    if before is None:
        return Table("overview", _BUCKET, (_cells(one) for one in listed))
    head = (*_BUCKET, *(f"before_{name}" for name in _BUCKET))
    rows = ([*_cells(one), *_cells(other)] for one, other in zip(listed, before, strict=True))
    return Table("overview", head, rows)


def achievements(rows: Iterable[Row]) -> Table:
    """Return a line for each achievement."""
    head = (
        *("key", "name", "unlocked", "players", "unlocked_percent", "unlocks", "unlocks_before"),
        *("sample", "median_time_s", "p90_time_s", "usual_order", "first_unlock_at", "last_unlock_at"),
    )
    return Table("achievements", head, (_achievement(row) for row in rows))


def _achievement(row: Row) -> list[Cell]:
    timing = row.timing
    times: list[Cell] = (
        [0, None, None, None, None, None]
        if timing is None
        else [timing.players, timing.median_s, timing.p90_s, timing.order, timing.first_at, timing.last_at]
    )
    about: list[Cell] = [row.achievement.key, row.achievement.name, row.unlocked, row.players]
    return [*about, rounded(row.percent), row.in_span, row.before, *times]


def retention(listed: Iterable[Cohort]) -> Table:
    """Return a line for each first day (week, month), with how many were there on each day after."""
    head = ("first_at", "players", *(f"day_{age}" for age in AGES))
    return Table("retention", head, ([one.day, one.players, *one.kept] for one in listed))


def funnel(listed: Iterable[Step]) -> Table:
    """Return a line for each step."""
    head = ("step", "key", "name", "players", "percent", "percent_of_previous", "lost")
    rows = (
        [n, one.key, one.name, one.players, rounded(one.percent), rounded(one.percent_of_previous), one.lost]
        for n, one in enumerate(listed, start=1)
    )
    return Table("funnel", head, rows)


def boards(rows: Iterable[BoardRow]) -> Table:
    """Return a line for each board."""
    return Table(
        "leaderboards",
        ("key", "name", "scores", "scores_before"),
        ([row.key, row.name, row.scores, row.before] for row in rows),
    )


def regions(rows: Iterable[Region]) -> Table:
    """Return a line for each region."""
    head = ("region", "active_players_average", "new_players", "unlocks", "points", "playtime_s")
    return Table(
        "regions",
        head,
        (
            [row.region, rounded(row.active), row.new, row.unlocks, row.points, row.playtime_ms // 1000]
            for row in rows
        ),
    )


def quantiles(taken: Taken | None, named: Iterable[tuple[int, str, str]]) -> Table:
    """Return a line for playtime in seconds, and one for each stat `(id, key, name)`."""
    head = ("measure", "key", "name", "players", "p10", "p50", "p90")
    rows: Iterable[Sequence[Cell]] = (
        [measure, key, name, spread.players, spread.p10, spread.p50, spread.p90]
        for measure, key, name, spread in _spreads(taken, named)
    )
    return Table("quantiles", head, rows)


def bars(taken: Taken | None, named: Iterable[tuple[int, str, str]]) -> Table:
    """Return a line for each bar of playtime in seconds and of each stat `(id, key, name)`."""
    head = ("measure", "key", "name", "from", "to", "players")
    rows: Iterable[Sequence[Cell]] = (
        [measure, key, name, least, most, int(players)]
        for measure, key, name, spread in _spreads(taken, named)
        for least, most, players in spread.bars
    )
    return Table("bars", head, rows)


def completion(taken: Taken | None) -> Table:
    """Return how many players hold exactly so many achievements, and at least so many."""
    counted = taken.completion if taken else []
    rows = ([n, *both] for n, both in enumerate(zip(counted, at_least(counted), strict=True)))
    return Table("completion", ("achievements", "players", "players_at_least"), rows)


def _spreads(
    taken: Taken | None, named: Iterable[tuple[int, str, str]]
) -> list[tuple[str, str, str, Spread]]:
    if taken is None:
        return []
    found = [("stat", key, name, taken.values[pk]) for pk, key, name in named if pk in taken.values]
    return [("playtime", "", "", seconds(taken.playtime)), *found] if taken.playtime else found


def seconds(spread: Spread) -> Spread:
    """Return a spread of milliseconds in seconds."""
    return scaled(spread, 1000)


def scaled(spread: Spread, by: int) -> Spread:
    """Return a spread in a larger unit."""
    return Spread(
        spread.players,
        spread.p10 / by,
        spread.p50 / by,
        spread.p90 / by,
        [[least / by, most / by, players] for least, most, players in spread.bars],
    )


def rounded(value: float | None) -> float | None:
    """Return a number with two decimals at most."""
    return None if value is None else round(value, 2)
