"""Boards as PostgreSQL has them: what Valkey is filled from, and what answers while it is not.

Two orders meet here and leave alike: points, which achievements keep, and scores, which we keep ourselves.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, cast

from django.db import connection, transaction

from achievements.selectors import standings as points
from achievements.selectors.standings import Standing
from core.clock import from_microseconds, microseconds
from core.db import array_literal, run_prepared
from leaderboards import scores
from leaderboards.keys import Board
from leaderboards.listing import Around, Behind, Listing, Place, Rank, Row, Where, first_place_around
from leaderboards.models import Period, PeriodState
from leaderboards.rules import ranks
from leaderboards.rules.estimates import Sketch, step_of
from leaderboards.rules.ranks import TieBreak
from leaderboards.scores import Placed

_LIVE = (PeriodState.OPEN, PeriodState.FINALISING)


class Entry(NamedTuple):
    """A player's place on a board; a higher `version` is newer."""

    player_id: int
    sort_value: int
    reached_us: int
    version: int

    @property
    def row(self) -> Row:
        """The place without its version."""
        return Row(self.player_id, self.sort_value, self.reached_us)


def boards(*, game_id: int | None = None) -> list[Board]:
    """Return every board that Valkey should hold, or those of one game: in all regions, then in each.

    Those are all points boards that anybody is on, and the scores of all periods that may still change.
    """
    listed = [Board(*scope) for scope in points.scopes() if game_id is None or scope[0] == game_id]
    listed += of_periods(_live_periods(game_id))
    return sorted(listed, key=lambda board: board.region is not None)


def of_periods(periods: Iterable[Period]) -> list[Board]:
    """Return the boards of periods that anybody is on, in one query."""
    whole = {period.pk: _whole(period) for period in periods}
    return [*whole.values(), *(whole[pk]._replace(region=region) for pk, region in scores.regions(whole))]


def _whole(period: Period) -> Board:
    return Board(period.leaderboard.game_id, None, period.pk, cast("TieBreak", period.leaderboard.tie_break))


# Of each board and span, all periods that may still change, and the newest final one.
_KEPT = """
    SELECT id FROM (
        SELECT q.id, q.state, row_number() OVER (PARTITION BY q.leaderboard_id, q.span, q.state = 'final'
                                                 ORDER BY q.starts_at DESC NULLS LAST, q.id DESC) AS age
          FROM leaderboards_period q
         WHERE q.state <> 'discarded' AND q.leaderboard_id IN (
               SELECT leaderboard_id FROM leaderboards_period WHERE id = ANY($1::bigint[]))) AS aged
     WHERE state <> 'final' OR age = 1
"""


def kept(boards: Iterable[Board]) -> set[Board]:
    """Return those of the boards that Valkey goes on holding: none of periods that were reset or are long final."""
    listed = set(boards)
    periods = {board.period_id for board in listed if board.period_id is not None}
    wanted = {row[0] for row in run_prepared(_KEPT, [array_literal(periods)])} if periods else set()
    return {board for board in listed if board.period_id is None or board.period_id in wanted}


def _live_periods(game_id: int | None) -> Iterable[Period]:
    rows = Period.objects.filter(state__in=_LIVE)
    if game_id is not None:
        rows = rows.filter(leaderboard__game_id=game_id)
    return rows.select_related("leaderboard").order_by("id")


def everyone(board: Board) -> Iterator[list[Entry]]:
    """Yield all entries of a board as of one moment, in chunks, in no order."""
    if board.period_id is None:
        for standings in points.everyone(board.game_id, region=board.region):
            yield [_of_points(standing) for standing in standings]
    else:
        for places in scores.everyone(board.period_id, region=board.region):
            yield [_of_score(placed) for placed in places]


def of_players(board: Board, player_ids: Iterable[int]) -> dict[int, Entry]:
    """Return the entries of those players who are on the board."""
    if board.period_id is None:
        standings = points.of_players(board.game_id, player_ids)
        return {pk: _of_points(one) for pk, one in standings.items() if board.region in (None, one.region)}
    places = scores.of_players(board.period_id, player_ids)
    return {pk: _of_score(one) for pk, one in places.items() if board.region in (None, one.region)}


