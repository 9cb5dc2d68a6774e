"""What follows for a game's counts from the days on which one player was there. Pure; days are numbers since 1970.

Every count is a sum over players, and a player's part follows from the set of his days alone. So days may become known
in any order: what changes is what follows from the days after, less what followed from those before.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from typing import Final, Literal

WEEK: Final = 7
MONTH: Final = 30
LAST_AGE: Final = 30
# A day's part depends on days this far before and after it, and those of the first month on the first day.
NEAR: Final = 31

Kind = Literal["active", "new", "week", "week_new", "month", "month_new", "weekly", "monthly", "cohort"]
Key = tuple[Kind, int] | tuple[Kind, int, str | int]
_SPANS: Final[tuple[tuple[Kind, int], ...]] = (("weekly", WEEK), ("monthly", MONTH))
_EPOCH: Final = date(1970, 1, 1)


def day_of(number: int) -> date:
    """Return the date of a day's number."""
    return _EPOCH + timedelta(days=number)


def number_of(day: date) -> int:
    """Return a date's number."""
    return (day - _EPOCH).days


def week_of(number: int) -> int:
    """Return the Monday of a day's week."""
    return number - (number + 3) % 7  # 1970 began on a Thursday


def month_of(number: int) -> int:
    """Return the first day of a day's month."""
    return number - day_of(number).day + 1


def parts(days: Mapping[int, str], first: int | None) -> Counter[Key]:
    """Return a player's part of each count, of the days given with their regions.

    Args:
        days: those days that are looked at.
        first: the first of all his days; None if he has none.

    Returns:
        Of `active` and `new` by day and region; of `week`, `month` and their new ones by the period's first day; of
        `weekly` and `monthly` by how much the players of the last 7 and 30 days change on a day; of `cohort` by first
        day and age. Nothing of no days.

    """
    counted: Counter[Key] = Counter()
    ordered = sorted(days)
    for day in ordered:
        counted["active", day, days[day]] = 1
    for week in {week_of(day) for day in ordered}:
        counted["week", week] = 1
    for month in {month_of(day) for day in ordered}:
        counted["month", month] = 1
    for kind, length in _SPANS:
        for begin, end in _reached(ordered, length):
            counted[kind, begin] += 1
            counted[kind, end] -= 1
    if first is not None and first in days:
        counted["new", first, days[first]] = 1
        counted["week_new", week_of(first)] = 1
        counted["month_new", month_of(first)] = 1
    if first is not None:
        for day in ordered:
            if first <= day <= first + LAST_AGE:
                counted["cohort", first, day - first] = 1
    return counted


def _reached(ordered: list[int], length: int) -> Iterator[tuple[int, int]]:
    """Yield from when until before when somebody counts as active within `length` days, without overlaps."""
    begin = end = None
    for day in ordered:
        if begin is None or end is None:
            begin, end = day, day + length
        elif day <= end:
            end = day + length
        else:
            yield begin, end
            begin, end = day, day + length
    if begin is not None and end is not None:
        yield begin, end


def changes(
    before: Mapping[int, str], after: Mapping[int, str], *, first_before: int | None, first_after: int | None
) -> Counter[Key]:
    """Return what changes in a game's counts when a player's days near the changed ones change. Zeros are left out."""
    changed = parts(after, first_after)
    changed.subtract(parts(before, first_before))
    return Counter({key: n for key, n in changed.items() if n})


def looked_at(changed: Iterable[int], *firsts: int | None) -> list[tuple[int, int]]:
    """Return the spans of days, both ends included, that `changes` needs when those days come or go."""
    spans = [(day - NEAR, day + NEAR) for day in changed]
    return spans + [(first, first + LAST_AGE) for first in firsts if first is not None]
