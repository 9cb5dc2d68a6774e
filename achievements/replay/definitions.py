"""A game's line of definitions.jsonl as a Laurel import document."""

from collections.abc import Iterable, Mapping
from typing import Final

from core.texts import NAME_LENGTH, clean_key

# Where the source has no points (Steam has none at all): what most sources that have points give.
DEFAULT_POINTS: Final = 10


def title(game: Mapping[str, object]) -> str:
    """Return the title under which a game is replayed: unique, so that a second replay finds it again."""
    suffix = f" ({game['game']})"
    return str(game["title"]).strip()[: NAME_LENGTH - len(suffix)].strip() + suffix


def to_document(game: Mapping[str, object], also: Iterable[str] = ()) -> dict[str, object]:
    """Return `{"achievements": […]}`, all published, in the order of the file.

    A name that is a JSON number becomes text; where only the key is known, it is the name. Missing points are
    DEFAULT_POINTS, negative ones (a forum's penalties) 0. `max_progress` above 1 makes it incremental. Icons
    are file names without an address and are left out. `also` names achievements that occur in unlocks only:
    they are added with the key as name.
    """
    listed = game["achievements"]
    assert isinstance(listed, list)
    definitions = [_definition(place, achievement) for place, achievement in enumerate(listed, start=1)]
    known = {definition["key"] for definition in definitions}
    for key in also:
        if key not in known:
            known.add(key)
            definitions.append(_definition(len(definitions) + 1, {"key": key}))
    return {"achievements": definitions}


def points_of(document: Mapping[str, object]) -> dict[str, int]:
    """Return key → points of an import document."""
    listed = document["achievements"]
    assert isinstance(listed, list)
    return {clean_key(definition["key"]): definition["points"] for definition in listed}


def _definition(place: int, achievement: Mapping[str, object]) -> dict[str, object]:
    key = achievement["key"]
    points = achievement.get("points")
    definition: dict[str, object] = {
        "key": key,
        "name": _text(achievement.get("name")) or key,
        "description": _text(achievement.get("description")),
        "points": max(points, 0) if isinstance(points, int) else DEFAULT_POINTS,
        "hidden": bool(achievement.get("hidden", False)),
        "state": "published",
        "group": _text(achievement.get("group")),
        "sort_order": place,
    }
    steps = achievement.get("max_progress")
    if isinstance(steps, int) and steps > 1:
        definition |= {"type": "incremental", "target": steps}
    translations = _translations(achievement.get("localizations"))
    return definition | ({"translations": translations} if translations else {})


def _text(value: object) -> str:
    """Return text; a JSON number as its digits, nothing as nothing; the platform trims it."""
    return "" if value is None else str(value)


def _translations(localizations: object) -> dict[str, dict[str, str]]:
    if not isinstance(localizations, Mapping):
        return {}
    return {
        language: {field: text for field, text in texts.items() if text.strip()}
        for language, texts in localizations.items()
    }
