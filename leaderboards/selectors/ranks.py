"""Where one player stands on every board of a game."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from leaderboards.keys import Board
from leaderboards.listing import Rank
from leaderboards.selectors import definitions, moderated, periods, standings
from leaderboards.selectors.definitions import POINTS, BoardInfo
from leaderboards.selectors.periods import PeriodInfo

_Listed = tuple[str, str, BoardInfo | None, PeriodInfo, Board]
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


def across(
    game_ids: Sequence[int], player_id: int, *, at: datetime
) -> tuple[Rank | None, dict[int, list[Ranked]]]:
    """Return where a player stands over all games, and on the boards of some: points and the present main periods.

    In two queries and one round trip to Valkey; what that does not know PostgreSQL counts. A board he is not on is left
    out.
    """
    listed: list[tuple[int, _Listed]] = [
        (game_id, (POINTS, POINTS_NAME, None, ALL_TIME, Board(game_id, None))) for game_id in game_ids
    ]
    listed += [(info.game_id, _row(info, period)) for info, period in _present(game_ids, at=at)]
    found = standings.ranks([Board(None, None), *(row[-1] for _, row in listed)], player_id)
    ranked: dict[int, list[Ranked]] = {game_id: [] for game_id in game_ids}
    for (game_id, row), rank in zip(listed, found[1:], strict=True):
        if rank is not None:
            ranked[game_id].append(Ranked(*row, rank=rank))
    return found[0], ranked


def _own(game_id: int, *, at: datetime) -> list[_Listed]:
    boards = [info for info in definitions.boards(game_id).values() if not info.archived]
    return [_row(info, period) for info, period in _in_present(boards, at=at)]


def _present(game_ids: Sequence[int], *, at: datetime) -> list[tuple[BoardInfo, PeriodInfo]]:
    return _in_present(definitions.boards_of(game_ids), at=at)


def _in_present(boards: Sequence[BoardInfo], *, at: datetime) -> list[tuple[BoardInfo, PeriodInfo]]:
    current = periods.main_periods(boards, at=at)
    return [
        (info, period)
        for info in boards
        if (period := current.get(info.id)) is not None and period.id is not None
    ]


def _row(info: BoardInfo, period: PeriodInfo) -> _Listed:
    assert period.id is not None  # those in the present have one
    return info.key, info.name, info, period, info.order(period.id)
