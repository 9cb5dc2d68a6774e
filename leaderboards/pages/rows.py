"""The rows of a board as its page shows them: who stands where, as the API would say it to the same reader."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import orjson

from accounts import shown
from accounts.selectors import PlayerInfo
from accounts.visitors import Visitor
from core.clock import from_microseconds
from core.pagination import decode_cursor, encode_cursor
from leaderboards.api.pages import Own, with_own
from leaderboards.keys import Board
from leaderboards.listing import first_place_around
from leaderboards.pages import words
from leaderboards.pages.asking import About
from leaderboards.selectors import friends, history, moderated, standings
from leaderboards.selectors.history import Moves
from leaderboards.selectors.standings import Around, Behind, FromOffset, Listing, Rank, Row, Where

FIRST: Final = 50  # places from the top, and of each further page
BRIEF: Final = 10  # from the top where the visitor's own row lies far below
NEAR: Final = 7  # with the visitor's own row in the middle
MOVED: Final = timedelta(days=7)
_NOTHING: Final = Moves(None, {}, frozenset())
_NOBODY: Final[Mapping[str, Any]] = {"id": None, "display_name": "", "avatar_url": "", "region": ""}


@dataclass(frozen=True, slots=True)
class Person:
    """A player as a board shows him; without `id` and name where he is not to be seen."""

    id: UUID | None
    display_name: str
    region: str
    avatar_url: str


@dataclass(frozen=True, slots=True)
class Line:
    """A row; `place` counts from 0, `delta` is by how many places the player rose, None where it is not known."""

    place: int
    rank: int
    tied: bool
    person: Person
    score: str
    reached_at: datetime
    delta: int | None
    is_new: bool
    is_me: bool

    @property
    def place_words(self) -> str:
        """The rank as a podium says it: `2nd, tied`."""
        return words.place(self.rank, tied=self.tied)


@dataclass(frozen=True, slots=True)
class Segment:
    """Rows that follow each other; `cursor` leads to those behind them, empty at the end."""

    lines: tuple[Line, ...] = ()
    cursor: str = ""
    total: int = 0
    exact: bool = True
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class Mine:
    """Where the visitor stands; `own` where nobody else sees him there, `place` from 0."""

    rank: Rank
    place: int
    own: Own | None


class Reader:
    """Reads one view of a board for one reader (None: for anybody), at one time."""

    def __init__(self, about: About, visitor: Visitor | None, *, at: datetime) -> None:
        """Note whom it is read for, and where he stands."""
        self.about, self.at = about, at
        self.me = visitor.player if visitor else None
        self.circle = friends.circle_of(self.me.id) if about.friends and self.me else None
        self.mine = self._mine()
        self.delta = self._my_delta()

    def first(self, limit: int = FIRST) -> Segment:
        """Return the first places."""
        return self.segment(FromOffset(0), limit=limit)

    def near(self) -> Segment:
        """Return the places around the visitor, who is on the board."""
        assert self.mine is not None
        first = first_place_around(self.mine.place, size=NEAR, total=self.mine.rank.total_count)
        return self.segment(FromOffset(first), limit=NEAR)

    def behind(self, cursor: str) -> Segment:
        """Return the places behind a cursor of this view. Raises Malformed."""
        return self.segment(Behind(Row(*decode_cursor(self.about.kind, cursor))), limit=FIRST)

    def segment(self, where: FromOffset | Behind, *, limit: int) -> Segment:
        """Return a page: one row more is read, which says whether the last one is tied."""
        order = self.about.order
        if order is None:
            return Segment()
        listing, ranked, goes_on = self._read(order, where, limit=limit + 1)
        shown_rows, total = ranked[:limit], listing.total
        moves = self._moves(order, shown_rows)
        persons = self.persons([row.player_id for _, row in shown_rows])
        first_tied = listing.before < listing.first_place and self.about.tie_break != "earliest"
        ties = _ties([rank for rank, _ in ranked], first_tied=first_tied)
        first_place = self._first_place(listing, where, shown_rows)
        lines = tuple(
            self._line(first_place + n, rank, row, ties[n], persons[row.player_id], moves)
            for n, (rank, row) in enumerate(shown_rows)
        )
        more = goes_on or len(ranked) > limit
        cursor = encode_cursor(self.about.kind, list(shown_rows[-1][1])) if more and shown_rows else ""
        own_total = self.mine.rank.total_count if self.mine and self.mine.own else total
        return Segment(lines, cursor, own_total, listing.exact, moves.since)

    def _read(
        self, order: Board, where: FromOffset | Behind, *, limit: int
    ) -> tuple[Listing, list[tuple[int, Row]], bool]:
        own = self.mine.own if self.mine else None
        if self.circle is not None:
            listing = standings.among(order, self.circle, where, limit=limit, own=own and own.row)
        elif own is not None:
            listing = standings.page(order, own.start(where), limit=limit)
            return listing, *with_own(listing, own, where, limit=limit)
        else:
            listing = standings.page(order, where, limit=limit)
        return listing, list(zip(listing.ranks, listing.rows, strict=True)), listing.goes_on

    def _first_place(self, listing: Listing, where: Where, rows: Sequence[tuple[int, Row]]) -> int:
        own = self.mine.own if self.mine and self.circle is None else None
        if own is None:
            return listing.first_place
        if isinstance(where, FromOffset):
            return where.offset
        is_before = bool(rows) and rows[0][1] != own.row and own.place <= listing.first_place
        return listing.first_place + (1 if is_before else 0)

    def _mine(self) -> Mine | None:
        order = self.about.order
        if order is None or self.me is None:
            return None
        rank = standings.rank(order, self.me.id)
        own = None if rank else self._own(order)
        if self.circle is not None:
            return self._among_friends(order, own)
        if own is not None:
            found, about_me = own
            return Mine(found, about_me.place, about_me)
        return None if rank is None else Mine(rank, self._place(order, rank), None)

    def _own(self, order: Board) -> tuple[Rank, Own] | None:
        assert self.me is not None
        rank = moderated.own_entry(order, self.me.id)
        if rank is None:
            return None
        row = Row(self.me.id, rank.sort_value, rank.reached_us)
        place = moderated.own_place(order, self.me.id, rank)
        return rank, Own(rank.rank, row, rank.total_count, rank.tied, place)

    def _place(self, order: Board, rank: Rank) -> int:
        """Return a place from 0: only `earliest` says it by the rank."""
        if order.tie_break == "earliest" or not rank.tied:
            return rank.rank - 1 if order.tie_break != "dense" else rank.before
        assert self.me is not None
        around = standings.page(order, Around(self.me.id), limit=1)
        return around.first_place

    def _among_friends(self, order: Board, own: tuple[Rank, Own] | None) -> Mine | None:
        assert self.me is not None
        assert self.circle is not None
        row = own[1].row if own else None
        listing = standings.among(order, self.circle, FromOffset(0), limit=len(self.circle), own=row)
        found = zip(listing.ranks, listing.rows, strict=True)
        for place, (rank, one) in enumerate(found):
            if one.player_id == self.me.id:
                better = sum(other.sort_value < one.sort_value for other in listing.rows)
                tied = sum(other.sort_value == one.sort_value for other in listing.rows) > 1
                mine = Rank(rank, one.sort_value, one.reached_us, listing.total, tied, better)
                return Mine(mine, place, own and own[1])
        return None

    def _moves(self, order: Board, ranked: Sequence[tuple[int, Row]]) -> Moves:
        if not self.about.tells_moves:
            return _NOTHING
        found = history.moves(order, {row.player_id: rank for rank, row in ranked}, at=self.at, back=MOVED)
        if self.delta is None or self.me is None:
            return found
        return replace(found, deltas={**found.deltas, self.me.id: self.delta})

    def _my_delta(self) -> int | None:
        """Return how far the visitor moved, whose rank is kept for himself from now on, wherever he stands."""
        order = self.about.order
        if order is None or self.me is None or self.mine is None or self.mine.own:
            return None
        if not self.about.tells_moves:
            return None
        history.note_watch([order], self.me.id, now=self.at)
        return history.rank_delta(order, self.me.id, self.mine.rank.rank, at=self.at, back=MOVED)

    def persons(self, ids: list[int]) -> dict[int, Person]:
        """Return players as this view shows them."""
        return persons(ids, me=self.me, by_friends=self.about.friends)

    def _line(self, place: int, rank: int, row: Row, tied: bool, person: Person, moves: Moves) -> Line:
        return Line(
            place=place,
            rank=rank,
            tied=tied,
            person=person,
            score=self.about.score(row.sort_value),
            reached_at=from_microseconds(row.reached_us),
            delta=moves.deltas.get(row.player_id),
            is_new=row.player_id in moves.new,
            is_me=self.me is not None and row.player_id == self.me.id,
        )


def persons(ids: list[int], *, me: PlayerInfo | None, by_friends: bool = False) -> dict[int, Person]:
    """Return players by internal ids as boards show them: who is not to be seen is nameless, but to himself."""
    texts = shown.as_json(ids, by_friends=by_friends)
    found = {pk: _person(orjson.loads(texts[pk]) if pk in texts else _NOBODY) for pk in ids}
    if me is not None and me.id in found:
        found[me.id] = Person(me.uuid, me.display_name, me.region, me.avatar_url)
    return found


def _person(said: Mapping[str, Any]) -> Person:
    uuid = UUID(said["id"]) if said["id"] else None
    return Person(uuid, said["display_name"], said["region"], said["avatar_url"])


def _ties(ranks: Sequence[int], *, first_tied: bool) -> list[bool]:
    """Say of each row whether its rank is shared with a neighbour."""
    return [
        (n == 0 and first_tied)
        or (n > 0 and ranks[n - 1] == rank)
        or (n + 1 < len(ranks) and ranks[n + 1] == rank)
        for n, rank in enumerate(ranks)
    ]
