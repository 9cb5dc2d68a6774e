"""Every read of leaderboards: from Valkey where the board is whole there, else from PostgreSQL."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from core.redis import breaker
from leaderboards import reading, truth
from leaderboards.keys import Board
from leaderboards.listing import Around, Behind, FromOffset, Listing, Place, Rank, Row, Where
from leaderboards.reading import NotReady

__all__ = [
    "Around",
    "Behind",
    "Board",
    "FromOffset",
    "Listing",
    "Place",
    "Rank",
    "Row",
    "Where",
    "page",
    "place",
    "places_of",
    "rank",
    "rank_of",
]
T = TypeVar("T")


def page(board: Board, where: Where, *, limit: int) -> Listing:
    """Return a page of a board; past its end it has no rows."""
    return _ask(
        lambda: reading.listing(board, where, limit=limit),
        otherwise=lambda: truth.listing(board, where, limit=limit),
    )


def rank(board: Board, player_id: int) -> Rank | None:
    """Return where a player stands, None when not on the board."""
    return _ask(lambda: reading.rank(board, player_id), otherwise=lambda: truth.rank(board, player_id))


def place(board: Board, sort_value: int) -> Place:
    """Return what rank a score would have that came now."""
    return _ask(lambda: reading.place(board, sort_value), otherwise=lambda: truth.place(board, sort_value))


def rank_of(game_id: int | None, player_id: int) -> Rank | None:
    """Return where a player stands in a game, or over all games (None); None when not on that board."""
    return rank(Board(game_id, None), player_id)


def places_of(player_id: int, *, game_ids: Iterable[int]) -> dict[int, Rank]:
    """Return where a player stands in each of the games whose board he is on, in one round trip."""
    boards = {game_id: Board(game_id, None) for game_id in game_ids}
    found = _ask(lambda: reading.ranks(list(boards.values()), player_id), otherwise=lambda: None)
    places: dict[int, Rank] = {}
    for place, (game_id, board) in enumerate(boards.items()):
        answer = found[place] if found is not None else None
        if found is None or isinstance(answer, NotReady):
            answer = truth.rank(board, player_id)
        if answer is not None:
            places[game_id] = answer
    return places


def _ask(valkey: Callable[[], T], *, otherwise: Callable[[], T]) -> T:
    """Ask Valkey; whatever it can't say now, `otherwise` says. A frozen one is asked again every BREAKER_OPEN_S."""
    try:
        return breaker("boards").call(valkey, otherwise=otherwise)
    except NotReady:
        return otherwise()
