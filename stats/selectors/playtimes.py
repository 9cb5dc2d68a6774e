"""How long players played."""

from dataclasses import dataclass
from datetime import datetime

from stats.models import Playtime as Row


@dataclass(frozen=True, slots=True)
class Playtime:
    """How long a player played a game, in milliseconds, in how many sessions, and since when."""

    game_id: int
    total_ms: int
    sessions: int
    first_at: datetime
    last_seen_at: datetime


def playtimes(
    player_id: int, *, studio_id: int | None = None, game_id: int | None = None, limit: int = 200
) -> list[Playtime]:
    """Return a player's games, of one studio or (None) of all, or only one; the one that was played last first."""
    rows = Row.objects.filter(player_id=player_id)
    if studio_id is not None:
        rows = rows.filter(studio_id=studio_id)
    if game_id is not None:
        rows = rows.filter(game_id=game_id)
    return [
        Playtime(row.game_id, row.total_ms, row.sessions, row.first_at, row.seen_at)
        for row in rows.order_by("-seen_at", "game_id")[:limit]
    ]
