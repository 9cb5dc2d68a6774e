"""Laurel's own JSON: `{"achievements": [definition, …]}`, exactly as the API gives and takes definitions."""

from collections.abc import Mapping

from achievements.formats.archive import Files
from achievements.formats.document import FIELDS, Collector, ImportedFile, Unreadable
from achievements.formats.encoding import decode, read_json
from core.texts import quoted

_SECTIONS = frozenset({"achievements", "stats", "leaderboards"})
# The API gives it, and only counting unlocks can set it.
_READ_ONLY = "rarity"


def read(files: Files) -> ImportedFile:
    """Read one JSON file; rows are counted from 1 in the order of the list.

    Raises: Unreadable when it is not such a file.
    """
    if len(files) != 1:
        raise Unreadable(f"The archive holds {len(files)} files: a Laurel file comes alone.")
    document = read_json(decode(next(iter(files.values()))))
    if not isinstance(document, Mapping) or not isinstance(document.get("achievements"), list):
        raise Unreadable('The file is not {"achievements": […]}: put the definitions in such a list.')
    found = Collector()
    _check_sections(document, found)
    for row, definition in enumerate(document["achievements"], start=1):
        _read_definition(row, definition, found)
    return found.result()


def _check_sections(document: Mapping[str, object], found: Collector) -> None:
    for section in sorted(document.keys() - _SECTIONS):
        found.error(0, f"The section {quoted(section)} is not known: take it out.")
    for section in ("stats", "leaderboards"):
        if document.get(section):
            found.error(
                0, f"This version imports achievements only: take {section} out, or leave the list empty."
            )


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
