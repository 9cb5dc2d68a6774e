"""What one person did by day and month in some games, as far as it is kept: for his data's export."""

from collections.abc import Collection
from datetime import date
from typing import NamedTuple

from history import rollups
from history.buckets import Level

_FIRST, _LAST = date(1970, 1, 1), date(9999, 1, 1)


class Done(NamedTuple):
    """What was done in a day or month: one of the player's own days, begun where he lives."""

    at: date
    game_id: int
    unlocks: int
    points: int
    playtime_ms: int


def done(player_id: int, *, level: Level, game_ids: Collection[int]) -> list[Done]:
    """Return what a player did in some games by day or month, oldest first, in one query."""
    found = rollups.activity_within(level, player_id=player_id, since=_FIRST, before=_LAST, game_ids=game_ids)
    rows = [Done(at, game_id, one.unlocks, one.points, one.playtime_ms) for at, game_id, one in found]
    return sorted(rows)
