"""Boards as PostgreSQL has them: what Valkey is filled from, and what answers while it is not."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from django.db import connection, transaction

from achievements.selectors import standings
from achievements.selectors.standings import Standing
from core.clock import from_microseconds, microseconds
from leaderboards.keys import Board
from leaderboards.listing import Around, Behind, Listing, Rank, Row, Where, first_place_around


def boards(*, game_id: int | None = None) -> list[Board]:
    """Return every board that anybody is on, or those of one game: in all regions, then in each."""
    scopes = standings.scopes()
    listed = [Board(*scope) for scope in scopes if game_id is None or scope[0] == game_id]
    return sorted(listed, key=lambda board: board.region is not None)


def everyone(board: Board) -> Iterator[list[Standing]]:
    """Yield all standings of a board as of one moment, in chunks, in no order."""
    return standings.everyone(board.game_id, region=board.region)


def of_players(board: Board, player_ids: Iterable[int]) -> dict[int, Standing]:
    """Return the standings of those players who are on the board."""
    found = standings.of_players(board.game_id, player_ids)
    return {pk: row for pk, row in found.items() if board.region in (None, row.region)}


def is_larger_than(board: Board, size: int) -> bool:
    """Say whether more than `size` players are on a board, without counting them all."""
    return bool(standings.page(board.game_id, region=board.region, offset=size, limit=1))


def listing(board: Board, where: Where, *, limit: int) -> Listing:
    """Return a page of a board."""
    with _one_moment():
        total = standings.count(board.game_id, region=board.region)
        if isinstance(where, Behind):
            return _behind(board, where.row, limit=limit, total=total)
        if isinstance(where, Around):
            place = _place_of(board, where.player_id, end=total)
            return _from(board, first_place_around(place, size=limit, total=total), limit=limit, total=total)
        return _from(board, where.offset, limit=limit, total=total)


def rank(board: Board, player_id: int) -> Rank | None:
    """Return where a player stands, None when not on the board."""
    with _one_moment():
        standing = of_players(board, [player_id]).get(player_id)
        if standing is None:
            return None
        total = standings.count(board.game_id, region=board.region)
        before = standings.count(board.game_id, region=board.region, above=standing.points)
        same = standings.tied(board.game_id, region=board.region, standing=standing)
    return Rank(before + 1, standing.points, total, tied=same > 1)


def _from(board: Board, place: int, *, limit: int, total: int) -> Listing:
    found = standings.page(board.game_id, region=board.region, offset=place, limit=limit)
    before = place - _earlier(board, found[0]) if found else place
    return Listing(total, place, before, [_row(standing) for standing in found])


def _behind(board: Board, row: Row, *, limit: int, total: int) -> Listing:
    after = Standing(row.player_id, "", row.score, from_microseconds(row.reached_us), 0)
    found = standings.page(board.game_id, region=board.region, after=after, limit=limit)
    if not found:
        return Listing(total, total, total, [])
    before = standings.count(board.game_id, region=board.region, above=found[0].points)
    return Listing(total, before + _earlier(board, found[0]), before, [_row(standing) for standing in found])


def _place_of(board: Board, player_id: int, *, end: int) -> int:
    """Return a player's place from 0; `end` for one who is not on the board."""
    standing = of_players(board, [player_id]).get(player_id)
    if standing is None:
        return end
    above = standings.count(board.game_id, region=board.region, above=standing.points)
    return above + _earlier(board, standing)


def _earlier(board: Board, standing: Standing) -> int:
    return standings.tied(board.game_id, region=board.region, standing=standing, earlier=True)


def _row(standing: Standing) -> Row:
    return Row(standing.player_id, standing.points, microseconds(standing.reached_at))


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
