"""What history hears: its rollups follow, and once they are committed the dashboards that show them."""

from collections.abc import Sequence

from django.db import transaction

from core import clock
from core.facts import Fact
from history.services import dashboards, rolling

KINDS = rolling.KINDS | dashboards.KINDS


def apply_facts(facts: Sequence[Fact]) -> None:
    """Add to the rollups, and note whose dashboards changed: again makes no difference."""
    rolling.apply_facts([fact for fact in facts if fact.kind in rolling.KINDS])
    transaction.on_commit(lambda: dashboards.mark(facts, now=clock.now()), robust=True)
