"""A game's definitions as a file: Laurel's JSON, which imports again unchanged, or CSV for a spreadsheet."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

import orjson

from achievements.formats.document import FIELDS

Definition = Mapping[str, object]

EXPORT_FORMATS: Final = ("laurel", "csv")
_COLUMNS = ("key", *(name for name in FIELDS if name != "translations"))
# A spreadsheet takes a cell that begins so for a formula, and some formulas run programs or send data out.
# Source: OWASP, "CSV Injection", with its full-width forms.
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def to_laurel(
    definitions: Iterable[Definition], parts: Mapping[str, Iterable[Definition]] | None = None
) -> bytes:
    """Return `{"achievements": […], …}` as UTF-8; only what can be set, so that it imports again unchanged.

    `parts` are what other rooms keep of the file: rows by the part's name. Decimals are written digit by digit.
    """
    achievements = [
        {name: definition[name] for name in ("key", *FIELDS) if name in definition}
        for definition in definitions
    ]
    whole = {"achievements": achievements, **{name: list(rows) for name, rows in (parts or {}).items()}}
    return orjson.dumps(whole, default=_written, option=orjson.OPT_INDENT_2 | orjson.OPT_PASSTHROUGH_DATETIME)


def to_csv(definitions: Sequence[Definition]) -> bytes:
    """Return one row an achievement with a header line, as UTF-8 with a byte order mark (Excel needs it).

    Translations stand in columns `name[fr]` and `description[fr]`. A text that a spreadsheet would run as a
    formula begins with an apostrophe.
    """
    tags = sorted({tag for definition in definitions for tag in _translations(definition)})
    columns = [*_COLUMNS, *(f"{name}[{tag}]" for tag in tags for name in ("name", "description"))]
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(columns)
    for definition in definitions:
        texts = _translations(definition)
        cells = [definition.get(name) for name in _COLUMNS]
        cells += [texts.get(tag, {}).get(name) for tag in tags for name in ("name", "description")]
        writer.writerow([_cell(cell) for cell in cells])
    return out.getvalue().encode("utf-8-sig")


def _translations(definition: Definition) -> Mapping[str, Mapping[str, object]]:
    translations = definition.get("translations")
    return translations if isinstance(translations, Mapping) else {}


def _written(value: object) -> object:
    return orjson.Fragment(f"{value:f}") if isinstance(value, Decimal) else _plain(value)


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return list(value) if isinstance(value, tuple) else value


def _cell(value: object) -> object:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return value
    value = _plain(value)
    text = " ".join(value) if isinstance(value, list) else str(value)
    return "'" + text if text.startswith(_FORMULA_STARTS) else text
