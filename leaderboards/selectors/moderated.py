"""Who is hidden or excluded: others don't see him there, also not as he stood before; he sees himself."""

from collections.abc import Iterable

from leaderboards import truth
from leaderboards.keys import Board
from leaderboards.listing import Rank


def own_entry(board: Board, player_id: int) -> Rank | None:
    """Return where a player would stand if he were shown, himself counted; for answers to that player only.

    None for one who is shown, who has no score there, or who is of another region than the board's.
    """
    return truth.rank_if_shown(board, player_id)


def shown(board: Board, player_ids: Iterable[int]) -> set[int]:
    """Return who of the players is on the board as everybody sees it now."""
    return set(truth.of_players(board, player_ids))
