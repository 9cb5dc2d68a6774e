"""Unlocks that players have, and what they add up to."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from achievements.models import PlayerGame, PlayerTotal, Progress, Unlock
from core.db import array_literal, run_prepared


@dataclass(frozen=True, slots=True)
class HeldUnlock:
    """An unlock that a player has."""

    achievement_id: int
    game_id: int
    points: int
    unlocked_at: datetime
    heard_at: datetime
    event_id: UUID


@dataclass(frozen=True, slots=True)
class GameTotal:
    """What a player's unlocks in a game add up to."""

    game_id: int
    points: int
    unlocked: int
    last_unlock_at: datetime | None


def unlocks_of(player_id: int, *, game_id: int) -> dict[int, HeldUnlock]:
    """Return a player's unlocks in a game by achievement."""
    rows = Unlock.objects.filter(player_id=player_id, game_id=game_id)
    return {row.achievement_id: _held(row) for row in rows}


def progress_of(player_id: int, achievement_ids: Iterable[int]) -> dict[int, int]:
    """Return how far a player is with achievements, by achievement; those of no progress are left out."""
    rows = Progress.objects.filter(player_id=player_id, achievement_id__in=list(achievement_ids))
    return dict(rows.values_list("achievement_id", "current"))


_HEARD = """
SELECT u.player_id, u.achievement_id, u.heard_at
  FROM unnest($1::bigint[], $2::bigint[]) AS w (player_id, achievement_id)
  JOIN achievements_unlock u USING (player_id, achievement_id)
"""


def heard_at(pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], datetime]:
    """Return when unlocks were heard of, by player and achievement; those that are locked are left out."""
    columns = [array_literal(column) for column in zip(*pairs, strict=True)]
    rows = run_prepared(_HEARD, columns) if columns else []
    return {(player_id, achievement_id): at for player_id, achievement_id, at in rows}


def recent_unlocks(
    player_id: int, *, game_ids: Collection[int] | None = None, limit: int = 20
) -> list[HeldUnlock]:
    """Return a player's latest unlocks in some games or (None) in all, newest first."""
    rows = Unlock.objects.filter(player_id=player_id)
    if game_ids is not None:
        rows = rows.filter(game_id__in=game_ids)
    return [_held(row) for row in rows.order_by("-unlocked_at")[:limit]]


def unlocks_since(player_id: int, since: datetime) -> list[HeldUnlock]:
    """Return a player's unlocks from `since` on, oldest first (at most 5,000, for a curve)."""
    rows = Unlock.objects.filter(player_id=player_id, unlocked_at__gte=since).order_by("unlocked_at")[:5000]
    return [_held(row) for row in rows]


def _held(row: Unlock) -> HeldUnlock:
    return HeldUnlock(
        row.achievement_id, row.game_id, row.points, row.unlocked_at, row.heard_at, row.event_id
    )


def totals_of(player_id: int) -> list[GameTotal]:
    """Return a player's totals in every game, most points first."""
    rows = PlayerGame.objects.filter(player_id=player_id).order_by("-points", "game_id")
    return [GameTotal(row.game_id, row.points, row.unlocked, row.last_unlock_at) for row in rows]


def most_points(player_ids: Collection[int], *, limit: int) -> list[tuple[int, int, int]]:
    """Return who of some players has the most points over all games: `(player, points, unlocks)`, most first."""
    rows = PlayerTotal.objects.filter(player_id__in=player_ids).order_by("-points", "points_reached_at")
    return list(rows.values_list("player_id", "points", "unlocked")[:limit])


def overall_of(player_id: int) -> tuple[int, int]:
    """Return a player's points and unlocks over all games."""
    row = PlayerTotal.objects.filter(player_id=player_id).values_list("points", "unlocked").first()
    return row or (0, 0)
