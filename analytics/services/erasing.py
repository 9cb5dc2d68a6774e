"""A person is erased: nothing is counted of him any more (ADR 0047)."""

from analytics import counts
from analytics.services import counting
from core.persons import Person, Taken


def finish(person: Person) -> Taken:
    """Take a person's days out of the counts, if any came behind the listener, inside the caller's transaction."""
    counts.heard()  # the listener waits, or this for it
    return Taken(counting.erase(person.player_ids, studio_id=person.only_studio))
