"""Who is hidden or excluded: others don't see him there, also not as he stood before; he sees himself."""

from collections.abc import Iterable, Sequence

from leaderboards import scores, truth
from leaderboards.keys import Board
from leaderboards.listing import Rank


def own_entry(board: Board, player_id: int) -> Rank | None:
    """Return where a player would stand if he were shown, himself counted; for answers to that player only.

    None for one who is shown, who has no score there, or who is of another region than the board's.
    """
    return truth.rank_if_shown(board, player_id)


def own_place(board: Board, player_id: int, rank: Rank) -> int:
    """Return how many of those whom everybody sees stand before a player of whom `own_entry` says the rank."""
    return rank.before + truth.tied_before(board, truth.Entry(player_id, rank.sort_value, rank.reached_us, 0))


def own_entries(boards: Sequence[Board], player_id: int) -> dict[Board, Rank]:
    """Return where a player would stand on those of the boards that he was taken off; see `own_entry`."""
    off = scores.taken_off_in([board.period_id for board in boards if board.period_id is not None], player_id)
    asked = [board for board in boards if board.period_id is None or board.period_id in off]
    found = {board: own_entry(board, player_id) for board in asked}
    return {board: rank for board, rank in found.items() if rank is not None}


def shown(board: Board, player_ids: Iterable[int]) -> set[int]:
    """Return who of the players is on the board as everybody sees it now."""
    return set(truth.of_players(board, player_ids))
