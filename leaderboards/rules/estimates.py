"""Places on very large boards, from every n-th position of their order: pure functions.

A *sketch* holds the positions at the places step, 2 × step, … of an order as it was a moment ago. A place is looked up
between two of them, so it is off by less than a step, and by one for each change since.
Source: the equi-depth histogram of query planners (Piatetsky-Shapiro & Connell, SIGMOD 1984).
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

STEPS: Final = 1000  # of a sketch: a place is off by a thousandth of the board
CHANGES_PER_MILLE: Final = 2  # of the board's players, after which a sketch is made anew
Position = tuple[int, int, int]  # sort value, reached µs, player


@dataclass(frozen=True, slots=True)
class Sketch:
    """An order in steps.

    Attributes:
        players: how many there were.
        step: how many places lie between two positions.
        positions: those of the places step, 2 × step, …, from 0.
        scores_before: how many different scores were better than each position's.
        scores: how many different scores there were.

    """

    players: int
    step: int
    positions: Sequence[Position]
    scores_before: Sequence[int]
    scores: int

    def place(self, position: Position) -> int:
        """Return about which place a position has, from 0."""
        return self._between(bisect_right(self.positions, position))

    def before(self, sort_value: int) -> int:
        """Return about how many players have a better score."""
        return self.place((sort_value, -1, -1))

    def different(self, sort_value: int) -> int:
        """Return about how many different scores are better."""
        marks = [0, *self.scores_before, self.scores]
        index = bisect_right(self.positions, (sort_value, -1, -1))
        return (marks[index] + marks[index + 1]) // 2

    def start(self, place: int) -> tuple[Position | None, int]:
        """Return the last known position at or before a place, None for the beginning, and the place that it had."""
        index = min(place // self.step, len(self.positions))
        return (self.positions[index - 1] if index else None), index * self.step

    def _between(self, index: int) -> int:
        """Return the middle of what lies before the index-th position."""
        first, end = index * self.step, min((index + 1) * self.step, self.players)
        return min((first + end) // 2, self.players)


def step_of(players: int) -> int:
    """Return how many places lie between two positions of a sketch."""
    return max(1, players // STEPS)


def is_stale(*, players: int, changes: int) -> bool:
    """Say whether so much changed since a sketch was made that it must be made anew."""
    return changes * 1000 > players * CHANGES_PER_MILLE
