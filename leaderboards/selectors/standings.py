"""Every read of leaderboards: from Valkey where the board is whole there, else from PostgreSQL."""

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from core.redis import breaker
from leaderboards import estimating, reading, truth
from leaderboards.keys import Board
from leaderboards.listing import (
    Around,
    Behind,
    FromOffset,
    Listing,
    Place,
    Rank,
    Row,
    Where,
    among_themselves,
)
from leaderboards.reading import NotReady
from leaderboards.rules.estimates import Sketch

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
    "among",
    "known_places_of",
    "page",
    "place",
    "places_of",
    "rank",
    "rank_of",
    "ranks",
    "ranks_of",
]
T = TypeVar("T")


def page(board: Board, where: Where, *, limit: int) -> Listing:
    """Return a page of a board; past its end it has no rows."""
    return _ask(
        lambda: reading.listing(board, where, limit=limit),
        otherwise=lambda: _or_estimated(
            board,
            lambda sketch: estimating.listing(board, sketch, where, limit=limit),
            lambda: truth.listing(board, where, limit=limit),
        ),
    )


def rank(board: Board, player_id: int) -> Rank | None:
    """Return where a player stands, None when not on the board."""
    return _ask(lambda: reading.rank(board, player_id), otherwise=lambda: _rank(board, player_id))


def place(board: Board, sort_value: int) -> Place:
    """Return what rank a score would have that came now."""
    return _ask(
        lambda: reading.place(board, sort_value),
        otherwise=lambda: _or_estimated(
            board,
            lambda sketch: estimating.place(board, sketch, sort_value),
            lambda: truth.place(board, sort_value),
        ),
    )


def rank_of(game_id: int | None, player_id: int) -> Rank | None:
    """Return where a player stands in a game, or over all games (None); None when not on that board."""
    return rank(Board(game_id, None), player_id)


def ranks(boards: Sequence[Board], player_id: int) -> list[Rank | None]:
    """Return where a player stands on each of several boards, in one round trip; None where he is not on it."""
    found = _ask(lambda: reading.ranks(boards, player_id), otherwise=lambda: None)
    answers = found if found is not None else [NotReady()] * len(boards)
    return [
        _rank(board, player_id) if isinstance(answer, NotReady) else answer
        for board, answer in zip(boards, answers, strict=True)
    ]


def among(
    board: Board,
    player_ids: Sequence[int],
    where: FromOffset | Behind,
    *,
    limit: int,
    own: Row | None = None,
) -> Listing:
    """Return a page of several players ranked among themselves; those who are not on the board are left out.

    `own` is the row of one of them whom the board does not show: the page is for him alone, and he is on it.
    """
    rows = _ask(
        lambda: reading.among(board, player_ids),
        otherwise=lambda: [entry.row for entry in truth.of_players(board, player_ids).values()],
    )
    if own is not None:
        rows = [own, *(row for row in rows if row.player_id != own.player_id)]
    return among_themselves(board.tie_break, rows, where, limit=limit)


def ranks_of(board: Board, player_ids: Sequence[int]) -> list[Rank | None]:
    """Return where several players stand on one board, in one round trip; None for who is not on it."""
    found = _ask(lambda: reading.ranks_of(board, player_ids), otherwise=lambda: None)
    answers = found if found is not None else [NotReady()] * len(player_ids)
    return [
        _rank(board, player_id) if isinstance(answer, NotReady) else answer
        for player_id, answer in zip(player_ids, answers, strict=True)
    ]


def places_of(player_id: int, *, game_ids: Iterable[int]) -> dict[int, Rank]:
    """Return where a player stands in each of the games whose points board he is on, in one round trip."""
    ids = list(game_ids)
    found = ranks([Board(game_id, None) for game_id in ids], player_id)
    return {game_id: rank for game_id, rank in zip(ids, found, strict=True) if rank is not None}


def known_places_of(player_id: int, *, game_ids: Iterable[int]) -> tuple[dict[int, Rank], bool]:
    """Return `places_of` as far as Valkey or a sketch knows, and whether all are known.

    Of the others PostgreSQL would count game by game.
    """
    ids = list(game_ids)
    boards = [Board(game_id, None) for game_id in ids]
    found = _ask(lambda: reading.ranks(boards, player_id), otherwise=lambda: None)
    answers = found if found is not None else [NotReady()] * len(boards)
    known = [
        _if_estimated(board, player_id) if isinstance(answer, NotReady) else answer
        for board, answer in zip(boards, answers, strict=True)
    ]
    places = {game_id: rank for game_id, rank in zip(ids, known, strict=True) if isinstance(rank, Rank)}
    return places, not any(isinstance(rank, NotReady) for rank in known)


def _if_estimated(board: Board, player_id: int) -> Rank | NotReady | None:
    """Return where a player stands on a large board; NotReady for one that is not large."""
    sketch = estimating.sketch_of(board)
    return NotReady() if sketch is None else estimating.rank(board, sketch, player_id)


def _rank(board: Board, player_id: int) -> Rank | None:
    return _or_estimated(
        board,
        lambda sketch: estimating.rank(board, sketch, player_id),
        lambda: truth.rank(board, player_id),
    )


def _or_estimated(board: Board, estimated: Callable[[Sketch], T], counted: Callable[[], T]) -> T:
    """Ask PostgreSQL: by a sketch where the board is too large to be counted through."""
    sketch = estimating.sketch_of(board)
    return counted() if sketch is None else estimated(sketch)


def _ask(valkey: Callable[[], T], *, otherwise: Callable[[], T]) -> T:
    """Ask Valkey; whatever it can't say now, `otherwise` says. A frozen one is asked again every BREAKER_OPEN_S."""
    try:
        return breaker("boards").call(valkey, otherwise=otherwise)
    except NotReady:
        return otherwise()
