"""When a board begins anew: pure functions of a moment, in the time zone that the studio chose.

A *span* is a way of cutting time (`all`, `day`, `week` from Monday, `month`, `cron`), a *period* one piece of it. A
board's main span follows from its `reset`; it may keep further ones beside it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final, Literal
from zoneinfo import ZoneInfo, available_timezones

from cronsim import CronSim, CronSimError

Span = Literal["all", "day", "week", "month", "cron"]
Reset = Literal["never", "daily", "weekly", "monthly", "cron"]
RESETS: Final[dict[Reset, Span]] = {
    "never": "all",
    "daily": "day",
    "weekly": "week",
    "monthly": "month",
    "cron": "cron",
}
EXTRA_SPANS: Final[tuple[Span, ...]] = ("all", "day", "week", "month")
GRACE: Final = timedelta(minutes=15)
ALL_TIME: Final = "all"
_NO_PLACES: Final = ("Factory", "localtime")  # are found beside the zones; the latter is each machine's own
_SHORTEST_CRON: Final = timedelta(hours=1)
_LONGEST_REPEAT: Final = timedelta(hours=4)  # more than any clock went back at once since 1980
_SECOND: Final = timedelta(seconds=1)
_LOOKED_AT: Final = 50  # resets of a cron expression that are compared for the shortest distance


@dataclass(frozen=True, slots=True)
class Window:
    """A period as the calendar has it: its id (unique on its board), from when (inclusive), until when (exclusive)."""

    span: Span
    id: str
    starts_at: datetime | None
    ends_at: datetime | None


def window(span: Span, at: datetime, *, zone: str = "UTC", cron: str = "") -> Window:
    """Return the period of a span that a moment lies in.

    Ids: `all`, `2026-11-25`, `2026-W48` (ISO 8601), `2026-11`, and for `cron` the start in UTC, `20261125T1800Z`.
    """
    if span == "all":
        return Window(span, ALL_TIME, None, None)
    if span == "cron":
        return _cron_window(at, zone=zone, cron=cron)
    local = _day(at, zone)
    if span == "day":
        first, after, name = local, local + timedelta(days=1), local.isoformat()
    elif span == "week":
        first = local - timedelta(days=local.weekday())
        year, week, _ = first.isocalendar()
        after, name = first + timedelta(days=7), f"{year:04d}-W{week:02d}"
    else:
        first = local.replace(day=1)
        after, name = (first + timedelta(days=31)).replace(day=1), f"{first:%Y-%m}"
    return Window(span, name, _begin(first, zone), _begin(after, zone))


def spans_of(reset: Reset, extra: Iterable[Span]) -> tuple[Span, ...]:
    """Return the spans of a board, its main one first, each once."""
    return tuple(dict.fromkeys((RESETS[reset], *extra)))


def clean_zone(value: object) -> str:
    """Return the name of a time zone of the IANA database. Raises ValueError."""
    if not isinstance(value, str) or value not in available_timezones() or value in _NO_PLACES:
        raise ValueError(
            "The time zone is not known: give a name of the IANA database, such as Europe/Berlin."
        )
    return value


def clean_cron(value: object) -> str:
    """Return a cron expression of five fields that fires at most once an hour. Raises ValueError."""
    if not isinstance(value, str) or len(value) > 100 or len(value.split()) != 5:
        raise ValueError("A cron expression has five fields, such as `0 18 * * 5`.")
    text = " ".join(value.split())
    try:
        fires = CronSim(text, datetime(2026, 1, 1, tzinfo=UTC))
        times = [fire for fire, _ in zip(fires, range(_LOOKED_AT), strict=False)]
    except CronSimError as error:
        raise ValueError(f"The cron expression can't be read: {error}.") from None
    if not times[1:]:
        raise ValueError("The cron expression never fires twice: give one that does.")
    if min(later - earlier for earlier, later in pairwise(times)) < _SHORTEST_CRON:
        raise ValueError("The cron expression fires more than once an hour: give one that fires less often.")
    return text


def _day(at: datetime, zone: str) -> date:
    """Return the day that a moment lies in: a day that has begun stays, though clocks go back over its midnight."""
    day = at.astimezone(ZoneInfo(zone)).date()
    return day + timedelta(days=1) if _begin(day + timedelta(days=1), zone) <= at else day


@lru_cache(4096)  # asked at every score, of a few days
def _begin(day: date, zone: str) -> datetime:
    """Return when a day begins."""
    return _moment(datetime.combine(day, time.min), ZoneInfo(zone))


def _moment(local: datetime, zone: ZoneInfo) -> datetime:
    """Return the moment of a local time without a zone: of two the first, of a skipped one that of the skip.

    So a later local time never is an earlier moment, and periods neither overlap nor leave a gap.
    """
    moment = local.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == local:
        return moment
    before, after = local.replace(tzinfo=zone, fold=1).astimezone(UTC), moment  # the skip lies between
    while after - before > _SECOND:
        middle = before + (after - before) // _SECOND // 2 * _SECOND
        has_skipped = middle.astimezone(zone).replace(tzinfo=None) > local
        before, after = (before, middle) if has_skipped else (middle, after)
    return after


def _cron_window(at: datetime, *, zone: str, cron: str) -> Window:
    # Walked without a zone: with one, CronSim repeats and skips resets where clocks change, or never ends.
    place = ZoneInfo(zone)
    local = at.astimezone(place).replace(tzinfo=None)
    resets = (_moment(fire, place) for fire in CronSim(cron, local + _LONGEST_REPEAT, reverse=True))
    starts_at = next(reset for reset in resets if reset <= at)
    resets = (_moment(fire, place) for fire in CronSim(cron, local))
    ends_at = next(reset for reset in resets if reset > at)
    return Window("cron", f"{starts_at:%Y%m%dT%H%MZ}", starts_at, ends_at)
