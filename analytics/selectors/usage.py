"""What a studio used, by day and month: from counts, never from what was counted."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from django.core.cache import cache
from django.db.models import Sum
from django.db.models.functions import TruncMonth

from accounts import selectors as accounts
from analytics.keys import used_key
from analytics.models import Usage

DAYS: Final = 14
MONTHS: Final = 6
KEPT_S: Final = 30
# What is shown, in this order; the first three are calls by how they ended.
COLUMNS: Final = ("ok", "refused", "failed", "unlocks", "values", "scores", "players", "new_players")


@dataclass(frozen=True, slots=True)
class Row:
    """A day, or a month by its first day, with its counts in the order of COLUMNS."""

    begin: date
    counts: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Used:
    """What a studio used, the newest first; `as_of` is when it was read."""

    days: tuple[Row, ...]
    months: tuple[Row, ...]
    as_of: datetime


def used(studio_id: int, *, at: datetime) -> Used:
    """Return what a studio used in the last days and months (UTC), at most KEPT_S old."""
    key = used_key(studio_id)
    found: Used | None = cache.get(key)
    if found is None:
        found = Used(_days(studio_id, at.date()), _months(studio_id, at.date()), at)
        cache.set(key, found, KEPT_S)
    return found


def _days(studio_id: int, today: date) -> tuple[Row, ...]:
    first = today - timedelta(days=DAYS - 1)
    counts: dict[date, dict[str, int]] = defaultdict(dict)
    for day, kind, n in Usage.objects.filter(studio_id=studio_id, day__gte=first).values_list(
        "day", "kind", "count"
    ):
        counts[day][kind] = n
    for (day, ending), n in accounts.calls_by_day(studio_id, since=first).items():
        counts[day][ending] = n
    return tuple(_row(day, counts[day]) for day in (today - timedelta(days=n) for n in range(DAYS)))


def _months(studio_id: int, today: date) -> tuple[Row, ...]:
    begins = [today.replace(day=1)]
    while len(begins) < MONTHS:
        begins.append((begins[-1] - timedelta(days=1)).replace(day=1))
    counts: dict[date, dict[str, int]] = defaultdict(dict)
    rows = Usage.objects.filter(studio_id=studio_id, day__gte=begins[-1]).exclude(kind=Usage.Kind.PLAYERS)
    by_month = rows.annotate(month=TruncMonth("day")).values_list("month", "kind").annotate(n=Sum("count"))
    for month, kind, n in by_month:
        counts[month]["players" if kind == Usage.Kind.PLAYERS_MONTH else kind] = n
    for (day, ending), n in accounts.calls_by_day(studio_id, since=begins[-1]).items():
        month = counts[day.replace(day=1)]
        month[ending] = month.get(ending, 0) + n
    return tuple(_row(begin, counts[begin]) for begin in begins)


def _row(begin: date, counts: Mapping[str, int]) -> Row:
    return Row(begin, tuple(counts.get(name, 0) for name in COLUMNS))
