"""Bytes to text, text to JSON or CSV rows; whatever the bytes, the only exception is Unreadable."""

import codecs
import csv
import io
import json
import math
import re
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from achievements.formats.document import Unreadable
from core.texts import quoted

# An empty object takes 64 bytes and more of memory: ten megabytes of them would take a gigabyte.
_MAX_BRACKETS: Final = 500_000
_MAX_QUOTES: Final = 1_500_000
_MAX_ROWS: Final = 200_000
# A string (closed or not), or a comma with only white space before a closing bracket; possessive: linear.
_STRING_OR_TRAILING_COMMA = re.compile(r'"(?:[^"\\]++|\\.)*+"?+|,(?=[ \t\r\n]*+[\]}])', re.DOTALL)
_UTF16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decode(body: bytes) -> str:
    """Return a file's text: UTF-8 with or without a byte order mark, or UTF-16 with one (as Steam writes)."""
    encoding = "utf-16" if body.startswith(_UTF16_MARKS) else "utf-8-sig"
    try:
        return body.decode(encoding)
    except UnicodeDecodeError as problem:
        raise Unreadable(f"The file is not UTF-8 text (byte {problem.start:,}): save it as UTF-8.") from None


def read_json(text: str, *, lenient: bool = False) -> object:
    """Return strict JSON: no repeated names, no NaN; `lenient` forgives commas before a closing bracket.

    Numbers that are not whole come as Decimal, digit by digit as they were written.
    """
    if text.count("{") + text.count("[") > _MAX_BRACKETS or text.count('"') > _MAX_QUOTES:
        raise Unreadable("The file holds more objects, lists and texts than any game has: split it.")
    if lenient:
        text = _STRING_OR_TRAILING_COMMA.sub(lambda m: "" if m[0] == "," else m[0], text)
    try:
        return json.loads(
            text, object_pairs_hook=_unique, parse_float=_decimal, parse_constant=_refuse_constant
        )
    except RecursionError:
        raise Unreadable("The file is nested too deeply: no definition needs that.") from None
    except json.JSONDecodeError as problem:
        where = f"line {problem.lineno:,}, column {problem.colno:,}"
        raise Unreadable(f"The file is not JSON ({problem.msg} at {where}): correct it.") from None
    except Unreadable:
        raise
    except ValueError:
        raise Unreadable("The file holds a number with thousands of digits: correct it.") from None


def read_csv(text: str) -> Iterator[tuple[int, list[str]]]:
    """Yield each row that is not empty with the number of its (last) line."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row, cells in enumerate(reader):
            if row == _MAX_ROWS:
                raise Unreadable(f"The file holds more than {_MAX_ROWS:,} rows: split it.")
            if any(cell.strip() for cell in cells):
                yield reader.line_num, cells
    except csv.Error as problem:
        raise Unreadable(f"Line {reader.line_num:,} is not CSV ({problem}): correct it.") from None


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    made = dict(pairs)
    if len(made) < len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise Unreadable(f"The name {quoted(twice)} stands twice in one object: give it once.")
    return made


def _decimal(text: str) -> Decimal:
    if math.isinf(float(text)):
        raise Unreadable(f"The file holds the number {quoted(text)}, which is too large: correct it.")
    return Decimal(text)


def _refuse_constant(name: str) -> object:
    raise Unreadable(f"The file holds {name}, which is not JSON: correct it.")
