"""Which submissions are looked at before they count: pure. Smaller sort values are better, as everywhere here."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

LEAST_PLAYERS: Final = 30  # of fewer the spread says nothing
LOWEST_Z: Final = 1
HIGHEST_Z: Final = 100


@dataclass(frozen=True, slots=True)
class Spread:
    """How the sort values of a period are spread."""

    players: int
    mean: float
    deviation: float


def broken(
    sort_value: int, *, bound: int | None, most_z: float | None, spread: Spread | None
) -> tuple[dict[str, Any], ...]:
    """Return which rules a submission breaks, with the figures that say so; empty if it is plausible.

    `bound` is a sort value: what is better than it is looked at.
    """
    found: list[dict[str, Any]] = []
    if bound is not None and sort_value < bound:
        found.append({"rule": "bound", "score": sort_value, "bound": bound})
    if most_z is None or spread is None or spread.players < LEAST_PLAYERS or spread.deviation <= 0:
        return tuple(found)
    z = (spread.mean - sort_value) / spread.deviation
    if z > most_z:
        found.append(
            {
                "rule": "zscore",
                "score": sort_value,
                "z": round(z, 2),
                "most": most_z,
                "mean": round(spread.mean),
                "players": spread.players,
            }
        )
    return tuple(found)


def clean_z(value: object) -> float | None:
    """Return how many standard deviations, None for no rule. Raises ValueError."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not LOWEST_Z <= value <= HIGHEST_Z:
        raise ValueError(f"It is a number from {LOWEST_Z} to {HIGHEST_Z}, or null.")
    return round(float(value), 2)
