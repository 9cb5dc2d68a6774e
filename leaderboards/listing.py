"""What a board is asked for and what it answers: the same shapes from Valkey and from PostgreSQL."""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from leaderboards.rules import ranks
from leaderboards.rules.ranks import TieBreak


class Row(NamedTuple):
    """A player on a board.

    `sort_value` is the score as boards sort it, smallest first; `reached_us` is when it was reached, in microseconds
    since 1970.
    """

    player_id: int
    sort_value: int
    reached_us: int


@dataclass(frozen=True, slots=True)
class FromOffset:
    """A page that leaves out so many places."""

    offset: int


@dataclass(frozen=True, slots=True)
class Behind:
    """A page that begins behind a row, whether or not it is still there."""

    row: Row


@dataclass(frozen=True, slots=True)
class Around:
    """A page with a player in the middle, or as near to it as the ends allow; the end for one who is not on it."""

    player_id: int


Where = FromOffset | Behind | Around


@dataclass(frozen=True, slots=True)
class Listing:
    """Consecutive rows of a board, read at one moment.

    Attributes:
        tie_break: the board's tie rule.
        total: how many players are on the board.
        first_place: the place of the first row, from 0; `total` or more when there are none.
        before: how many players are ranked before the first row's score.
        scores_before: how many different scores are better than the first row's; 0 unless the rule is `dense`.
        exact: whether places and ranks are; beyond a configured size they are estimated (leaderboards/estimating.py).

    """

    tie_break: TieBreak
    total: int
    first_place: int
    before: int
    rows: list[Row]
    scores_before: int = 0
    exact: bool = True

    @property
    def ranks(self) -> list[int]:
        """The rank of each row."""
        return ranks.ranks(
            [row.sort_value for row in self.rows],
            tie_break=self.tie_break,
            first_place=self.first_place,
            before=self.before,
            scores_before=self.scores_before,
        )

    @property
    def goes_on(self) -> bool:
        """Whether the board has more behind the last row."""
        return bool(self.rows) and self.first_place + len(self.rows) < self.total


@dataclass(frozen=True, slots=True)
class Rank:
    """Where a player stands.

    Attributes:
        rank: by the board's tie rule.
        sort_value: the score as boards sort it.
        reached_us: when it was reached.
        total_count: how many players are on the board.
        tied: others have the same score.
        before: how many players have a better score.
        exact: whether it is, as in `Listing`.

    """

    rank: int
    sort_value: int
    reached_us: int
    total_count: int
    tied: bool
    before: int
    exact: bool = True

    @property
    def score(self) -> int:
        """The points, on boards where more is better."""
        return -self.sort_value

    @property
    def percentile(self) -> float:
        """The percent of the board's players whose score is the same or worse, oneself included."""
        return ranks.percentile(rank=self.before + 1, total=self.total_count)


@dataclass(frozen=True, slots=True)
class Place:
    """What rank a score would have that came now; `before` and `total_count` as in `Rank`, without it."""

    rank: int
    before: int
    total_count: int
    exact: bool = True


def first_place_around(place: int, *, size: int, total: int) -> int:
    """Return where a page of `size` begins that has a place in its middle; full at the ends where there are enough."""
    return min(max(0, total - size), max(0, place - (size - 1) // 2))


def among_themselves(
    tie_break: TieBreak, rows: Iterable[Row], where: FromOffset | Behind, *, limit: int
) -> Listing:
    """Return a page of rows, in any order, ranked as if nobody else were on the board."""
    ordered = sorted(rows, key=position)
    if isinstance(where, Behind):
        offset = bisect_right(ordered, position(where.row), key=position)
    else:
        offset = min(where.offset, len(ordered))
    shown = ordered[offset : offset + limit]
    better = [row for row in ordered if shown and row.sort_value < shown[0].sort_value]
    return Listing(
        tie_break,
        total=len(ordered),
        first_place=offset,
        before=len(better),
        rows=shown,
        scores_before=len({row.sort_value for row in better}),
    )


def position(row: Row) -> tuple[int, int, int]:
    """Return what rows are sorted by."""
    return row.sort_value, row.reached_us, row.player_id
