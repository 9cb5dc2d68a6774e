"""The request log's pages, and its CSV file: which calls of the API were refused, and why."""

import json
from collections.abc import Iterator
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.calls import log
from accounts.calls.log import CallInfo, Wanted
from accounts.doorway import Visit, studio_page
from accounts.portal.request_forms import ENDING_NAMES, RequestFilter
from accounts.roles import Act
from core import clock, csv_files
from core.pagination import decode_cursor, encode_cursor
from core.refusals import Malformed

PAGE: Final = 50
MOST_LINES: Final = 100_000
SHOWN_PROBLEMS: Final = 6
LARGEST_ID: Final = 2**63 - 1
COLUMNS: Final = (
    *("id", "time", "method", "route", "path", "status", "problem", "detail", "errors", "calls", "summary"),
    *("duration_ms", "request_id", "key", "game", "network", "body"),
)


@require_safe
@studio_page(needs=Act.MANAGE_KEYS)
def index(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show calls, the last noted first, and what was refused most."""
    now, form = clock.now(), RequestFilter(request.GET, visit=visit)
    if not form.is_valid():
        return _page(request, "list.html", visit, status=422, form=form, **_strip(visit, now))
    before = _position(request, visit, "cursor")
    found = log.page(visit.studio.studio_id, form.wanted(at=now), before_id=before, limit=PAGE + 1, at=now)
    shown = found[:PAGE]
    older = ""
    if len(found) > PAGE:
        older = form.query(cursor=encode_cursor(_list(visit), [shown[-1].id]))
    return _page(
        request,
        "list.html",
        visit,
        form=form,
        calls=shown,
        asked=form.query(),
        chips=form.chips(),
        endings=[(one, name, form.query(ending=one)) for one, name in ENDING_NAMES],
        ending=form.cleaned_data["ending"],
        older=older,
        is_first=before is None,
        missed=log.missed(visit.studio.studio_id, at=now),
        **_strip(visit, now),
    )


@require_safe
@studio_page(needs=Act.MANAGE_KEYS)
def one(request: HttpRequest, visit: Visit, call: int) -> HttpResponse:
    """Show a call with its whole problem, and what to do about it."""
    found = log.one(visit.studio.studio_id, call, at=clock.now()) if call <= LARGEST_ID else None
    if found is None:
        raise Http404
    return _page(
        request, "one.html", visit, call=found, body=_indented(found.body), phrase=_phrase(found.status)
    )


@require_safe
@studio_page(needs=Act.MANAGE_KEYS)
def file(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Send what the page shows by the same filters, as a file.

    With `since`, the cursor in the last line of the file before, it has what was noted after that, in order.
    """
    now, form = clock.now(), RequestFilter(request.GET, visit=visit)
    if not form.is_valid():
        return _page(request, "list.html", visit, status=422, form=form, **_strip(visit, now))
    after = _position(request, visit, "since")
    name = csv_files.file_name("requests", visit.studio.name, f"{now:%Y-%m-%d}")
    return csv_files.answer(name, COLUMNS, _rows(visit, form.wanted(at=now), after, now))


def _rows(visit: Visit, wanted: Wanted, after: int | None, now: datetime) -> Iterator[list[csv_files.Cell]]:
    """Return the file's lines; the last one's id is the cursor to go on from."""
    newest, count = after or 0, 0
    for one in log.stream(visit.studio.studio_id, wanted, after_id=after, limit=MOST_LINES, at=now):
        newest, count = max(newest, one.id), count + 1
        yield _line(one)
    said = _("Give the id of this line as since= to get what comes after.")
    if count == MOST_LINES:
        said += " " + _("The file ends here, there is more.")
    cursor = encode_cursor(_list(visit), [newest])
    yield [cursor, now, "", "", "", None, "requests.end", said, *[""] * (len(COLUMNS) - 8)]


def _line(one: CallInfo) -> list[csv_files.Cell]:
    errors = json.dumps(one.errors, ensure_ascii=False) if one.errors else ""
    key = one.key.hint if one.key else ""
    return [
        *(one.id, one.at, one.method, one.route, one.path, one.status, one.slug, one.detail, errors),
        *(one.weight, one.is_summary, one.duration_ms, one.request_id, key),
        *(str(one.game or ""), one.address, one.body),
    ]


def _position(request: HttpRequest, visit: Visit, name: str) -> int | None:
    if not (cursor := request.GET.get(name)):
        return None
    position = decode_cursor(_list(visit), cursor)
    if len(position) != 1 or not isinstance(position[0], int):
        raise Malformed("The cursor is not one of this list.")
    return position[0]


def _list(visit: Visit) -> str:
    return f"requests {visit.studio.studio_id}"


def _strip(visit: Visit, now: datetime) -> dict[str, Any]:
    problems = log.refused_by_problem(visit.studio.studio_id, at=now)
    return {"problems": problems[:SHOWN_PROBLEMS], "others": sum(n for _, n in problems[SHOWN_PROBLEMS:])}


def _indented(body: str) -> str:
    """Return a body as it is read best; one that was cut stays as it is."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False) if body else ""
    except ValueError:
        return body


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _page(
    request: HttpRequest, template: str, visit: Visit, *, status: int = 200, **context: object
) -> HttpResponse:
    return render(
        request,
        f"portal/requests/{template}",
        {"visit": visit, "here": "requests", **context},
        status=status,
    )
