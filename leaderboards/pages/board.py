"""A board: the first three, the first places, the visitor's own, and what stands beside them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts.visitors import Visitor, visitor_of
from core import clock
from core.pagination import decode_cursor, encode_cursor
from core.public_pages import public_page
from leaderboards.pages import side, words
from leaderboards.pages.asking import QUERY, About, about
from leaderboards.pages.rows import BRIEF, FIRST, MOVED, Line, Reader, Segment
from leaderboards.rules.periods import GRACE
from leaderboards.selectors import periods, summaries
from leaderboards.selectors.definitions import POINTS
from leaderboards.selectors.periods import PeriodInfo

PODIUM: Final = 3
SHORT: Final = 11  # signs of a score
LISTED: Final = 50  # periods of a page
COUNTED: Final = 10_000  # players of a period that may still change
LIVE_EVERY_S: Final = 60


@dataclass(frozen=True, slots=True)
class Standings:
    """What is shown of a board: the places from the top, those around the visitor, and how many lie between."""

    podium: tuple[Line, ...]
    top: Segment
    between: int
    near: Segment | None

    @property
    def is_long(self) -> bool:
        """Whether a score of the first three has no room beside the others' on a phone."""
        return any(len(line.score) > SHORT for line in self.podium)

    @property
    def last(self) -> Segment:
        """The segment behind which the board goes on."""
        return self.near or self.top

    @property
    def lines(self) -> tuple[Line, ...]:
        """The rows of the table's first part: behind the podium."""
        return self.top.lines[len(self.podium) :]


@require_safe
@public_page(query=QUERY, kept_s=0)
def global_board(request: HttpRequest) -> HttpResponse:
    """Show the board over all games."""
    return _board(request, None, POINTS)


@require_safe
@public_page(query=QUERY, kept_s=0)
def board_page(request: HttpRequest, game: UUID, board: str) -> HttpResponse:
    """Show a game's board; `part` answers a part of it to the page's script."""
    return _board(request, game, board)


def _board(request: HttpRequest, game: UUID | None, key: str) -> HttpResponse:
    visitor, now = visitor_of(request), clock.now()
    shown = about(request, game, key, visitor=visitor, at=now)
    if request.GET.get("view") == "periods" and shown.info is not None:
        return _periods(request, shown, now)
    reader = Reader(shown, visitor, at=now)
    cursor, part = request.GET.get("cursor", ""), request.GET.get("part", "")
    common = _common(shown)
    if cursor:
        return _further(request, reader, cursor, common, only_rows=part == "rows")
    context = common | _first_page(reader, visitor, now)
    return render(request, f"player/boards/{'live' if part == 'live' else 'board'}.html", context)


def _first_page(reader: Reader, visitor: Visitor | None, now: datetime) -> dict[str, Any]:
    shown, found = reader.about, _standings(reader)
    return {
        "standings": found,
        "you": side.you(reader, found.near or found.top),
        "winner": side.winner(shown, at=now, me=reader),
        "since": _since(shown, found.top.since, now),
        "tie_rule": words.ties(shown.tie_break, info=shown.info),
        "present": words.PRESENT.get(shown.period.span) if shown.is_current else "",
        "order_words": words.SORTED["desc" if shown.info is None else shown.info.sort],
        "spans": _spans(shown),
        "regions": _regions(shown),
        "all_regions_url": shown.link(region=""),
        "friends_url": shown.link(friends="" if shown.friends else "1"),
        "present_url": shown.link(period="", span=shown.period.span),
        "live_url": shown.link(part="live"),
        "gap_url": shown.link(cursor=found.top.cursor) if found.between and found.top.cursor else "",
        "more_url": shown.link(cursor=found.last.cursor) if found.last.cursor else "",
        **_empty(shown),
        "next_reset": shown.next_reset(now),
        "standings_file": side.standings_file(shown),
        "is_live": shown.is_live,
        "live_every_s": LIVE_EVERY_S,
        "is_signed_in": visitor is not None,
    }


def _standings(reader: Reader) -> Standings:
    """Return the first places, and the visitor's own where they are not among them."""
    mine = reader.mine
    if mine is None or mine.place < FIRST:
        top = reader.first()
        return Standings(top.lines[:PODIUM], top, 0, None)
    top, near = reader.first(BRIEF), reader.near()
    between = near.lines[0].place - len(top.lines) if near.lines else 0
    return Standings(top.lines[:PODIUM], top, max(0, between), near)


