"""The audit log's page, and its CSV file."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.views.decorators.http import require_safe

from accounts import named
from accounts.doorway import Visit, studio_page
from accounts.forms import AuditFilter
from accounts.portal import deeds
from accounts.roles import Act
from core import clock, csv_files
from core.audit import entries, verifying
from core.audit.entries import Entry, Wanted
from core.clock import from_microseconds, microseconds
from core.ids import parse_id
from core.pagination import decode_cursor, encode_cursor

PAGE = 50
MOST_LINES = 100_000
UUID_LENGTH = 36
COLUMNS = ("number", "time", "actor", "action", "object_kind", "object_id", "reason", "details", "hash")
# Which page shows a thing: the address's name, and what the thing's id is called there besides `studio`.
PAGES = {
    "studio": ("portal-home", ""),
    "game": ("portal-game", "game"),
    "player": ("portal-player", "player"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """An entry as the page shows it; `url` is of the thing's own page, empty if there is none."""

    entry: Entry
    deed: str
    who: str
    kind: str
    about: str
    url: str
    details: str
    is_erased: bool


@require_safe
@studio_page(needs=Act.READ_AUDIT)
def audit_log(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show who did what, newest first, and how far the log is sealed."""
    form = _asked(request, visit)
    if not form.is_valid():
        return _refused(request, visit, form)
    found = entries.page(visit.studio.studio_id, _wanted(form), after=_after(request, visit), limit=PAGE + 1)
    shown = found[:PAGE]
    return render(
        request,
        "portal/audit.html",
        {
            "visit": visit,
            "here": "audit",
            "form": form,
            "lines": _lines(visit, shown),
            "asked": form.query(),
            "older": _older(visit, form, shown) if len(found) > PAGE else "",
            "is_first": "cursor" not in request.GET,
            "seal": entries.newest_seal(visit.studio.studio_id),
        },
    )


@require_safe
@studio_page(needs=Act.READ_AUDIT)
def audit_file(request: HttpRequest, visit: Visit) -> HttpResponseBase:
    """Send what the page shows by the same filters, newest first, as a file; its last line is where the log ends."""
    form = _asked(request, visit)
    if not form.is_valid():
        return _refused(request, visit, form)
    now = clock.now()
    name = csv_files.file_name("audit", visit.studio.name, f"{now:%Y-%m-%d}")
    return csv_files.answer(name, COLUMNS, _rows(visit, _wanted(form), now))


def _asked(request: HttpRequest, visit: Visit) -> AuditFilter:
    known = {name: deeds.deed(name) for name in entries.actions_of(visit.studio.studio_id)}
    return AuditFilter(request.GET, actions=sorted(known.items(), key=lambda one: one[1]))


def _refused(request: HttpRequest, visit: Visit, form: AuditFilter) -> HttpResponse:
    return render(request, "portal/audit.html", {"visit": visit, "here": "audit", "form": form}, status=422)


def _wanted(form: AuditFilter) -> Wanted:
    asked = form.cleaned_data
    since, until = asked["from"], asked["to"]
    return Wanted(
        actor=_actor(asked["actor"]),
        action=asked["action"],
        object_id=asked["object"],
        since=since and datetime.combine(since, time.min, UTC),
        until=until and datetime.combine(until + timedelta(days=1), time.min, UTC),
    )


def _actor(text: str) -> str:
    """Return whom a text means as the log names him: an e-mail address is a user's, an id a key's."""
    if "@" in text and not text.startswith("user:"):
        return f"user:{text}"
    uuid = parse_id(text)
    return text if uuid is None else f"key:{uuid}"


def _after(request: HttpRequest, visit: Visit) -> tuple[datetime, int] | None:
    if not (cursor := request.GET.get("cursor")):
        return None
    at, pk = decode_cursor(_list(visit), cursor)
    return from_microseconds(at), pk


def _older(visit: Visit, form: AuditFilter, shown: list[Entry]) -> str:
    at, pk = shown[-1].position
    query = QueryDict(form.query(), mutable=True)
    query["cursor"] = encode_cursor(_list(visit), [microseconds(at), pk])
    return query.urlencode()


def _list(visit: Visit) -> str:
    return f"audit {visit.studio.studio_id}"


def _lines(visit: Visit, shown: list[Entry]) -> list[Line]:
    studio_id = visit.studio.studio_id
    who = named.actors(studio_id, {one.actor for one in shown})
    things = named.things(studio_id, {(one.kind, one.object_id) for one in shown})
    return [
        Line(
            entry=one,
            deed=deeds.deed(one.action),
            who=str(deeds.ACTORS.get(one.actor) or who.get(one.actor) or _short(one.actor)),
            kind=deeds.kind(one.kind),
            about=things.get((one.kind, one.object_id)) or _short(one.object_id),
            url=_page_of(visit, one),
            details=json.dumps(one.details, indent=2, ensure_ascii=False) if one.details else "",
            is_erased=verifying.is_erased(one),
        )
        for one in shown
    ]


def _short(text: str) -> str:
    """Return a text without the middle of an id of ours that it ends with: of that the ends tell enough."""
    head, uuid = text[:-UUID_LENGTH], parse_id(text[-UUID_LENGTH:])
    return text if uuid is None else f"{head}{str(uuid)[:8]}…{str(uuid)[-4:]}"


def _page_of(visit: Visit, entry: Entry) -> str:
    address, called = PAGES.get(entry.kind, ("", ""))
    ids = {"studio": visit.studio.studio_uuid} | ({called: entry.object_id} if called else {})
    try:
        return reverse(address, kwargs=ids) if address else ""
    except NoReverseMatch:  # the page is not there, or the id is none
        return ""


def _rows(visit: Visit, wanted: Wanted, now: datetime) -> Iterator[list[csv_files.Cell]]:
    count = 0
    for one in entries.stream(visit.studio.studio_id, wanted, limit=MOST_LINES):
        count += 1
        details = json.dumps(one.details, ensure_ascii=False) if one.details else ""
        hashed = one.hash.hex() if one.hash else ""
        about = (one.action, one.kind, one.object_id, one.reason, details)
        yield [one.number, one.at, one.actor, *about, hashed]
    seal = entries.newest_seal(visit.studio.studio_id)
    told = "The newest sealed entry of the whole log. Give it to verify_audit --expect."
    if count == MOST_LINES:
        told += f" The file ends after {MOST_LINES:,} lines: ask for fewer days to see what is older."
    number, hashed = (seal.number, seal.hash.hex()) if seal else (None, "")
    studio = str(visit.studio.studio_uuid)
    yield [number, now, "platform", "audit.end", "studio", studio, told, "", hashed]