def is_larger_than(board: Board, size: int) -> bool:
    """Say whether more than `size` players are on a board, without counting them all."""
    return bool(page(board, offset=size, limit=1))


def listing(board: Board, where: Where, *, limit: int) -> Listing:
    """Return a page of a board."""
    with _one_moment():
        total = _count(board)
        if isinstance(where, Behind):
            return _behind(board, where.row, limit=limit, total=total)
        if isinstance(where, Around):
            place = _place_of(board, where.player_id, end=total)
            return _from(board, first_place_around(place, size=limit, total=total), limit=limit, total=total)
        return _from(board, where.offset, limit=limit, total=total)


def rank(board: Board, player_id: int) -> Rank | None:
    """Return where a player stands, None when not on the board."""
    with _one_moment():
        entry = of_players(board, [player_id]).get(player_id)
        return None if entry is None else _rank(board, entry, absent=0)


def rank_if_shown(board: Board, player_id: int) -> Rank | None:
    """Return where a player would stand who is hidden or excluded; None for one who is neither, or has nothing."""
    with _one_moment():
        entry = _absent(board, player_id)
        return None if entry is None else _rank(board, entry, absent=1)


def _rank(board: Board, entry: Entry, *, absent: int) -> Rank:
    """Return an entry's rank; `absent` is 1 for an entry that the board does not count, else 0."""
    before = _count(board, before=entry.sort_value)
    earlier = _tied(board, entry, earlier=True) if board.tie_break == "earliest" else 0
    return Rank(
        rank=ranks.rank_of(
            board.tie_break,
            place=before + earlier,
            before=before,
            scores_before=_scores_before(board, entry.sort_value),
        ),
        sort_value=entry.sort_value,
        reached_us=entry.reached_us,
        total_count=_count(board) + absent,
        tied=_tied(board, entry) + absent > 1,
        before=before,
    )


def _absent(board: Board, player_id: int) -> Entry | None:
    if board.period_id is not None:
        placed = scores.taken_off(board.period_id, player_id)
        return _of_score(placed) if placed and board.region in (None, placed.region) else None
    standing = None if board.game_id is None else points.taken_out(board.game_id, player_id)
    return _of_points(standing) if standing and board.region in (None, standing.region) else None


def place(board: Board, sort_value: int) -> Place:
    """Return what rank a score would have that came now."""
    with _one_moment():
        total, before = _count(board), _count(board, before=sort_value)
        not_behind = _count(board, before=sort_value + 1)
        scores_before = _scores_before(board, sort_value)
    rank = ranks.rank_of(board.tie_break, place=not_behind, before=before, scores_before=scores_before)
    return Place(rank, before, total)


def page(board: Board, *, after: Row | None = None, offset: int = 0, limit: int) -> list[Entry]:
    """Return entries from behind a row, or from the beginning, leaving out `offset`."""
    if board.period_id is None:
        standing = None if after is None else _standing(after)
        found = points.page(board.game_id, region=board.region, after=standing, offset=offset, limit=limit)
        return [_of_points(one) for one in found]
    placed = None if after is None else _placed(after)
    places = scores.page(board.period_id, region=board.region, after=placed, offset=offset, limit=limit)
    return [_of_score(one) for one in places]


def page_before(board: Board, before: Row, *, limit: int) -> list[Entry]:
    """Return the entries just before a row, in their order."""
    if board.period_id is None:
        found = points.page_before(board.game_id, region=board.region, before=_standing(before), limit=limit)
        return [_of_points(one) for one in found]
    places = scores.page_before(board.period_id, region=board.region, before=_placed(before), limit=limit)
    return [_of_score(one) for one in places]


def count_before(board: Board, row: Row, *, most: int) -> int:
    """Return how many entries lie before a row, at most `most`."""
    if board.period_id is None:
        standing = _standing(row)
        return points.count_before(board.game_id, region=board.region, standing=standing, most=most)
    return scores.count_before(board.period_id, region=board.region, placed=_placed(row), most=most)


