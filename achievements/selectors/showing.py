"""Definitions as players are shown them: in a language, and without what a hidden one keeps to itself."""

from typing import Any

from achievements import rules
from achievements.selectors.definitions import Definition
from core.refusals import Malformed


def language(code: str | None) -> str | None:
    """Return a language's tag (BCP 47) as definitions hold it; None for none. Raises Malformed."""
    if code is None:
        return None
    try:
        return rules.clean_language(code)
    except ValueError as error:
        raise Malformed(str(error)) from None


def definition_json(definition: Definition, *, language: str | None, masked: bool) -> dict[str, Any]:
    """Return what a definition says; of a masked one that it is hidden, and nothing else."""
    name, description = definition.texts(language)
    return {
        "key": None if masked else definition.key,
        "name": None if masked else name,
        "description": None if masked else description,
        "points": None if masked else definition.points,
        "hidden": definition.hidden,
        "icon_url": "" if masked else definition.icon_url,
        "group": "" if masked else definition.group,
    }
