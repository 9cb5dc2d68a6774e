"""A board's standings: a page of it, from the top, behind a cursor or around a player."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from core import clock
from core.clock import from_microseconds
from core.number_field import NumberField
from core.pagination import decode_cursor, encode_cursor
from leaderboards.keys import Board
from leaderboards.listing import Around, Behind, FromOffset, Listing, Row, Where
from leaderboards.portal.asking import Chosen, Person, answer, chosen, people, period_choices, player_named
from leaderboards.rules import scores as rules
from leaderboards.rules.periods import GRACE
from leaderboards.selectors import history, standings, submitted
from leaderboards.selectors.periods import PeriodInfo

A_PAGE = 50
_LONGEST_SCORE = 60
_NOBODY = Listing("shared", 0, 0, 0, [])


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the board; `delta` is by how many places the player rose since a day ago, if that is known."""

    rank: int
    tied: bool
    person: Person
    score: str
    reached_at: datetime
    delta: int | None
    metadata: str
    is_found: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for."""

    period: PeriodInfo
    region: str
    query: str


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def standings_page(request: HttpRequest, visit: Visit, board: str) -> HttpResponse:
    """Show a page of a board in a period and region."""
    about, now = chosen(visit, board), clock.now()
    region = request.GET.get("region", "")
    wanted = Wanted(
        period=about.period(request.GET.get("period", ""), now),
        region=region if region in about.game.regions else "",
        query=request.GET.get("player", "").strip(),
    )
    order = about.order(wanted.period, wanted.region or None)
    centre = player_named(visit, wanted.query) if wanted.query else None
    kind = f"portal {order.name if order else about.key}"
    listing = _listing(order, _where(request, kind, centre.id if centre else None))
    lines = _lines(visit, about, order, listing, centre=centre.id if centre else None, now=now)
    return answer(
        request,
        "standings",
        visit,
        about,
        tab="standings",
        lines=lines[:A_PAGE],
        listing=listing,
        wanted=wanted,
        periods=period_choices(about, wanted.period, now),
        closes_at=wanted.period.ends_at and wanted.period.ends_at + GRACE,
        next_reset=about.next_reset(now),
        is_top=listing.first_place == 0,
        further=_further(wanted, kind, listing),
        what_if=_what_if(request.GET.get("score", ""), about, order),
        missed=_missed(wanted.query, centre is not None, lines),
    )


def _where(request: HttpRequest, kind: str, centre: int | None) -> Where:
    if centre is not None:
        return Around(centre)
    cursor = request.GET.get("cursor")
    return Behind(Row(*decode_cursor(kind, cursor))) if cursor else FromOffset(0)


def _listing(order: Board | None, where: Where) -> Listing:
    """Return a page with a row more than is shown: that one says whether the last is tied, and that it goes on."""
    return _NOBODY if order is None else standings.page(order, where, limit=A_PAGE + 1)


def _further(wanted: Wanted, kind: str, listing: Listing) -> str:
    """Return what asks for the rows behind those that are shown; nothing at the end."""
    if len(listing.rows) <= A_PAGE and not listing.goes_on:
        return ""
    cursor = encode_cursor(kind, list(listing.rows[:A_PAGE][-1]))
    return urlencode({"period": wanted.period.name, "region": wanted.region, "cursor": cursor})


@dataclass(frozen=True, slots=True)
class WhatIf:
    """What rank a score would have that came now; `error` says why it could be none."""

    asked: str
    score: str = ""
    rank: int = 0
    error: str = ""


def _what_if(text: str, about: Chosen, order: Board | None) -> WhatIf | None:
    """Return what was asked of a score, None if nothing was."""
    asked = text.strip()[:_LONGEST_SCORE]
    if not asked:
        return None
    try:
        number = NumberField().clean(asked)
        units = rules.to_units(number, decimals=about.info.decimals if about.info else 0)
    except ValidationError as error:
        return WhatIf(asked, error=" ".join(error.messages))
    except ValueError as error:
        return WhatIf(asked, error=str(error))
    value = rules.sort_value(units, sort=about.info.sort if about.info else "desc")
    rank = 1 if order is None else standings.place(order, value).rank
    return WhatIf(asked, about.score(value), rank)


def _missed(query: str, is_known: bool, lines: list[Line]) -> str:
    """Return why the player who was looked for is not on the page."""
    if not query or any(line.is_found for line in lines):
        return ""
    if not is_known:
        return _("Your studio knows no player by that id.")
    return _("That player is not on this board: no score counts here, or it is hidden.")


def _lines(
    visit: Visit, about: Chosen, order: Board | None, listing: Listing, *, centre: int | None, now: datetime
) -> list[Line]:
    if order is None or not listing.rows:
        return []
    ids = [row.player_id for row in listing.rows]
    ranks = dict(zip(ids, listing.ranks, strict=True))
    persons = people(visit.studio.studio_id, ids)
    deltas = {} if order.region is not None else history.rank_deltas(order, ranks, at=now)
    beside = {} if order.period_id is None else submitted.metadata(order.period_id, ids)
    return [
        Line(
            rank=ranks[row.player_id],
            tied=tied,
            person=persons[row.player_id],
            score=about.score(row.sort_value),
            reached_at=from_microseconds(row.reached_us),
            delta=deltas.get(row.player_id),
            metadata=beside.get(row.player_id, ""),
            is_found=row.player_id == centre,
        )
        for row, tied in zip(listing.rows, ties(listing), strict=True)
    ]


def ties(listing: Listing) -> Iterator[bool]:
    """Say of each row whether its rank is shared, with a row before the page too."""
    values = [row.sort_value for row in listing.rows]
    for place, value in enumerate(values):
        if listing.tie_break == "earliest":
            yield False
        elif place == 0 and listing.before < listing.first_place:
            yield True
        else:
            yield value in (*values[max(0, place - 1) : place], *values[place + 1 : place + 2])