def count(board: Board) -> int:
    """Return how many players are on a board, by counting them."""
    return _count(board)


def sketch(board: Board) -> Sketch:
    """Return a board in steps (leaderboards/rules/estimates.py); it goes through all of it once."""
    with _one_moment():
        players = _count(board)
        step = step_of(players)
        if board.period_id is None:
            rows = points.steps(board.game_id, region=board.region, step=step)
            found = points.different(board.game_id, region=board.region)
            positions = [(-row[0], microseconds(row[1]), row[2]) for row in rows]
        else:
            rows = scores.steps(board.period_id, region=board.region, step=step)
            found = scores.different(board.period_id, region=board.region)
            positions = [(row[0], microseconds(row[1]), row[2]) for row in rows]
    return Sketch(players, step, positions, [row[3] for row in rows], found)


def scores_before(board: Board, sort_value: int) -> int:
    """Return how many different scores are better, on a dense board; 0 on others."""
    return _scores_before(board, sort_value)


def tied_before(board: Board, entry: Entry) -> int:
    """Return how many of an entry's score are listed before it."""
    return _tied(board, entry, earlier=True)


def _from(board: Board, place: int, *, limit: int, total: int) -> Listing:
    found = page(board, offset=place, limit=limit)
    before = place - _tied(board, found[0], earlier=True) if found else place
    return _listing(board, found, total=total, place=place, before=before)


def _behind(board: Board, row: Row, *, limit: int, total: int) -> Listing:
    found = page(board, after=row, limit=limit)
    if not found:
        return _listing(board, [], total=total, place=total, before=total)
    before = _count(board, before=found[0].sort_value)
    place = before + _tied(board, found[0], earlier=True)
    return _listing(board, found, total=total, place=place, before=before)


def _listing(board: Board, found: list[Entry], *, total: int, place: int, before: int) -> Listing:
    scores_before = _scores_before(board, found[0].sort_value) if found else 0
    rows = [entry.row for entry in found]
    return Listing(board.tie_break, total, place, before, rows, scores_before)


def _place_of(board: Board, player_id: int, *, end: int) -> int:
    """Return a player's place from 0; `end` for one who is not on the board."""
    entry = of_players(board, [player_id]).get(player_id)
    if entry is None:
        return end
    return _count(board, before=entry.sort_value) + _tied(board, entry, earlier=True)


# What both orders are asked. Points are sorted by their negation.


def _count(board: Board, *, before: int | None = None) -> int:
    if board.period_id is None:
        return points.count(board.game_id, region=board.region, above=None if before is None else -before)
    return scores.count(board.period_id, region=board.region, before=before)


def _tied(board: Board, entry: Entry, *, earlier: bool = False) -> int:
    if board.period_id is None:
        standing = _standing(entry.row)
        return points.tied(board.game_id, region=board.region, standing=standing, earlier=earlier)
    return scores.tied(board.period_id, region=board.region, placed=_placed(entry.row), earlier=earlier)


def _scores_before(board: Board, sort_value: int) -> int:
    if not board.is_dense or board.period_id is None:
        return 0
    return scores.different(board.period_id, region=board.region, before=sort_value)


def _of_points(standing: Standing) -> Entry:
    return Entry(standing.player_id, -standing.points, microseconds(standing.reached_at), standing.version)


def _of_score(placed: Placed) -> Entry:
    return Entry(placed.player_id, placed.sort_value, microseconds(placed.reached_at), placed.version)


def _standing(row: Row) -> Standing:
    return Standing(row.player_id, "", -row.sort_value, from_microseconds(row.reached_us), 0)


def _placed(row: Row) -> Placed:
    return Placed(row.player_id, "", row.sort_value, from_microseconds(row.reached_us), 0)


@contextmanager
def _one_moment() -> Iterator[None]:
    """Let all queries inside see the same moment; inside a transaction its own isolation holds."""
    if connection.in_atomic_block:
        yield
        return
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield
