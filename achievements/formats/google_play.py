"""Google Play Games' import files, without header lines: AchievementsMetadata.csv and its companions.

They know no key: an achievement's name is what ties the files together, and so it becomes the key.
Source: developer.android.com/games/pgs/integrate-achievements, "Zip file guidelines".
"""

from collections.abc import Iterator

from achievements.formats import foreign
from achievements.formats.archive import Files
from achievements.formats.document import UNSET, Collector, ImportedFile, Unreadable
from achievements.formats.encoding import decode, read_csv
from core.texts import quoted

_METADATA_CELLS = 7  # Name, Description, Incremental value, Steps needed, Initial state, Points, List order
_LOCALISATION_CELLS = 4  # Name, Localized name, Localized description, Locale
_STATES = {"hidden": True, "revealed": False}

Texts = dict[str, dict[str, tuple[str, str]]]
"""Name → locale → (name, description)."""


def read(files: Files) -> ImportedFile:
    """Read the metadata with its localisations; icon mappings name pictures, not addresses, and are left out.

    Raises: Unreadable when the metadata is missing.
    """
    by_purpose = {_purpose(name): body for name, body in files.items()}
    if "metadata" not in by_purpose:
        raise Unreadable("The zip holds no AchievementsMetadata.csv: add it.")
    found = Collector()
    texts = Texts()
    if "localizations" in by_purpose:
        _read_localisations(read_csv(decode(by_purpose["localizations"])), texts, found)
    names = set()
    for line, cells in read_csv(decode(by_purpose["metadata"])):
        names.add(cells[0].strip())
        if len(cells) == _METADATA_CELLS:
            found.add(line, cells[0].strip(), _values(cells, texts.get(cells[0].strip(), {})))
        else:
            found.error(line, f"The row of the metadata has {len(cells)} cells: give {_METADATA_CELLS}.")
    for name in sorted(texts.keys() - names):
        found.error(0, f"There are translations of {quoted(name)}, which the metadata lacks: add it there.")
    return found.result()


def _purpose(name: str) -> str:
    lowered = name.lower()
    if "localization" in lowered:
        return "localizations"
    if "icon" in lowered:
        return "icons"
    return "metadata" if lowered in ("", "achievementsmetadata.csv") else lowered


def _read_localisations(rows: Iterator[tuple[int, list[str]]], texts: Texts, found: Collector) -> None:
    for line, cells in rows:
        if len(cells) != _LOCALISATION_CELLS:
            found.error(
                line, f"The row of the localizations has {len(cells)} cells: give {_LOCALISATION_CELLS}."
            )
            continue
        name, localised, description, locale = (cell.strip() for cell in cells)
        if locale in texts.setdefault(name, {}):
            found.error(line, f"{quoted(name)} has {quoted(locale)} twice: give each language once.")
        texts[name][locale] = localised, description


def _values(cells: list[str], texts: dict[str, tuple[str, str]]) -> dict[str, object]:
    name, description, incremental, steps, state, points, order = (cell.strip() for cell in cells)
    return {
        **foreign.in_languages(
            {"default": name} | {locale: text[0] for locale, text in texts.items()},
            {"default": description} | {locale: text[1] for locale, text in texts.items()},
            "default",
        ),
        "type": {"true": "incremental", "false": "standard", "": "standard"}.get(
            incremental.lower(), incremental
        ),
        "target": foreign.number(steps) if incremental.lower() == "true" else UNSET,
        "hidden": _STATES.get(state.lower(), state or UNSET),
        "points": foreign.number(points),
        "sort_order": foreign.number(order),
    }
