"""A person is erased: nothing is counted of him any more (ADR 0047)."""

from collections.abc import Sequence
from functools import partial

from analytics import counts
from analytics.services import counting, usage
from core.persons import Person, Taken, Takes


def look(person: Person) -> Takes:
    """Look for days of a person that came behind the listener: it has taken out the others."""
    games = counts.games_of(person.player_ids, studio_id=person.only_studio)
    return partial(_take_out, person, games, usage.days_of(person.player_ids, studio_id=person.only_studio))


def _take_out(person: Person, games: Sequence[int], days: Sequence[usage.Day]) -> Taken:
    if not games and not days:
        return Taken()
    counts.heard()  # the listener waits, or this for it
    return Taken(counting.erase_found(person.player_ids, games=games, days=days))
