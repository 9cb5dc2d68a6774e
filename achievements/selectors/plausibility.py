"""The rules by which a game's unlocks are weighed."""

from typing import Any

from achievements import plausibility
from achievements.models import Achievement, Plausibility


def document(game_id: int) -> dict[str, Any]:
    """Return a game's rules as they are stored, without what names an achievement that is gone."""
    found = Plausibility.objects.filter(game_id=game_id).values_list("document", flat=True).first()
    if found is None:
        return plausibility.nothing()
    keys = set(Achievement.objects.filter(game_id=game_id).values_list("key", flat=True))
    times = {key: seconds for key, seconds in found["achievements"].items() if key in keys}
    order = [[first, then] for first, then in found["order"] if first in keys and then in keys]
    return {**found, "achievements": times, "order": order}


def shown(document: dict[str, Any]) -> dict[str, Any]:
    """Return rules as the API shows them."""
    return {
        **document,
        "achievements": [
            {"achievement": key, "earliest_seconds": seconds}
            for key, seconds in sorted(document["achievements"].items())
        ],
        "order": [{"first": first, "then": then} for first, then in document["order"]],
    }
