"""What a board is asked for and what it answers: the same shapes from Valkey and from PostgreSQL."""

from dataclasses import dataclass
from typing import NamedTuple

from leaderboards import rules


class Row(NamedTuple):
    """A player on a board. `reached_us` is when the score was reached, in microseconds since 1970."""

    player_id: int
    score: int
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
        total: how many players are on the board.
        first_place: the place of the first row, from 0; `total` or more when there are none.
        before: how many players are ranked before the first row's score.

    """

    total: int
    first_place: int
    before: int
    rows: list[Row]

    @property
    def ranks(self) -> list[int]:
        """The rank of each row."""
        scores = [row.score for row in self.rows]
        return rules.shared_ranks(scores, first_place=self.first_place, before=self.before)

    @property
    def goes_on(self) -> bool:
        """Whether the board has more behind the last row."""
        return bool(self.rows) and self.first_place + len(self.rows) < self.total


@dataclass(frozen=True, slots=True)
class Rank:
    """Where a player stands; `tied` if others have the same score."""

    rank: int
    score: int
    total_count: int
    tied: bool

    @property
    def percentile(self) -> float:
        """The percent of the board's players who are ranked the same or lower, oneself included."""
        return rules.percentile(rank=self.rank, total=self.total_count)


def first_place_around(place: int, *, size: int, total: int) -> int:
    """Return where a page of `size` begins that has a place in its middle; full at the ends where there are enough."""
    return min(max(0, total - size), max(0, place - (size - 1) // 2))
