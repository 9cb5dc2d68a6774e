"""A board's periods with their final standings, and its snapshots."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlencode
from uuid import UUID

from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.views.decorators.http import require_safe

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from core import clock
from core.csv_files import file_name
from core.pagination import decode_cursor, encode_cursor
from core.refusals import Conflict
from leaderboards import keys
from leaderboards.portal import words
from leaderboards.portal.asking import Chosen, Person, answer, chosen, people
from leaderboards.rules.periods import GRACE
from leaderboards.selectors import history, moderated, periods, summaries
from leaderboards.selectors.history import SnapshotInfo
from leaderboards.selectors.periods import PeriodInfo
from leaderboards.selectors.summaries import Summary

A_PAGE = 50
COMPARED = timedelta(days=1)
COUNTED = 10_000  # players of a period that may still change


@dataclass(frozen=True, slots=True)
class Listed:
    """A line of the table: until when late scores count, and how many are there, or more if it `counts_on`."""

    period: PeriodInfo
    span: str
    closes_at: datetime | None
    players: int | None
    counts_on: bool


@dataclass(frozen=True, slots=True)
class Present:
    """A span that the board keeps, and when its next period begins."""

    span: str
    name: str
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Place:
    """A row of a snapshot; `delta` is by how many places the player rose since the one that it is compared with."""

    rank: int
    tied: bool
    person: Person
    score: str
    delta: int | None
    is_new: bool


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def periods_page(request: HttpRequest, visit: Visit, board: str) -> HttpResponse:
    """List a board's periods, newest first."""
    about, now = chosen(visit, board), clock.now()
    found, kind, cursor = (
        list[PeriodInfo](),
        f"portal periods {about.key} {about.game.id}",
        request.GET.get("cursor"),
    )
    if about.info is not None:
        before = decode_cursor(kind, cursor)[0] if cursor else None
        found = periods.kept(about.info, before_id=before, limit=A_PAGE + 1)
    return answer(
        request,
        "periods",
        visit,
        about,
        tab="periods",
        rows=_listed(found[:A_PAGE]),
        present=_present(about, now),
        further=_cursor(kind, found[A_PAGE - 1].id) if len(found) > A_PAGE else "",
    )


def _listed(found: list[PeriodInfo]) -> list[Listed]:
    """Return lines; of periods that may still change those who are there now are counted, in one query for all."""
    live = [one.id for one in found if one.id is not None and one.players is None]
    counts = summaries.of_periods(live, most=COUNTED + 1) if live else {}
    return [_line(one, counts.get(one.id or 0)) for one in found]


def _line(period: PeriodInfo, summary: Summary | None) -> Listed:
    players = period.players if summary is None else min(summary.entries, COUNTED)
    closes_at = None if period.ends_at is None else period.ends_at + GRACE
    counts_on = summary is not None and summary.entries > COUNTED
    return Listed(period, str(words.SPANS[period.span]), closes_at, players, counts_on)


def _present(about: Chosen, now: datetime) -> list[Present]:
    if about.info is None or about.info.archived:
        return []
    ends_at = about.info.ends_at
    found = []
    for span in about.info.spans:
        next_at = about.info.window(span, now).ends_at
        is_over = next_at is not None and ends_at is not None and ends_at <= next_at
        found.append(Present(span, str(words.SPANS[span]), None if is_over else next_at))
    return found


def _cursor(kind: str, pk: int | None) -> str:
    return urlencode({"cursor": encode_cursor(kind, [pk])})


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def standings_file(request: HttpRequest, visit: Visit, board: str, period: str) -> HttpResponseBase:
    """Send a final period's standings: the very bytes that its SHA-256 speaks for."""
    about = chosen(visit, board)
    found = None if about.info is None else periods.named(about.info, period)
    if about.info is None or found is None or found.id is None:
        raise Http404
    if found.standings_hash is None:
        raise Conflict("The period is not final yet: its standings may still change.")
    response = StreamingHttpResponse(periods.standings_file(about.info, found.id), content_type="text/csv")
    response["Content-Disposition"] = f'attachment; filename="{file_name(about.key, found.name)}"'
    response["X-Content-Type-Options"] = "nosniff"
    return response


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def snapshots_page(request: HttpRequest, visit: Visit, board: str) -> HttpResponse:
    """List a board's snapshots, newest first."""
    about, cursor = chosen(visit, board), request.GET.get("cursor")
    kind = f"portal snapshots {about.key} {about.game.id}"
    found = history.snapshots(
        history.orders(about.info, game_id=about.game.id),
        before_id=decode_cursor(kind, cursor)[0] if cursor else None,
        limit=A_PAGE + 1,
    )
    further = _cursor(kind, found[A_PAGE - 1].id) if len(found) > A_PAGE else ""
    return answer(request, "snapshots", visit, about, tab="snapshots", rows=found[:A_PAGE], further=further)


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def snapshot_page(request: HttpRequest, visit: Visit, board: str, snapshot: UUID) -> HttpResponse:
    """Show a snapshot's first places, and how they had changed in a day; who is not shown any more is left out."""
    about = chosen(visit, board)
    found = history.snapshot(history.orders(about.info, game_id=about.game.id), snapshot)
    if found is None:
        raise Http404
    order = keys.board_of(b"{%s}" % found.board.encode())
    seen = moderated.shown(order, [row[0] for row in found.rows]) if order else set[int]()
    page = Paginator([row for row in found.rows if row[0] in seen], A_PAGE).get_page(request.GET.get("page"))
    before = history.snapshot_before(found.board, found.taken_at - COMPARED, newest=found.id)
    return answer(
        request,
        "snapshot",
        visit,
        about,
        tab="snapshots",
        snapshot=found,
        page=page,
        before=before,
        rows=_places(visit, about, found, list(page), before),
    )


def _places(
    visit: Visit,
    about: Chosen,
    found: SnapshotInfo,
    rows: list[tuple[int, int, int, int]],
    before: SnapshotInfo | None,
) -> list[Place]:
    persons = people(visit.studio.studio_id, [row[0] for row in rows])
    past = {row[0]: row[1] for row in before.rows} if before else {}
    knows_all = before is not None and before.players <= len(before.rows)
    counts = dict[int, int]()
    for _player, _rank, sort_value, _at in found.rows:
        counts[sort_value] = counts.get(sort_value, 0) + 1
    is_shared = about.info is None or about.info.tie_break != "earliest"
    return [
        Place(
            rank=rank,
            tied=is_shared and counts[sort_value] > 1,
            person=persons[player],
            score=about.score(sort_value),
            delta=past[player] - rank if player in past else None,
            is_new=knows_all and player not in past,
        )
        for player, rank, sort_value, _at in rows
    ]
