"""How scores are written for people, by the board's format: pure and exact."""

from decimal import Decimal
from typing import Final

from leaderboards.rules import ranks
from leaderboards.rules.ranks import TieBreak
from leaderboards.rules.scores import exact

EXAMPLE: Final = (90, 80, 80, 70)
"""Scores by which a tie rule is shown."""


def shown(units: int, *, decimals: int, format: str) -> str:
    """Return a kept score as people write it: `12,345.60`, `1:23.456`, `12.5%`."""
    value = exact(units, decimals=decimals)
    if format == "time_ms":
        return _time(value.scaleb(-3), decimals=decimals + 3)
    if format == "time_s":
        return _time(value, decimals=decimals)
    return f"{value:,.{decimals}f}" + ("%" if format == "percent" else "")


def example_ranks(tie_break: TieBreak) -> tuple[int, ...]:
    """Return the ranks of EXAMPLE by a tie rule."""
    order = [-score for score in EXAMPLE]
    return tuple(ranks.ranks(order, tie_break=tie_break, first_place=0, before=0))


def _time(seconds: Decimal, *, decimals: int) -> str:
    sign = "-" if seconds < 0 else ""
    whole, rest = divmod(abs(seconds), 60)
    if not whole:
        return f"{sign}{rest:.{decimals}f} s"
    hours, minutes = divmod(int(whole), 60)
    width = 3 + decimals if decimals else 2
    tail = f"{rest:0{width}.{decimals}f}"
    return f"{sign}{hours:,}:{minutes:02d}:{tail}" if hours else f"{sign}{minutes}:{tail}"
