"""A goal of stats as rows of a form, and back."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from django.utils.translation import gettext

from achievements.portal.numbers import number, number_text
from core import strict_json
from core.refusals import Refused

DRIVEN: Final = ("reports", "stat", "all", "any", "sum", "written")
_SPARE = 2
_LEAST = 3


@dataclass(frozen=True, slots=True)
class Row:
    """A condition as it is typed: of a sum `factor` counts, of all others `bound` and `threshold`."""

    stat: str = ""
    bound: str = "at_least"
    threshold: str = ""
    factor: str = "1"

    @property
    def is_empty(self) -> bool:
        """Whether nothing is typed."""
        return not self.stat and not self.threshold.strip()


@dataclass(frozen=True, slots=True)
class Shown:
    """How a form shows what drives an achievement; `bound` and `threshold` are those of a sum."""

    driven: str = "reports"
    rows: tuple[Row, ...] = ()
    bound: str = "at_least"
    threshold: str = ""
    written: str = ""


def shown(stat: str | None, goal: Mapping[str, Any] | None) -> Shown:
    """Return how a form shows it; a goal that rows can't say is written out as JSON."""
    if goal is None:
        return Shown("stat" if stat else "reports")
    for name in ("all", "any"):
        parts = goal.get(name)
        if parts is not None and len(parts) > 1 and all("stat" in part for part in parts):
            return Shown(name, tuple(_row(part) for part in parts))
    if "stat" in goal:
        return Shown("all", (_row(goal),))
    if "sum" in goal:
        bound = _bound(goal)
        rows = tuple(Row(key, factor=str(factor)) for key, factor in goal["sum"].items())
        return Shown("sum", rows, bound, number_text(goal[bound]))
    return Shown("written", written=json.dumps(goal, ensure_ascii=False, indent=2))


def read(driven: str, rows: Iterable[Row], *, bound: str, threshold: str, written: str) -> Any:
    """Return what was typed as the API takes a goal, for its rules to judge.

    Raises:
        ValueError: a sum names a stat twice, which JSON can't say.

    """
    filled = [row for row in rows if not row.is_empty]
    if driven == "written":
        return _parsed(written)
    if driven == "sum":
        if len({row.stat for row in filled}) < len(filled):
            raise ValueError(gettext("The sum names a stat twice: name each once."))
        return {"sum": {row.stat: number(row.factor) for row in filled}, bound: number(threshold)}
    parts = [{"stat": row.stat, row.bound: number(row.threshold)} for row in filled]
    return parts[0] if len(parts) == 1 else {driven: parts}


def with_spares(rows: Sequence[Row]) -> list[Row]:
    """Return rows with empty ones to type in."""
    return [*rows, *(Row() for _ in range(max(_SPARE, _LEAST - len(rows))))]


def _row(condition: Mapping[str, Any]) -> Row:
    bound = _bound(condition)
    return Row(condition["stat"], bound, number_text(condition[bound]))


def _bound(condition: Mapping[str, Any]) -> str:
    return "at_most" if "at_most" in condition else "at_least"


def _parsed(text: str) -> Any:
    """Return JSON as strict as the API's; what is none stays the text, which no rule takes."""
    try:
        return strict_json.loads(text.encode())
    except Refused:
        return text