def _further(
    request: HttpRequest, reader: Reader, cursor: str, common: dict[str, Any], *, only_rows: bool
) -> HttpResponse:
    """Answer the places behind a cursor: as a page, or only its rows."""
    found = reader.behind(cursor)
    context = common | {
        "segment": found,
        "since": _since(reader.about, found.since, reader.at),
        "further": reader.about.link(cursor=found.cursor) if found.cursor else "",
        "you": side.you(reader, found),
    }
    return render(request, f"player/boards/{'rows' if only_rows else 'further'}.html", context)


def _since(shown: About, at: datetime | None, now: datetime) -> str:
    """Return what the column of changes is called; nothing where there is none."""
    return words.since(at, now=now, days=MOVED.days) if shown.tells_moves else ""


def _common(shown: About) -> dict[str, Any]:
    return {
        "about": shown,
        "here": "boards",
        "default_theme": "dark",
        "columns": words.counted(shown.info),
        "art_seed": str(shown.game.uuid) if shown.game else "all games",
        "self_url": shown.link(),
        "periods_url": f"{shown.url}?view=periods",
        "period_name": words.period(shown.period),
    }


def _spans(shown: About) -> list[tuple[str, str, bool]]:
    """Return the spans that may be chosen, as `(label, address, is it chosen)`; nothing where there is one."""
    if shown.info is None or len(shown.info.spans) < 2:
        return []
    main = shown.info.main_span
    return [
        (
            words.PRESENT[span],
            shown.link(span="" if span == main else span, period=""),
            shown.is_current and span == shown.period.span,
        )
        for span in sorted(shown.info.spans, key=list(words.ORDER).index)
    ]


def _regions(shown: About) -> list[tuple[str, str]]:
    """Return the regions that may be chosen, as `(region, address)`."""
    known = shown.game.regions if shown.game else ()
    return [(region, shown.link(region=region)) for region in known]


def _empty(shown: About) -> dict[str, str]:
    """Return what an empty board says: a fact, and what to do."""
    who = f"Nobody of {shown.region}" if shown.region else "Nobody"
    if shown.friends:
        who = "Neither you nor a friend of yours"
    if not shown.is_live:
        return {"empty_title": f"{who} was on this board.", "empty_text": "It takes no scores any more."}
    text = "The first unlock is first place." if shown.info is None else "Any score is first place."
    within = words.WITHIN[shown.period.span]
    return {"empty_title": f"{who} is on this board {within}.", "empty_text": text}


@dataclass(frozen=True, slots=True)
class Listed:
    """A period in the list of all; `counts_on` where there are more players than were counted."""

    name: str
    url: str
    period: PeriodInfo
    closes_at: datetime | None
    players: int
    counts_on: bool


def _periods(request: HttpRequest, shown: About, now: datetime) -> HttpResponse:
    """List a board's periods, newest first."""
    assert shown.info is not None
    kind, cursor = f"page of periods {shown.info.id}", request.GET.get("cursor", "")
    before = decode_cursor(kind, cursor)[0] if cursor else None
    found = periods.kept(shown.info, before_id=before, limit=LISTED + 1)
    more = encode_cursor(kind, [found[LISTED - 1].id]) if len(found) > LISTED else ""
    context = _common(shown) | {
        "rows": _listed(shown, found[:LISTED]),
        "further": shown.link(view="periods", cursor=more) if more else "",
        "is_first": before is None,
    }
    return render(request, "player/boards/periods.html", context)


def _listed(shown: About, found: list[PeriodInfo]) -> list[Listed]:
    live = [one.id for one in found if one.id is not None and one.players is None]
    counts = summaries.of_periods(live, most=COUNTED + 1) if live else {}

    def line(one: PeriodInfo) -> Listed:
        entries = counts[one.id].entries if one.id in counts else one.players or 0
        return Listed(
            name=words.period(one),
            url=shown.link(span="", period=one.name, region="", friends=""),
            period=one,
            closes_at=one.ends_at and one.ends_at + GRACE,
            players=min(entries, COUNTED) if one.id in counts else entries,
            counts_on=one.id in counts and entries > COUNTED,
        )

    return [line(one) for one in found]
