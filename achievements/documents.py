"""Definitions as documents of JSON values, and what two of them differ in. Pure.

A document is a whole definition, as the API takes it. Flat, it is field → value without what is empty, and each text of
a translation is a field of its own: `translations/de/name`. So two who change other texts do not meet.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final, Protocol

from achievements import rules
from core.clock import rfc3339

Document = dict[str, Any]
Flat = dict[str, Any]

TRANSLATIONS: Final = "translations"
APART: Final = ("key", "state", "sort_order")
"""What is not changed by editing: published, archived and moved is done by acts of their own."""
EDITED: Final = tuple(name for name in rules.CLEAN if name not in APART)
PICTURES: Final = ("icon_url", "icon_locked_url")
_EMPTY: Final[Document] = {
    "name": "",
    "description": "",
    "requires": [],
    "group": "",
    "icon_url": "",
    "icon_locked_url": "",
    TRANSLATIONS: {},
}


class Defined(Protocol):
    """A definition: an attribute for each of `rules.CLEAN`."""

    @property
    def key(self) -> str:
        """Its key."""

    @property
    def translations(self) -> Mapping[str, tuple[str, str]]:
        """Name and description by language; an empty one is not translated."""


def as_values(definition: Defined) -> dict[str, Any]:
    """Return a definition by field name, as rules and files have it."""
    return {
        "key": definition.key,
        **{name: getattr(definition, name) for name in rules.CLEAN if name != TRANSLATIONS},
        TRANSLATIONS: {
            language: {name: text for name, text in (("name", texts[0]), ("description", texts[1])) if text}
            for language, texts in definition.translations.items()
        },
    }


def document(definition: Defined) -> Document:
    """Return a definition as JSON values."""
    return plain(as_values(definition))


def plain(values: Mapping[str, Any]) -> Document:
    """Return clean values as JSON values."""
    return {name: _plain(value) for name, value in values.items()}


def flat(of: Mapping[str, Any]) -> Flat:
    """Return the edited fields of a document that are not empty, each text of a translation as one of them."""
    found = {name: of.get(name) for name in EDITED if name != TRANSLATIONS}
    for language, texts in sorted((of.get(TRANSLATIONS) or {}).items()):
        for name, text in sorted(texts.items(), reverse=True):
            found[f"{TRANSLATIONS}/{language}/{name}"] = text
    return {name: value for name, value in found.items() if value not in (None, "", [])}


def unflat(of: Mapping[str, Any]) -> Document:
    """Return the edited fields of a document, whatever is empty included."""
    made: Document = {name: of.get(name, _EMPTY.get(name)) for name in EDITED}
    made[TRANSLATIONS] = {}
    for field, text in of.items():
        if field.startswith(TRANSLATIONS + "/"):
            _, language, name = field.split("/")
            made[TRANSLATIONS].setdefault(language, {})[name] = text
    return made


def values_of(of: Mapping[str, Any], fields: Iterable[str]) -> Document:
    """Return the values to which flat fields of a flat document belong: with one text of a translation all of them."""
    whole = unflat(of)
    return {name: whole[name] for name in dict.fromkeys(field.partition("/")[0] for field in fields)}


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return field → (old, new) of what differs between two flat documents; None is empty."""
    return {
        name: (before.get(name), after.get(name))
        for name in in_order([*before, *after])
        if before.get(name) != after.get(name)
    }


def changed(flat_document: Mapping[str, Any], changes: Mapping[str, Any]) -> Flat:
    """Return a flat document with fields changed; None empties one."""
    made = {**flat_document, **changes}
    return {name: made[name] for name in in_order(made) if made[name] is not None}


def in_order(fields: Iterable[str]) -> list[str]:
    """Return fields, each once, as they are listed: texts of translations last, by language."""
    places = {name: place for place, name in enumerate(EDITED)}
    return sorted(
        dict.fromkeys(fields), key=lambda field: (places.get(field, len(places)), _language(field), field)
    )


def _language(field: str) -> tuple[str, bool]:
    parts = field.split("/")
    return (parts[1], parts[2] != "name") if len(parts) == 3 else ("", False)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    return list(value) if isinstance(value, tuple) else value
