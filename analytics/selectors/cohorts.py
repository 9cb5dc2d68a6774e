"""Who came back: the players of each first day, by how many days later they were there."""

from dataclasses import dataclass
from datetime import date, timedelta

from analytics.reading import ask
from analytics.rules.attendance import LAST_AGE
from analytics.rules.windows import Span

AGES = range(LAST_AGE + 1)


@dataclass(frozen=True, slots=True)
class Cohort:
    """The players who came first on a day.

    Attributes:
        kept: how many were there so many days later, from 0 to 30; None for days that are not over.

    """

    day: date
    players: int
    kept: tuple[int | None, ...]

    def percent(self, age: int) -> float | None:
        """Return how many percent of them were there; None where nobody knows yet, or nobody came."""
        there = self.kept[age]
        return None if there is None or not self.players else 100 * there / self.players


_COHORTS = """
SELECT cohort, age, players FROM analytics_retention
 WHERE game_id = $1 AND cohort BETWEEN $2::date AND $3::date AND players > 0
"""


def cohorts(game_id: int, *, since: date, until: date, today: date) -> list[Cohort]:
    """Return the cohort of each day, oldest first, empty ones too. A day counts once it is over, and day 0 at once."""
    counted = {(row[0], row[1]): row[2] for row in ask(_COHORTS, [game_id, since, until])}
    listed = []
    for n in range((until - since).days + 1):
        day = since + timedelta(days=n)
        over = (today - day).days
        kept = tuple(counted.get((day, age), 0) if age < over or age == 0 else None for age in AGES)
        listed.append(Cohort(day, kept[0] or 0, kept))
    return listed


_STEPS = """
SELECT date_trunc($4::text, cohort)::date, age, sum(players)::bigint FROM analytics_retention
 WHERE game_id = $1 AND cohort BETWEEN $2::date AND $3::date AND players > 0 GROUP BY 1, 2
"""


def steps(game_id: int, span: Span, *, today: date) -> list[Cohort]:
    """Return the cohort of each step of a span, oldest first, empty ones too: weeks and months are their days' sums.

    What is not over for one of its days is None for the step.
    """
    rows = ask(_STEPS, [game_id, span.since, span.until, span.step])
    counted = {(row[0], row[1]): row[2] for row in rows}
    listed, begins = [], list(span.steps())
    for at, following in zip(begins, [*begins[1:], span.until + timedelta(days=1)], strict=True):
        over = (today - following).days + 1
        kept = tuple(counted.get((at, age), 0) if age < over or age == 0 else None for age in AGES)
        listed.append(Cohort(at, kept[0] or 0, kept))
    return listed


def average(listed: list[Cohort]) -> list[float | None]:
    """Return by age how many percent of all players were there, of the cohorts for which that is known."""
    found: list[float | None] = []
    for age in AGES:
        known = [one for one in listed if one.kept[age] is not None]
        players = sum(one.players for one in known)
        found.append(100 * sum(one.kept[age] or 0 for one in known) / players if players else None)
    return found
