"""The windows that analytics shows, in days of UTC. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, Literal

Step = Literal["day", "week", "month"]
_DAY: Final = timedelta(days=1)
DAYS: Final = {"7d": 7, "30d": 30, "90d": 90, "365d": 52 * 7}
WINDOWS: Final = (*DAYS, "all")


@dataclass(frozen=True, slots=True)
class Span:
    """Days from one to another, both included, and in what steps they are shown.

    `since` is the first day of a step; a year is 52 weeks, of which the last may not be over.
    """

    name: str
    since: date
    until: date
    step: Step

    @property
    def days(self) -> int:
        """How many days it holds."""
        return (self.until - self.since).days + 1

    def before(self) -> "Span | None":
        """Return the equally long span before; None before all time.

        Of a year it is the 52 weeks before, whole ones.
        """
        if self.name == "all":
            return None
        length = timedelta(days=DAYS[self.name])
        last = self.since - _DAY
        return Span(self.name, self.since - length, last, self.step)

    def steps(self) -> Iterator[date]:
        """Yield the first day of each step, in order."""
        at = self.since
        while at <= self.until:
            yield at
            at = following(self.step, at)


def following(step: Step, at: date) -> date:
    """Return the first day of the next step."""
    if step == "month":
        return (at.replace(day=1) + timedelta(days=32)).replace(day=1)
    return at + timedelta(days=7 if step == "week" else 1)


def span(window: str, *, until: date, first: date | None = None) -> Span:
    """Return the span of a window that ends with a day.

    Args:
        window: one of WINDOWS.
        until: its last day.
        first: the first day of which anything is known, for all time.

    Raises:
        KeyError: no such window.

    """
    if window == "all":
        return Span(window, min(first or until, until).replace(day=1), until, "month")
    length = DAYS[window]
    if window == "365d":
        monday = until - until.weekday() * _DAY
        return Span(window, monday - timedelta(days=length - 7), until, "week")
    return Span(window, until - timedelta(days=length - 1), until, "day")
