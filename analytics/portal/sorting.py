"""By what the table of achievements is sorted, by links."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from analytics.portal.state import State
from analytics.selectors.achievements import Row

_NEVER: Final = float("inf")
Key = Callable[[Row], float | str]


def _rise(row: Row) -> float:
    if not row.before:
        return -row.in_span / 1e12  # nothing to compare with: below every rise, above every fall
    return -(row.in_span - row.before) / row.before


# By name: what it is called, and what is first; what is not known is last.
SORTS: Final[dict[str, tuple[Promise, Key]]] = {
    "name": (_("Achievement"), lambda row: row.achievement.name.casefold()),
    "unlocked": (_("Unlocked by"), lambda row: -row.unlocked),
    "median": (_("Median time"), lambda row: row.timing.median_s if row.timing else _NEVER),
    "p90": (_("90% within"), lambda row: row.timing.p90_s if row.timing else _NEVER),
    "order": (_("Usual order"), lambda row: row.timing.order if row.timing else _NEVER),
    "unlocks": (_("Unlocks"), lambda row: -row.in_span),
    "change": (pgettext_lazy("figure", "Change"), _rise),
}
USUAL: Final = "unlocked"


@dataclass(frozen=True, slots=True)
class Sort:
    """A column's head: its link, and whether the table is sorted by it."""

    name: str
    label: Promise
    url: str
    is_here: bool
    order: str


def sorted_rows(rows: list[Row], by: str) -> list[Row]:
    """Return rows sorted; an unknown name is the usual order, and equals stay in it."""
    name = by if by in SORTS else USUAL
    return rows if name == USUAL else sorted(rows, key=SORTS[name][1])


def sorts(here: State) -> dict[str, Sort]:
    """Return the heads of columns by their names."""
    by = here.said.get("sort", USUAL)
    by = by if by in SORTS else USUAL
    down = ("unlocked", "unlocks", "change")
    return {
        name: Sort(
            name,
            label,
            here.here(sort="" if name == USUAL else name, page=""),
            name == by,
            "descending" if name in down else "ascending",
        )
        for name, (label, _key) in SORTS.items()
    }
