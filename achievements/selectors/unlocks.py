"""Unlocks that players have, and what they add up to."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q

from achievements.models import FlaggedUnlock, PlayerGame, PlayerTotal, Progress, Unlock
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
    return {row.achievement_id: as_held(row) for row in rows}


def flagged_of(player_id: int, *, game_id: int) -> dict[int, datetime]:
    """Return by achievement when a player unlocked what somebody has to look at before it counts."""
    rows = FlaggedUnlock.objects.filter(player_id=player_id, game_id=game_id, state=FlaggedUnlock.State.OPEN)
    return dict(rows.values_list("achievement_id", "unlocked_at"))


# One look into the index for each achievement; the game's players have none that would do.
_ANY_IN = """
SELECT EXISTS (SELECT FROM achievements_achievement a
                 CROSS JOIN LATERAL (SELECT FROM achievements_unlock u WHERE u.achievement_id = a.id LIMIT 1) AS held
                WHERE a.game_id = $1)
"""


def any_in(game_id: int) -> bool:
    """Say whether anybody has unlocked anything in a game."""
    return bool(run_prepared(_ANY_IN, [game_id])[0][0])


@dataclass(frozen=True, slots=True)
class UnlockOf:
    """An unlock of a known achievement."""

    player_id: int
    achievement_id: int
    points: int
    unlocked_at: datetime
    heard_at: datetime


def unlocks_after(
    achievement_id: int, *, since: datetime | None, player_id: int, limit: int
) -> list[UnlockOf]:
    """Return an achievement's unlocks after one of them, or from the first one on, by time and player."""
    rows = Unlock.objects.filter(achievement_id=achievement_id)
    if since is not None:
        later = Q(unlocked_at__gt=since) | Q(unlocked_at=since, player_id__gt=player_id)
        rows = rows.filter(later, unlocked_at__gte=since)
    columns = ("player_id", "achievement_id", "points", "unlocked_at", "heard_at")
    return [UnlockOf(*row) for row in rows.order_by("unlocked_at", "player_id").values_list(*columns)[:limit]]


def progress_of(player_ids: Collection[int], achievement_ids: Collection[int]) -> list[tuple[int, int, int]]:
    """Return how far players are with achievements, `(player, achievement, how far)` for each progress there is."""
    rows = Progress.objects.filter(player_id__in=player_ids, achievement_id__in=achievement_ids)
    return list(rows.values_list("player_id", "achievement_id", "current"))


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
    return [as_held(row) for row in rows.order_by("-unlocked_at")[:limit]]


_RAREST = """
SELECT u.achievement_id
  FROM achievements_unlock u
  JOIN achievements_gameplayers g ON g.game_id = u.game_id AND g.players > 0
  JOIN achievements_achievementcount c ON c.achievement_id = u.achievement_id
 WHERE u.player_id = $1 AND u.unlocked_at >= $2 AND u.unlocked_at < $3
   AND (u.game_id = ANY($4::bigint[]) OR $4 IS NULL)
 ORDER BY c.unlocked::numeric / g.players, u.unlocked_at LIMIT $5
"""


def rarest_unlocks(
    player_id: int, *, since: datetime, before: datetime, game_ids: Collection[int] | None, limit: int
) -> list[HeldUnlock]:
    """Return a player's unlocks of a time that the fewest have today, the rarest first."""
    games = None if game_ids is None else array_literal(game_ids)
    ids = [row[0] for row in run_prepared(_RAREST, [player_id, since, before, games, limit])]
    rows = {
        row.achievement_id: row for row in Unlock.objects.filter(player_id=player_id, achievement_id__in=ids)
    }
    return [as_held(rows[pk]) for pk in ids if pk in rows]


def first_and_last(
    player_id: int, *, since: datetime, before: datetime, game_ids: Collection[int] | None
) -> list[HeldUnlock]:
    """Return a player's first and last unlock of a time: two, one, or none."""
    rows = Unlock.objects.filter(player_id=player_id, unlocked_at__gte=since, unlocked_at__lt=before)
    if game_ids is not None:
        rows = rows.filter(game_id__in=game_ids)
    ends = [
        rows.order_by("unlocked_at", "achievement_id").first(),
        rows.order_by("-unlocked_at", "-achievement_id").first(),
    ]
    found = [row for row in ends if row is not None]
    return [as_held(row) for row in dict.fromkeys(found)]


def unlocks_since(player_id: int, since: datetime) -> list[HeldUnlock]:
    """Return a player's unlocks from `since` on, oldest first (at most 5,000, for a curve)."""
    rows = Unlock.objects.filter(player_id=player_id, unlocked_at__gte=since).order_by("unlocked_at")[:5000]
    return [as_held(row) for row in rows]


def as_held(row: Unlock) -> HeldUnlock:
    """Return a row as others need it."""
    return HeldUnlock(
        row.achievement_id, row.game_id, row.points, row.unlocked_at, row.heard_at, row.event_id
    )


def totals_of(player_id: int) -> list[GameTotal]:
    """Return a player's totals in every game, most points first."""
    rows = PlayerGame.objects.filter(player_id=player_id).order_by("-points", "game_id")
    return [GameTotal(row.game_id, row.points, row.unlocked, row.last_unlock_at) for row in rows]


def overall_of(player_id: int) -> tuple[int, int]:
    """Return a player's points and unlocks over all games."""
    row = PlayerTotal.objects.filter(player_id=player_id).values_list("points", "unlocked").first()
    return row or (0, 0)


_HOLDS = """
SELECT EXISTS (SELECT FROM achievements_playertotal WHERE player_id = $1)
    OR EXISTS (SELECT FROM achievements_progress WHERE player_id = $1)
    OR EXISTS (SELECT FROM achievements_played WHERE player_id = $1)
    OR EXISTS (SELECT FROM achievements_flaggedunlock WHERE player_id = $1)
    OR EXISTS (SELECT FROM achievements_playerreport WHERE player_id = $1)
"""


def holds_anything(player_id: int) -> bool:
    """Say whether a player has or had an unlock, progress, or anything that he was counted for (PLAYER_HOLDINGS)."""
    held: bool = run_prepared(_HOLDS, [player_id])[0][0]
    return held
