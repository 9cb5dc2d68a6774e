"""A player's points over time, drawn by `core/curve.py`."""

from collections.abc import Sequence
from datetime import date

from core import curve
from core.curve import Curve


def points_curve(days: Sequence[tuple[date, int]], *, span: str = "") -> Curve | None:
    """Draw the points that a player had at the end of each day; fewer than two days make no curve.

    `span` says how long that is where it is not as many days: of a year each week has its first day.
    """
    if len(days) < 2:
        return None
    first, last = days[0][1], days[-1][1]
    change = f"from {first:,} to {last:,}" if first != last else f"unchanged at {last:,}"
    return curve.curve(
        days,
        sentence=f"Points over {span or f'{len(days)} days'}, {change}",
        label=_short,
        day_text=lambda day: f"{day.day} {day:%b}",
    )


def _short(value: int, grid: Sequence[int]) -> str:
    in_thousands = grid[-1] >= 10_000 and (grid[1] - grid[0]) % 100 == 0
    return f"{value / 1000:.1f}k" if in_thousands else f"{value:,}"
