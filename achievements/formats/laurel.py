"""Laurel's own JSON: `{"achievements": […], "stats": […], "leaderboards": […]}`, as the API gives and takes them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from achievements.formats.archive import Files
from achievements.formats.document import FIELDS, Collector, ImportedFile, Unreadable
from achievements.formats.encoding import decode, read_json
from core.texts import quoted

_ACHIEVEMENTS: Final = "achievements"
_PARTS: Final = ("stats", "leaderboards")  # the rooms that keep them read their rows
_SECTIONS = frozenset({_ACHIEVEMENTS, *_PARTS})
# The API gives it, and only counting unlocks can set it.
_READ_ONLY = "rarity"


def read(files: Files) -> ImportedFile:
    """Read one JSON file; rows are counted from 1 in the order of the list.

    Raises: Unreadable when it is not such a file.
    """
    if len(files) != 1:
        raise Unreadable(f"The archive holds {len(files)} files: a Laurel file comes alone.")
    document = read_json(decode(next(iter(files.values()))))
    if not isinstance(document, Mapping) or not _has_definitions(document):
        raise Unreadable('The file is not {"achievements": […]}: put the definitions in such a list.')
    found = Collector()
    _check_sections(document, found)
    parts = {name: rows for name in _PARTS if (rows := _rows(document, name, found))}
    for row, definition in enumerate(document.get(_ACHIEVEMENTS) or (), start=1):
        _read_definition(row, definition, found)
    return replace(found.result(), parts=parts)


def _has_definitions(document: Mapping[str, object]) -> bool:
    """Say whether there is a list of achievements, or none at all but another part."""
    if _ACHIEVEMENTS in document:
        return isinstance(document[_ACHIEVEMENTS], list)
    return any(document.get(name) for name in _PARTS)


def _rows(document: Mapping[str, object], name: str, found: Collector) -> Sequence[object]:
    rows = document.get(name) or ()
    if isinstance(rows, list | tuple):
        return rows
    found.error(0, f"The section {quoted(name)} is not a list: give […].")
    return ()


def _check_sections(document: Mapping[str, object], found: Collector) -> None:
    for section in sorted(document.keys() - _SECTIONS):
        found.error(0, f"The section {quoted(section)} is not known: take it out.")


def _read_definition(row: int, definition: object, found: Collector) -> None:
    if not isinstance(definition, Mapping):
        found.error(row, "The row is not an object: give each achievement as {…}.")
        return
    values = dict(definition)
    key = values.pop("key", None)
    for name in sorted(values.keys() - set(FIELDS)):
        is_read_only = name == _READ_ONLY
        why = "is counted, not set" if is_read_only else "is not known"
        found.error(row, f"The field {quoted(name)} {why}: take it out.")
    found.add(row, key, {name: values[name] for name in FIELDS if name in values})
