"""The geometry of a figure over time: a step line in two widths, drawn by the server."""

from collections.abc import Callable, Sequence
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
    """A figure day by day, or month by month: what a reader sees, hears, and finds in the table."""

    sentence: str
    wide: Drawing
    narrow: Drawing
    days: tuple[tuple[date, int], ...]


def curve(
    days: Sequence[tuple[date, int]],
    *,
    sentence: str,
    label: Callable[[int, Sequence[int]], str],
    day_text: Callable[[date], str],
    grid: Sequence[int] | None = None,
) -> Curve | None:
    """Draw what a figure was at the end of each day or month, the last one being today; fewer than two make no curve.

    `label` writes a value of the grid, which it is given too; `grid` is made of round values where none is given.
    """
    if len(days) < 2:
        return None
    values = [value for _, value in days]
    lines = list(grid or _grid(min(values), max(values)))
    drawn = [_draw(days, width, lines, label, day_text) for width in (_WIDE, _NARROW)]
    return Curve(sentence=sentence, wide=drawn[0], narrow=drawn[1], days=tuple(days))


def _draw(
    days: Sequence[tuple[date, int]],
    width: int,
    grid: list[int],
    label: Callable[[int, Sequence[int]], str],
    day_text: Callable[[date], str],
) -> Drawing:
    values = [value for _, value in days]
    right = width - _RIGHT_MARGIN
    step = (right - _LEFT) / (len(days) - 1)
    xs = [_LEFT + n * step for n in range(len(days))]
    ys = [_y(value, grid) for value in values]
    line = f"M{xs[0]:.0f} {ys[0]:.1f}" + "".join(
        f"H{x:.1f}V{y:.1f}" for x, y in zip(xs[1:], ys[1:], strict=True)
    )
    floor_y = _FLOOR if grid[0] else _BASE  # nothing is below zero
    return Drawing(
        width=width,
        line=line,
        area=f"{line}V{floor_y}H{_LEFT}Z",
        grid=tuple(f"M{_LEFT} {_y(value, grid):.0f}H{right}" for value in grid),
        labels=_value_labels(grid, label) + _day_labels(days, xs, _TICKS[width], day_text),
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


def _value_labels(grid: list[int], label: Callable[[int, Sequence[int]], str]) -> tuple[Label, ...]:
    return tuple(Label(_LEFT - 10, round(_y(value, grid) + 4), label(value, grid), "end") for value in grid)


def _day_labels(
    days: Sequence[tuple[date, int]], xs: Sequence[float], ticks: int, day_text: Callable[[date], str]
) -> tuple[Label, ...]:
    last = len(days) - 1
    places = sorted({round(n * last / (ticks - 1)) for n in range(ticks)})
    return tuple(
        Label(
            round(xs[n], 1),
            146,
            "Today" if n == last else day_text(days[n][0]),
            {0: "start", last: "end"}.get(n, "middle"),
        )
        for n in places
    )
