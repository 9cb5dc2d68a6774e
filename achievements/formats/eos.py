"""Epic Online Services' bulk export: achievementDefinitions.csv, achievementLocalizations.csv, or both.

Laurel keeps one name and one description: Epic's unlocked texts, or the locked ones where those are empty.
Source: Epic Online Services documentation, "Bulk Importer/Exporter Tool".
"""

from collections.abc import Iterator
from itertools import zip_longest

from achievements.formats import foreign
from achievements.formats.archive import Files
from achievements.formats.document import Collector, ImportedFile, Unreadable
from achievements.formats.encoding import decode, read_csv
from core.texts import quoted

_DEFINITIONS = frozenset({"name", "hidden"})
_LOCALISATIONS = frozenset({"name", "locale"})
_STATS = frozenset({"name", "aggregationType"})

Row = dict[str, str]


def read(files: Files) -> ImportedFile:
    """Read the CSVs by their header lines; stats are left out; rows are the line numbers of their file.

    Raises: Unreadable when a file is none of them.
    """
    found = Collector()
    definitions: dict[str, tuple[int, Row]] = {}
    texts: dict[str, dict[str, Row]] = {}
    lines: dict[str, int] = {}
    for name, body in files.items():
        header, rows = _table(name, body)
        if header >= _LOCALISATIONS:
            _read_localisations(rows, texts, lines, found)
        elif header >= _DEFINITIONS:
            _read_definitions(rows, definitions, found)
        elif not header >= _STATS:
            place = f" {quoted(name)}" if name else ""
            raise Unreadable(f"The file{place} has none of Epic's header lines: export it again.")
    default = foreign.default_language(texts.values())
    for key in dict.fromkeys([*definitions, *texts]):
        line, row = definitions.get(key, (lines.get(key, 0), {}))
        found.add(line, key, _values(row, texts.get(key, {}), default))
    return found.result()


def _table(name: str, body: bytes) -> tuple[frozenset[str], Iterator[tuple[int, Row]]]:
    rows = read_csv(decode(body))
    header = [cell.strip() for cell in next(rows, (0, []))[1]]
    # Epic leaves empty cells at a row's end away.
    return frozenset(header), (
        (line, dict(zip_longest(header, cells[: len(header)], fillvalue=""))) for line, cells in rows
    )


def _read_definitions(
    rows: Iterator[tuple[int, Row]], definitions: dict[str, tuple[int, Row]], found: Collector
) -> None:
    for line, row in rows:
        key = row["name"]
        if key in definitions:
            first = definitions[key][0]
            found.error(line, f"The key {quoted(key)} stands in row {first} too: give each key once.")
        definitions[key] = line, row


def _read_localisations(
    rows: Iterator[tuple[int, Row]], texts: dict[str, dict[str, Row]], lines: dict[str, int], found: Collector
) -> None:
    for line, row in rows:
        key, locale = row["name"], row["locale"].strip()
        if locale in texts.setdefault(key, {}):
            found.error(line, f"{quoted(key)} has {quoted(locale)} twice: give each language once.")
        texts[key][locale] = row
        lines.setdefault(key, line)


def _values(row: Row, texts: dict[str, Row], default: str) -> dict[str, object]:
    return {
        **foreign.in_languages(_texts(texts, "Title"), _texts(texts, "Description"), default),
        "hidden": foreign.flag(row.get("hidden")),
        "points": foreign.number(row.get("user_epic_achievements_xp")),
    }


def _texts(texts: dict[str, Row], field: str) -> Row:
    return {
        locale: text.get(f"unlocked{field}") or text.get(f"locked{field}", "")
        for locale, text in texts.items()
    }
