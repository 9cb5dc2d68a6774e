"""What stands beside a board: what the visitor has to do, how its period goes on, and how ranks are given."""

from dataclasses import dataclass
from datetime import datetime
from urllib.parse import quote

from leaderboards.listing import Row
from leaderboards.pages import words
from leaderboards.pages.asking import About
from leaderboards.pages.rows import Mine, Person, Reader, Segment
from leaderboards.selectors import periods, standings
from leaderboards.selectors.periods import PeriodInfo
from leaderboards.selectors.standings import FromOffset

_FEW = 20  # on a board of fewer a share says nothing


@dataclass(frozen=True, slots=True)
class Next:
    """Who is the next to be passed, and by how much.

    Attributes:
        gap: the least that the visitor's score has to become better by.
        percent: how much of the other's score the visitor has; None where that says nothing.

    """

    person: Person
    rank: int
    gap: str
    percent: float | None


@dataclass(frozen=True, slots=True)
class You:
    """Where the visitor stands; `share` is empty on a small board, `tied_with` nobody who is not tied on the page.

    `are_more_tied` says whether the rows around him show a third one with his rank.
    """

    rank: int
    tied: bool
    delta: int | None
    total: int
    score: str
    share: str
    tied_with: Person | None
    came_first: bool
    are_more_tied: bool
    next: Next | None
    is_off: bool


@dataclass(frozen=True, slots=True)
class Winner:
    """Who won the period before; `others` is how many share the first rank with him, as far as one page tells."""

    period: str
    url: str
    person: Person
    others: int


def you(reader: Reader, near: Segment) -> You | None:
    """Return what the visitor is told of himself; None for one who is not on the board."""
    mine = reader.mine
    if mine is None:
        return None
    tied_with, came_first, are_more = _tied(near)
    rank = mine.rank
    return You(
        rank=rank.rank,
        tied=rank.tied and reader.about.tie_break != "earliest",
        delta=reader.delta,
        total=rank.total_count,
        score=reader.about.score(rank.sort_value),
        share=words.share(rank.before, rank.total_count) if rank.total_count >= _FEW else "",
        tied_with=tied_with,
        came_first=came_first,
        are_more_tied=are_more,
        next=_next(reader, mine),
        is_off=mine.own is not None,
    )


def _tied(near: Segment) -> tuple[Person | None, bool, bool]:
    """Return a neighbour who shares the visitor's rank, whether that one is listed before him, and whether more do."""
    lines = near.lines
    place = next((n for n, line in enumerate(lines) if line.is_me), None)
    if place is None or not lines[place].tied:
        return None, False, False
    are_more = sum(line.rank == lines[place].rank for line in lines) > 2
    for other, is_before in ((place - 1, True), (place + 1, False)):
        if 0 <= other < len(lines) and lines[other].rank == lines[place].rank:
            return lines[other].person, is_before, are_more
    return None, False, False


def _next(reader: Reader, mine: Mine) -> Next | None:
    """Return the last of those with a better score: he who is there to be passed."""
    order = reader.about.order
    if order is None or mine.rank.before == 0:
        return None
    where = FromOffset(mine.rank.before - 1)
    if reader.circle is not None:
        listing = standings.among(order, reader.circle, where, limit=1)
    else:
        listing = standings.page(order, where, limit=1)
    if not listing.rows or listing.rows[0].sort_value >= mine.rank.sort_value:
        return None  # the board moved on meanwhile
    ahead = listing.rows[0]
    return Next(
        person=reader.persons([ahead.player_id])[ahead.player_id],
        rank=listing.ranks[0],
        gap=words.gap(reader.about.info, mine.rank.sort_value - ahead.sort_value + 1),
        percent=_percent(reader.about, mine.rank.sort_value, ahead),
    )


def _percent(about: About, sort_value: int, ahead: Row) -> float | None:
    """Return how near a score is to the one ahead, as a share of the larger of both; of scores around 0 nothing."""
    sort = "desc" if about.info is None else about.info.sort
    own, other = (-sort_value, -ahead.sort_value) if sort == "desc" else (ahead.sort_value, sort_value)
    return 100 * own / other if 0 <= own <= other and other > 0 else None


def winner(about: About, *, at: datetime, me: Reader) -> Winner | None:
    """Return who won the period before the one that is shown; None where there is none, or it is not final yet."""
    before = _before(about, at)
    if before is None or before.id is None or before.state != "final" or about.info is None:
        return None
    listing = standings.page(about.info.order(before.id), FromOffset(0), limit=10)
    if not listing.rows:
        return None
    first = listing.rows[0]
    person = me.persons([first.player_id])[first.player_id]
    others = sum(rank == listing.ranks[0] for rank in listing.ranks) - 1
    return Winner(words.period(before), about.link(span="", period=before.name, region=""), person, others)


def _before(about: About, at: datetime) -> PeriodInfo | None:
    if about.info is None or about.period.starts_at is None:
        return None
    moment = at if about.is_current else about.period.starts_at
    return periods.previous(about.info, about.period.span, at=moment)


def standings_file(about: About) -> str:
    """Return the address of a final period's standings as a file; empty for one that is not final."""
    if about.game is None or about.info is None or about.period.standings_hash is None:
        return ""
    board, period = quote(about.key, safe=""), quote(about.period.name, safe="")
    return f"/api/v1/leaderboards/{about.game.uuid}/{board}/periods/{period}/standings"
