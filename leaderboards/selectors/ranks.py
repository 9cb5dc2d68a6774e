"""Where one player stands on every board of a game."""

from dataclasses import dataclass
from datetime import datetime

from leaderboards.keys import Board
from leaderboards.listing import Rank
from leaderboards.selectors import definitions, moderated, periods, standings
from leaderboards.selectors.definitions import POINTS, BoardInfo
from leaderboards.selectors.periods import PeriodInfo

POINTS_NAME = "Points"
ALL_TIME = PeriodInfo(0, "all", "all", None, None, "open")


@dataclass(frozen=True, slots=True)
class Ranked:
    """A board that the player is on; `info` is None for points."""

    key: str
    name: str
    info: BoardInfo | None
    period: PeriodInfo
    order: Board
    rank: Rank


def of_player(game_id: int, player_id: int, *, at: datetime, himself: bool = False) -> list[Ranked]:
    """Return where a player stands on the points board and, in the present main periods, on the game's own.

    Where `himself` asks, also on those that show him to nobody else.
    """
    listed = [(POINTS, POINTS_NAME, None, ALL_TIME, Board(game_id, None)), *_own(game_id, at=at)]
    orders = [order for *_, order in listed]
    found = dict(zip(orders, standings.ranks(orders, player_id), strict=True))
    if himself:
        found |= moderated.own_entries([order for order in orders if found[order] is None], player_id)
    return [Ranked(*board, rank=rank) for board in listed if (rank := found[board[-1]]) is not None]


def _own(game_id: int, *, at: datetime) -> list[tuple[str, str, BoardInfo, PeriodInfo, Board]]:
    boards = [info for info in definitions.boards(game_id).values() if not info.archived]
    current = periods.main_periods(boards, at=at)
    return [
        (info.key, info.name, info, period, info.order(period.id))
        for info in boards
        if (period := current.get(info.id)) is not None and period.id is not None
    ]
