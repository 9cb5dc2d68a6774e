"""A game's boards: the table, and a new one."""

from dataclasses import dataclass
from datetime import datetime

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_safe

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from accounts.selectors import GameInfo
from core import clock
from core.forms import sent
from core.refusals import Refused
from leaderboards.listing import FromOffset
from leaderboards.portal import words
from leaderboards.portal.asking import Chosen, game_of, to
from leaderboards.portal.forms import NewBoardForm
from leaderboards.selectors import definitions, periods, standings, summaries
from leaderboards.selectors.definitions import BoardInfo
from leaderboards.selectors.periods import PeriodInfo
from leaderboards.selectors.summaries import Summary
from leaderboards.services import editing
from stats.selectors import definitions as stats

A_PAGE = 50
COUNTED = 1_000  # entries of a board; each is looked at
_STATES = {
    "": gettext_lazy("All"),
    "open": gettext_lazy("Taking scores"),
    "archived": gettext_lazy("Archived"),
}
_NOTHING = Summary(0, None)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table; there are more `entries` if it `counts_on`."""

    board: Chosen
    order: str
    ranks: str
    reset: str
    period: PeriodInfo
    next_reset: datetime | None
    entries: int
    counts_on: bool
    last_at: datetime | None


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def boards(request: HttpRequest, visit: Visit) -> HttpResponse:
    """List a game's boards, those that fit the search and the state in the address; points come first."""
    game, now = game_of(visit), clock.now()
    query, state = request.GET.get("q", "").strip(), request.GET.get("state", "")
    state = state if state in _STATES else ""
    everything = [
        Chosen(game, None),
        *(Chosen(game, one) for one in definitions.fresh_boards(game.id).values()),
    ]
    found = [one for one in everything if _fits(one, query, state)]
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    context = {
        "visit": visit,
        "here": "leaderboards",
        "rows": _rows(list(page), now),
        "page": page,
        "query": query,
        "state": state,
        "chips": _STATES.items(),
        "total": len(everything),
    }
    return render(request, "portal/leaderboards/list.html", context)


def _fits(board: Chosen, query: str, state: str) -> bool:
    is_archived = board.info is not None and board.info.archived
    if state and is_archived != (state == "archived"):
        return False
    wanted = query.casefold()
    return any(wanted in text.casefold() for text in (board.key, board.name))


def _rows(listed: list[Chosen], now: datetime) -> list[Row]:
    """Return lines: three queries for all boards together, and a question about points."""
    present = periods.main_periods([one.info for one in listed if one.info is not None], at=now)
    ids = [period.id for period in present.values() if period.id is not None]
    counts = summaries.of_periods(ids, most=COUNTED + 1) if ids else {}
    names = {one.key: order.name for one in listed if (order := one.order(_period(one, present, now)))}
    changes = summaries.last_changes(names.values())
    return [
        _points(one, changes.get(names[one.key]))
        if one.info is None
        else _row(one, one.info, _period(one, present, now), counts, changes.get(names.get(one.key, "")), now)
        for one in listed
    ]


def _period(board: Chosen, present: dict[int, PeriodInfo], now: datetime) -> PeriodInfo:
    if board.info is None:
        return board.current(now)
    window = board.info.window(board.info.main_span, now)
    return present.get(board.info.id) or PeriodInfo(
        None, window.span, window.id, window.starts_at, window.ends_at, "open"
    )


def _points(board: Chosen, changed_at: datetime | None) -> Row:
    order = board.order(board.current(clock.now()))
    assert order is not None
    return Row(
        board=board,
        order=_("More is better · sum of unlocks"),
        ranks=words.EXAMPLES["shared"],
        reset=words.label(words.RESETS, "never"),
        period=board.current(clock.now()),
        next_reset=None,
        entries=standings.page(order, FromOffset(0), limit=1).total,
        counts_on=False,
        last_at=changed_at,
    )


def _row(
    board: Chosen,
    info: BoardInfo,
    period: PeriodInfo,
    counts: dict[int, Summary],
    changed_at: datetime | None,
    now: datetime,
) -> Row:
    """Return a line. The last score is exact where all of them were looked at, else of the last snapshot."""
    summary = counts.get(period.id, _NOTHING) if period.id is not None else _NOTHING
    counts_on = summary.entries > COUNTED
    return Row(
        board=board,
        order=words.order_of(info),
        ranks=words.EXAMPLES[info.tie_break],
        reset=words.label(words.RESETS, info.reset),
        period=period,
        next_reset=board.next_reset(now),
        entries=min(summary.entries, COUNTED),
        counts_on=counts_on,
        last_at=(changed_at or summary.newest_at) if counts_on else summary.newest_at,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.WRITE_DEFINITIONS)
def new_board(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Make a board."""
    game = game_of(visit)
    form = NewBoardForm(sent(request), stats=feeding_stats(game))
    if form.is_valid():
        try:
            made = editing.create(game=game, values=form.values, actor=visit.actor, at=clock.now())
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(
                request, _("%(name)s is there: it takes scores from now on.") % {"name": made.name}
            )
            return to(visit, "portal-board", board=made.key)
    context = {"visit": visit, "here": "leaderboards", "form": form}
    return render(request, "portal/leaderboards/new.html", context, status=422 if form.errors else 200)


def feeding_stats(game: GameInfo, *, kept: str | None = None) -> list[tuple[str, str]]:
    """Return the stats that may feed a board, as `(key, name)`; and the one that does, archived or gone."""
    found = {
        one.key: one.name
        for one in stats.fresh_stats(game.id).values()
        if not one.archived or one.key == kept
    }
    if kept is not None:
        found.setdefault(kept, kept)
    return list(found.items())
