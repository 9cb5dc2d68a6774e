"""Definitions as players are shown them: in a language, and without what a hidden one keeps to itself."""

from typing import Any

from achievements.selectors.definitions import Definition
from core import languages
from core.refusals import Malformed
from core.texts import clean_text


def language(code: str | None) -> str | None:
    """Return a language's tag (BCP 47) as definitions hold it; None for none that they can have. Raises Malformed."""
    if code is None:
        return None
    try:
        return languages.wanted(clean_text(code, "language"))
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
