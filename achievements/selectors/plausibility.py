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
    times, paces = (
        {key: number for key, number in found.get(name, {}).items() if key in keys}
        for name in ("achievements", "paces")
    )
    order = [[first, then] for first, then in found["order"] if first in keys and then in keys]
    return {**found, "achievements": times, "paces": paces, "order": order}


def shown(document: dict[str, Any]) -> dict[str, Any]:
    """Return rules as the API shows them."""
    times, paces = document["achievements"], document["paces"]
    return {
        **{name: value for name, value in document.items() if name != "paces"},
        "achievements": [
            {
                "achievement": key,
                **({"earliest_seconds": times[key]} if key in times else {}),
                **({"progress_a_minute": paces[key]} if key in paces else {}),
            }
            for key in sorted({*times, *paces})
        ],
        "order": [{"first": first, "then": then} for first, then in document["order"]],
    }
