"""Steam's schema as JSON: the Web API's GetSchemaForGame, and the bare lists that Steam emulators keep.

Source: ISteamUserStats/GetSchemaForGame (v2), Steamworks documentation.
"""

from collections.abc import Mapping

from achievements import rules
from achievements.formats import foreign
from achievements.formats.archive import Files
from achievements.formats.document import Collector, ImportedFile, Unreadable
from achievements.formats.encoding import decode, read_json


def read(files: Files) -> ImportedFile:
    """Read one JSON file; rows are counted from 1 in the order of the list.

    Raises: Unreadable when it is not such a file.
    """
    if len(files) != 1:
        raise Unreadable(f"The archive holds {len(files)} files: give one schema.")
    entries = _entries(read_json(decode(next(iter(files.values()))), lenient=True))
    found = Collector()
    default = foreign.default_language(
        _texts(e.get("displayName")) for e in entries if isinstance(e, Mapping)
    )
    for row, entry in enumerate(entries, start=1):
        if isinstance(entry, Mapping):
            found.add(row, foreign.text(entry.get("name")), _values(row, entry, default))
        else:
            found.error(row, "The row is not an object: give each achievement as {…}.")
    return found.result()


def _entries(document: object) -> list[object]:
    for name in ("game", "availableGameStats", "achievements"):
        if isinstance(document, Mapping) and name in document:
            document = document[name]
    if not isinstance(document, list):
        raise Unreadable(
            "The file is neither an answer of GetSchemaForGame (game, availableGameStats, achievements)"
            " nor a list of achievements: give one of the two."
        )
    return document


def _values(row: int, entry: Mapping[str, object], default: str) -> dict[str, object]:
    names, descriptions = entry.get("displayName"), entry.get("description")
    return {
        **foreign.in_languages(_texts(names), _texts(descriptions), default),
        "hidden": foreign.flag(entry.get("hidden")),
        "sort_order": min(row, rules.MAX_SORT_ORDER),
        "icon_url": foreign.icon(entry.get("icon")),
        "icon_locked_url": foreign.icon(entry.get("icongray", entry.get("icon_gray"))),
    }


def _texts(value: object) -> foreign.Texts:
    return value if isinstance(value, Mapping) else {"english": value}
