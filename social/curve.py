"""The geometry of a player's points over time: a step line in two widths, drawn by the server."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import floor, log10

_LEFT, _RIGHT_MARGIN, _TOP, _BASE = 56, 14, 20, 112
_FLOOR = 124  # where the filled area ends, a little below the lowest grid line
_WIDE, _NARROW = 560, 320
_GRID_LINES = 4
_TICKS = {_WIDE: 4, _NARROW: 3}


@dataclass(frozen=True, slots=True)
class Label:
    """A text at a place; `anchor` is SVG's text-anchor."""

    x: float
    y: float
    text: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """The curve in one width, as SVG attributes."""

    width: int
    line: str
    area: str
    grid: tuple[str, ...]
    labels: tuple[Label, ...]
    end_x: float
    end_y: float


@dataclass(frozen=True, slots=True)
class Curve:
    """A player's points day by day: what a reader sees, hears, and finds in the table."""

    sentence: str
    wide: Drawing
    narrow: Drawing
    days: tuple[tuple[date, int], ...]


def points_curve(days: Sequence[tuple[date, int]], *, span: str = "") -> Curve | None:
    """Draw the points that a player had at the end of each day; fewer than two days make no curve.

    `span` says how long that is where it is not as many days: of a year each week has its first day.
    """
    if len(days) < 2:
        return None
    first, last = days[0][1], days[-1][1]
    change = f"from {first:,} to {last:,}" if first != last else f"unchanged at {last:,}"
    return Curve(
        sentence=f"Points over {span or f'{len(days)} days'}, {change}",
        wide=_draw(days, _WIDE),
        narrow=_draw(days, _NARROW),
        days=tuple(days),
    )


def _draw(days: Sequence[tuple[date, int]], width: int) -> Drawing:
    values = [points for _, points in days]
    grid = _grid(min(values), max(values))
    right = width - _RIGHT_MARGIN
    step = (right - _LEFT) / (len(days) - 1)
    xs = [_LEFT + n * step for n in range(len(days))]
    ys = [_y(value, grid) for value in values]
    line = f"M{xs[0]:.0f} {ys[0]:.1f}" + "".join(
        f"H{x:.1f}V{y:.1f}" for x, y in zip(xs[1:], ys[1:], strict=True)
    )
    return Drawing(
        width=width,
        line=line,
        area=f"{line}V{_FLOOR}H{_LEFT}Z",
        grid=tuple(f"M{_LEFT} {_y(value, grid):.0f}H{right}" for value in grid),
        labels=_value_labels(grid) + _day_labels(days, xs, _TICKS[width]),
        end_x=right,
        end_y=round(ys[-1], 1),
    )


def _grid(lowest: int, highest: int) -> list[int]:
    """Return round values from at most `lowest` to at least `highest`, equally far apart."""
    rough = max(1.0, (highest - lowest) / (_GRID_LINES - 1))
    magnitude = 10 ** floor(log10(rough))
    for factor in (1, 2, 2.5, 5, 10, 20):
        gap = int(factor * magnitude)
        start = lowest // gap * gap if gap else 0
        if gap >= rough and start + gap * (_GRID_LINES - 1) >= highest:
            return [start + gap * n for n in range(_GRID_LINES)]
    raise AssertionError("20 times the magnitude always spans the values")


def _y(value: int, grid: list[int]) -> float:
    return _BASE - (value - grid[0]) * (_BASE - _TOP) / (grid[-1] - grid[0])


def _value_labels(grid: list[int]) -> tuple[Label, ...]:
    return tuple(Label(_LEFT - 10, round(_y(value, grid) + 4), _short(value, grid), "end") for value in grid)


def _short(value: int, grid: list[int]) -> str:
    in_thousands = grid[-1] >= 10_000 and (grid[1] - grid[0]) % 100 == 0
    return f"{value / 1000:.1f}k" if in_thousands else f"{value:,}"


def _day_labels(days: Sequence[tuple[date, int]], xs: Sequence[float], ticks: int) -> tuple[Label, ...]:
    last = len(days) - 1
    places = sorted({round(n * last / (ticks - 1)) for n in range(ticks)})
    return tuple(
        Label(
            round(xs[n], 1),
            146,
            "Today" if n == last else f"{days[n][0].day} {days[n][0]:%b}",
            {0: "start", last: "end"}.get(n, "middle"),
        )
        for n in places
    )
