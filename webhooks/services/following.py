"""The follower: facts become rows that are to be delivered, in the transaction that moves the cursor."""

from collections.abc import Sequence

from core.facts import Fact
from webhooks import announcing, queue, selectors

FOLLOWER = "webhooks"
KINDS = frozenset(announcing.BY_KIND)
STUDIOS = selectors.LISTENING_STUDIOS  # most have no endpoint: their facts need not be fetched


def apply_facts(facts: Sequence[Fact]) -> None:
    """Queue what studios' endpoints are to be told; applying a fact again adds nothing."""
    listeners = selectors.listeners(fact.studio_id for fact in facts if fact.studio_id is not None)
    if listeners:
        queue.add(announcing.messages(facts, listeners))
