"""What is taken of a whole game now and then, as it is kept: quantiles, their sample sizes, and bars to draw.

Quantiles are values that occur: the smallest that at least such a share does not exceed (nearest rank).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import accumulate
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Spread:
    """How something is spread among players.

    Attributes:
        players: the sample.
        bars: `[from, up to, players]` each, of equal widths; the last one holds all that is more. None of no players.

    """

    players: int
    p10: float
    p50: float
    p90: float
    bars: list[list[float]]


@dataclass(frozen=True, slots=True)
class Timing:
    """When an achievement is unlocked, by players who count for rarity.

    Attributes:
        players: the sample.
        median_s, p90_s: seconds from the first sign of a player in the game.
        order: the median of its place among a player's unlocks, from 1 on.

    """

    players: int
    first_at: datetime
    last_at: datetime
    median_s: int
    p90_s: int
    order: int


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken of a game.

    Attributes:
        timings: by the achievement's internal id; without those that nobody holds.
        completion: how many players hold exactly 0, 1, 2 … achievements.
        playtime: in milliseconds; None if nobody's is known.
        values: by the stat's internal id.

    """

    as_of: datetime
    timings: dict[int, Timing]
    completion: list[int]
    playtime: Spread | None
    values: dict[int, Spread]

    @classmethod
    def read(cls, figures: dict[str, Any], as_of: datetime) -> Self:
        """Read it as `written` wrote it."""
        return cls(
            as_of,
            {
                int(pk): Timing(n, _time(first), _time(last), *rest)
                for pk, (n, first, last, *rest) in figures["timings"].items()
            },
            figures["completion"],
            Spread(*figures["playtime"]) if figures["playtime"] else None,
            {int(pk): Spread(*spread) for pk, spread in figures["values"].items()},
        )

    def written(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "timings": {
                str(pk): [
                    one.players,
                    one.first_at.isoformat(),
                    one.last_at.isoformat(),
                    one.median_s,
                    one.p90_s,
                    one.order,
                ]
                for pk, one in self.timings.items()
            },
            "completion": self.completion,
            "playtime": _listed(self.playtime) if self.playtime else None,
            "values": {str(pk): _listed(spread) for pk, spread in self.values.items()},
        }


def at_least(counted: Sequence[int]) -> list[int]:
    """Return how many players hold 0 or more, 1 or more … of how many hold exactly so many."""
    return list(accumulate(reversed(counted)))[::-1]


def _listed(spread: Spread) -> list[Any]:
    return [spread.players, spread.p10, spread.p50, spread.p90, spread.bars]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
