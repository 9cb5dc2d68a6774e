"""How fast somebody came on, and whether that was faster than a rule allows in any minute (ADR 0068). Pure.

A report says how far a player is by now. What came since the one before may have come at any moment between the two, so
he was too fast only if no way of playing explains the reports: if more came between any two of them than the minutes
allow that can have begun in between.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

MINUTE_S: Final = 60
SECOND_US: Final = 1_000_000
# What came with a first report took as long as it may, and at most two seconds less than a minute: a second report
# right behind it is of the same minute.
_FIRST_MINUTE_S: Final = MINUTE_S - 2
# A report that waits for locks comes a moment late; one that is later than this tells of what was before.
_LATE_S: Final = 5

Mark = tuple[int, int]  # in which second, and how far he was by then


@dataclass(frozen=True, slots=True)
class Fastest:
    """The most that came within a time.

    Attributes:
        seconds: within which it came at the longest; 0 for one report.
        until_us: when it was reached.

    """

    steps: int
    seconds: int
    until_us: int

    def most(self, a_minute: int) -> int:
        """Return how much may have come in that time by a rule."""
        return a_minute * _minutes(self.seconds)

    def breaks(self, a_minute: int) -> bool:
        """Say whether it was too fast for a rule."""
        return self.steps > self.most(a_minute)

    def is_faster_than(self, other: "Fastest | None") -> bool:
        """Say whether it is further beyond any rule."""
        return other is None or self.steps * _minutes(other.seconds) > other.steps * _minutes(self.seconds)


@dataclass(frozen=True, slots=True)
class Way:
    """What is kept of how somebody came as far as he is.

    Attributes:
        a_minute: the rule that it was judged by.
        current: how far he was at last.
        marks: by time, earlier reports that still bind him, at most one for each second of a minute, and the last one.
        fastest: what was furthest beyond the rule; None while nothing was.

    """

    a_minute: int
    current: int
    marks: tuple[Mark, ...]
    fastest: Fastest | None = None


def advance(
    way: Way | None, *, a_minute: int, before: int, after: int, at_us: int, since_us: int | None = None
) -> Way:
    """Return a way after a report that brought its player from `before` to `after`; back, too, if a stat may fall.

    Marks that are about something else (another rule, steps that nobody looked at) are forgotten. Then the time counts
    from `since_us`, when he was found at `before`; without that it is a first report, which has a minute. Of whoever
    was set back to nothing everything is forgotten.
    """
    if way is not None and before == 0 != way.current:
        way = None
    kept = None if way is None or way.fastest is None or not way.fastest.breaks(a_minute) else way.fastest
    at_s, gained = at_us // SECOND_US, after - before
    alone = Fastest(gained, 0, at_us)
    if way is not None and (way.a_minute, way.current) == (a_minute, before):
        marks = way.marks
    elif since_us is not None:
        marks = ((min(since_us, at_us) // SECOND_US, before),)
    else:
        took_s = _FIRST_MINUTE_S * min(max(gained, 0), a_minute) // a_minute
        begun = ((at_s - took_s, before),)
        return Way(
            a_minute, after, _binding((*begun, (at_s, after)), a_minute), _worst([alone], a_minute, kept)
        )
    last_s = marks[-1][0]
    if at_s < last_s - _LATE_S:
        # Nobody knows any more what was known then: it has a minute, and is no hurry of what came after it.
        raised = tuple((second, count + gained) for second, count in marks)
        return Way(a_minute, after, raised, _worst([alone], a_minute, kept))
    at_us = max(at_us, last_s * SECOND_US)
    ends_s = -(-at_us // SECOND_US)
    found = [Fastest(after - count, ends_s - second, at_us) for second, count in marks]
    marks = _binding((*marks, (at_us // SECOND_US, after)), a_minute)
    return Way(a_minute, after, marks, _worst(found, a_minute, kept))


def _minutes(seconds: int) -> int:
    """Return how many minutes, each with what it may have, can lie in a time: what came at once was in one."""
    return max(1, -(-seconds // MINUTE_S))


def _worst(found: Iterable[Fastest], a_minute: int, kept: Fastest | None) -> Fastest | None:
    for one in found:
        if one.breaks(a_minute) and one.is_faster_than(kept):
            kept = one
    return kept


def _binding(marks: tuple[Mark, ...], a_minute: int) -> tuple[Mark, ...]:
    """Return the marks that may still bind, and at the end the one of now, which the marks that are given end with.

    Each minute that passes lets a mark allow as much more as the rule says: it binds like one of the last minute, but
    higher, and of those in the same second only the lowest does. What allows more than is reached now binds nobody.
    """
    now = now_s, current = marks[-1]
    lowest: dict[int, tuple[int, Mark]] = {}
    for mark in marks[:-1]:
        second, count = mark
        worth = count + (now_s - second) // MINUTE_S * a_minute
        place = second % MINUTE_S
        if worth < current and (place not in lowest or worth < lowest[place][0]):
            lowest[place] = worth, mark
    return (*sorted(mark for _, mark in lowest.values()), now)
