"""CSV files for people's spreadsheets and programs: RFC 4180, UTF-8, streamed, and never a formula.

A spreadsheet runs what begins like a formula, whoever wrote it: such text gets a leading `'` (OWASP, CSV injection).
Numbers are numbers and stay as they are.
"""

import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from typing import Final

from django.http import StreamingHttpResponse
from django.utils.text import slugify

from core.clock import rfc3339
from core.db import lending

Cell = str | int | float | bool | date | None
LONGEST_NAME: Final = 60
LINES_AT_ONCE: Final = 200  # to a piece of the answer

# The wide forms are taken for the narrow ones by some spreadsheets; white space before them is passed over by others.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")  # noqa: RUF001 - the wide forms are meant
_QUOTED = re.compile(r'[",\r\n]')


def cell(value: Cell) -> str:
    """Return a value as it stands in a line: nothing for None, times as RFC 3339."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        return rfc3339(value)
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    text = f"'{value}" if _FORMULA.match(value) else value
    return '"' + text.replace('"', '""') + '"' if _QUOTED.search(text) else text


def line(cells: Iterable[Cell]) -> str:
    """Return a line with its end."""
    return ",".join(map(cell, cells)) + "\r\n"


def file_name(*parts: str) -> str:
    """Return `part-part-part.csv` of small letters, digits and hyphens; what can't be written so is left out."""
    name = "-".join(filter(None, (slugify(part)[:LONGEST_NAME].strip("-") for part in parts)))
    return f"{name or 'file'}.csv"


def answer(name: str, head: Iterable[str], rows: Iterable[Iterable[Cell]]) -> StreamingHttpResponse:
    """Answer with a file of a head and rows, which are asked for while it is sent."""
    response = StreamingHttpResponse(
        lending(_pieces(head, rows)), content_type="text/csv; charset=utf-8; header=present"
    )
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


def _pieces(head: Iterable[str], rows: Iterable[Iterable[Cell]]) -> Iterator[bytes]:
    lines = [line(head)]
    for row in rows:
        lines.append(line(row))
        if len(lines) >= LINES_AT_ONCE:
            yield "".join(lines).encode()
            lines.clear()
    if lines:
        yield "".join(lines).encode()
