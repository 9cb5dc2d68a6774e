"""A game's boards as the game's page on the player site lists them (GAME_BOARDS)."""

from datetime import datetime
from uuid import UUID

from django.urls import NoReverseMatch, reverse

from achievements.selectors.company import GameBoard
from leaderboards.listing import Rank
from leaderboards.rules import scores, showing
from leaderboards.selectors import definitions, ranks
from leaderboards.selectors.definitions import POINTS, BoardInfo
from leaderboards.selectors.ranks import POINTS_NAME, Ranked

_PERIODS = {
    "all": "All time",
    "day": "Today",
    "week": "This week",
    "month": "This month",
    "cron": "Present period",
}


def of_game(game_id: int, *, game_uuid: UUID, player_id: int | None, at: datetime) -> list[GameBoard]:
    """Return the board of points and the game's own that are not put away, oldest first, in three queries at most.

    With a player also where he stands, as he sees it himself.
    """
    places = {}
    if player_id is not None:
        places = {one.key: one for one in ranks.of_player(game_id, player_id, at=at, himself=True)}
    own = [info for info in definitions.boards(game_id).values() if not info.archived]
    return [
        _board(POINTS, POINTS_NAME, None, game_uuid, places.get(POINTS)),
        *(_board(info.key, info.name, info, game_uuid, places.get(info.key)) for info in own),
    ]


def _board(key: str, name: str, info: BoardInfo | None, game: UUID, place: Ranked | None) -> GameBoard:
    rank = place.rank if place else None
    return GameBoard(
        key=key,
        name=name,
        url=_address(game, key),
        period=_PERIODS[info.main_span if info else "all"],
        order="Lowest first" if info and info.sort == "asc" else "Highest first",
        rank=rank.rank if rank else None,
        tied=rank.tied if rank else False,
        total_count=rank.total_count if rank else 0,
        score=_score(info, rank) if rank else "",
    )


def _score(info: BoardInfo | None, rank: Rank) -> str:
    if info is None:
        return f"{rank.score:,}"
    units = scores.sort_value(rank.sort_value, sort=info.sort)
    return showing.shown(units, decimals=info.decimals, format=info.format)


def _address(game: UUID, key: str) -> str:
    try:
        return reverse("board-page", args=[game, key])
    except NoReverseMatch:  # an instance may do without that page
        return ""
