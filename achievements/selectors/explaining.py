"""Why an achievement is unlocked or locked for a player, as JSON: for the API, and to be kept with a report."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from achievements.models import State
from achievements.selectors import progress
from achievements.selectors.definitions import Definition, GameCatalogue
from core.clock import rfc3339


def is_secret(definition: Definition) -> bool:
    """Say whether nobody but the studio may know of an achievement that is locked."""
    return definition.hidden or definition.state == State.DRAFT


def trace(
    player_id: int,
    catalogue: GameCatalogue,
    definition: Definition,
    *,
    secrets: Collection[str] = frozenset(),
    at: datetime,
) -> dict[str, Any]:
    """Return the explanation of the API, without the keys of `secrets` that are locked."""
    found = progress.explain(player_id, catalogue, definition, at=at)
    return {
        "achievement": definition.key,
        "type": definition.type,
        "unlocked": found.unlocked_at is not None,
        "unlocked_at": found.unlocked_at and rfc3339(found.unlocked_at),
        "event_id": found.event_id,
        "why_locked": found.why_locked,
        "conditions": [_shown(one, secrets) for one in found.conditions],
    }


def _shown(condition: dict[str, Any], secrets: Collection[str]) -> dict[str, Any]:
    """Return a condition with its times as the API writes them, and without the keys of secrets that are locked."""
    shown = dict(condition)
    if shown.get("achievement") in secrets and not shown["met"]:
        shown["achievement"] = None
    for name in ("all", "any"):
        if isinstance(shown.get(name), list):
            shown[name] = [_shown(part, secrets) for part in shown[name]]
    if shown.get("decided_by"):
        shown["decided_by"] = {**shown["decided_by"], "at": rfc3339(shown["decided_by"]["at"])}
    return shown
