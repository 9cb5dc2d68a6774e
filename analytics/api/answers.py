"""How analytics answers: as JSON with `as_of`, or as a CSV file; private, with a tag over the figures."""

from datetime import datetime
from typing import Any, Final

from django.http import HttpResponse
from rest_framework.request import Request

from accounts.selectors import GameInfo
from analytics.tables import Table
from core import csv_files
from core.clock import rfc3339
from core.endpoint import bytes_answer, etag_of
from core.refusals import Malformed
from core.rendering import dumps

FORMATS: Final = ("json", "csv")
_CACHING: Final = "private, max-age=0"


def wants_csv(request: Request) -> bool:
    """Read `format`: json (the default) or csv."""
    text = request.GET.get("format", "json")
    if text not in FORMATS:
        raise Malformed(f"`format` is {text[:40]!r}; it takes json or csv.")
    return text == "csv"


def json_answer(request: Request, data: dict[str, Any], *, as_of: datetime | None) -> HttpResponse:
    """Answer figures. The tag is weak: it says that they are the same, whatever the time in `as_of`."""
    body = dumps(data)
    at = dumps(None if as_of is None else rfc3339(as_of))
    return bytes_answer(
        request, b'%s,"as_of":%s}' % (body[:-1], at), etag=f"W/{etag_of(body)}", cache_control=_CACHING
    )


def csv_answer(
    request: Request, game: GameInfo, table: Table, *, until: str, as_of: datetime | None
) -> HttpResponse:
    """Answer a table as a file; a header says what is `as_of` in JSON."""
    body = "".join(map(csv_files.line, [table.head, *table.rows])).encode()
    answer = bytes_answer(request, body, etag=etag_of(body), cache_control=_CACHING)
    if answer.status_code == 200:
        name = csv_files.file_name(table.name, game.title, until)
        answer["Content-Type"] = "text/csv; charset=utf-8; header=present"
        answer["Content-Disposition"] = f'attachment; filename="{name}"'
    if as_of is not None:
        answer["X-As-Of"] = rfc3339(as_of)
    return answer
