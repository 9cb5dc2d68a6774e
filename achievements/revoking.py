"""The statement that takes unlocks back: they move to where nothing is changed any more, and totals follow.

The player's totals are locked by statements before it, as a recording of unlocks locks them at its end: so what it
reckons from is all that is there. One player of one game at a time.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from achievements import pacing
from core.db import array_literal, run_prepared

_HOLD = "SELECT FROM achievements_playergame WHERE player_id = $1 AND game_id = $2 FOR UPDATE"
_HOLD_STEPS = """
SELECT FROM achievements_progress WHERE player_id = $1 AND achievement_id = ANY($2::bigint[])
 ORDER BY achievement_id FOR UPDATE
"""
_HOLD_OVERALL = "SELECT FROM achievements_playertotal WHERE player_id = $1 FOR UPDATE"

# Of equal scores who reached it first is listed first: that is when the last of the points that are left were heard of.
_REVOKE = """
WITH clock AS MATERIALIZED (
    SELECT clock_timestamp() AS now
), removed AS (
    DELETE FROM achievements_unlock
     WHERE player_id = $1 AND game_id = $2 AND achievement_id = ANY($3::bigint[])
    RETURNING player_id, achievement_id, game_id, studio_id, points, unlocked_at, heard_at, event_id
), kept AS (
    INSERT INTO achievements_revokedunlock
           (player_id, achievement_id, game_id, studio_id, points, unlocked_at, heard_at, event_id, revoked_at, reason,
            actor)
    SELECT r.*, clock.now, $4, $5 FROM removed r CROSS JOIN clock
), left_over AS MATERIALIZED (
    SELECT max(u.heard_at) FILTER (WHERE u.points > 0) AS reached_at, min(u.unlocked_at) AS first_at,
           max(u.unlocked_at) AS last_at
      FROM achievements_unlock u
     WHERE u.player_id = $1 AND u.game_id = $2 AND NOT u.achievement_id = ANY($3::bigint[])
), left_overall AS MATERIALIZED (
    SELECT max(u.heard_at) AS reached_at
      FROM achievements_unlock u
     WHERE u.player_id = $1 AND u.points > 0 AND NOT u.achievement_id = ANY($3::bigint[])
), gone AS MATERIALIZED (
    SELECT count(*) AS unlocked, coalesce(sum(points), 0) AS points FROM removed
), in_game AS (
    UPDATE achievements_playergame t
       SET points = t.points - gone.points, unlocked = t.unlocked - gone.unlocked, version = t.version + 1,
           points_reached_at = CASE WHEN gone.points = 0 THEN t.points_reached_at
                                    ELSE least(t.points_reached_at, coalesce(left_over.reached_at, clock.now)) END,
           first_unlock_at = coalesce(left_over.first_at, t.first_unlock_at),
           last_unlock_at = coalesce(left_over.last_at, t.last_unlock_at)
      FROM gone, left_over, clock
     WHERE t.player_id = $1 AND t.game_id = $2 AND gone.unlocked > 0
    RETURNING t.player_id, t.region, t.points, t.unlocked, {reached_us}, t.version
), overall AS (
    UPDATE achievements_playertotal t
       SET points = t.points - gone.points, unlocked = t.unlocked - gone.unlocked, version = t.version + 1,
           points_reached_at = CASE WHEN gone.points = 0 THEN t.points_reached_at
                                    ELSE least(t.points_reached_at, coalesce(left_overall.reached_at, clock.now)) END
      FROM gone, left_overall, clock WHERE t.player_id = $1 AND gone.unlocked > 0
    RETURNING t.player_id, t.region, t.points, t.unlocked, {reached_us}, t.version
), announced AS (
    INSERT INTO core_fact (kind, studio_id, size, payload)
    SELECT 'achievements_revoked', min(r.studio_id), count(*),
           json_build_object('game', $2::bigint,
               'revokes', json_agg(json_build_array(r.player_id, r.achievement_id, r.points, {unlocked_us}, {heard_us},
                                                    {revoked_us}) ORDER BY r.achievement_id),
               'totals', (SELECT json_agg({total}) FROM in_game))
      FROM removed r CROSS JOIN clock HAVING count(*) > 0
    UNION ALL
    SELECT 'overall_changed', NULL, 1, json_build_object('totals', json_agg({total}))
      FROM overall HAVING count(*) > 0
)
SELECT r.achievement_id, r.points, clock.now, (SELECT points FROM in_game), (SELECT unlocked FROM in_game)
  FROM removed r CROSS JOIN clock
"""


def _microseconds(column: str) -> str:
    return f"(extract(epoch FROM {column}) * 1000000)::bigint"


REVOKE = _REVOKE.format(
    total="json_build_array(player_id, region, points, unlocked, reached_us, version)",
    reached_us=_microseconds("t.points_reached_at") + " AS reached_us",
    unlocked_us=_microseconds("r.unlocked_at"),
    heard_us=_microseconds("r.heard_at"),
    revoked_us=_microseconds("clock.now"),
)


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken back: points and unlocks are the player's totals in the game afterwards; None if nothing was."""

    achievement_ids: tuple[int, ...]
    points_lost: int
    at: datetime | None
    points: int | None
    unlocked: int | None


def hold_steps(*, player_id: int, achievement_ids: Sequence[int]) -> None:
    """Lock a player's steps, which reports lock before anything else, until the caller's transaction is over."""
    run_prepared(_HOLD_STEPS, [player_id, array_literal(achievement_ids)])


def take_back(
    *, player_id: int, game_id: int, achievement_ids: Sequence[int], reason: str, actor: str
) -> Taken:
    """Take a player's unlocks in a game back, inside the caller's transaction; those not unlocked are passed by.

    Publishes:
        AchievementsRevoked, OverallChanged, if anything was unlocked.

    """
    run_prepared(_HOLD, [player_id, game_id])
    run_prepared(_HOLD_OVERALL, [player_id])
    rows = run_prepared(REVOKE, [player_id, game_id, array_literal(achievement_ids), reason, actor])
    if not rows:
        return Taken((), 0, None, None, None)
    return Taken(
        tuple(sorted(row[0] for row in rows)), sum(row[1] for row in rows), rows[0][2], rows[0][3], rows[0][4]
    )


_ZERO = """
UPDATE achievements_progress
   SET current = 0, updated_at = clock_timestamp(),
       version = greatest(version + 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint)
 WHERE player_id = $1 AND achievement_id = ANY($2::bigint[]) AND current > 0
RETURNING achievement_id
"""
_FORGET = """
DELETE FROM achievements_conditionmet
 WHERE player_id = $1 AND achievement_id = ANY($2::bigint[]) RETURNING achievement_id
"""


def begin_anew(*, player_id: int, achievement_ids: Sequence[int]) -> int:
    """Set a player's steps back to none, forget how fast they came and which conditions held; return of how many."""
    wanted = array_literal(achievement_ids)
    changed = {row[0] for row in run_prepared(_ZERO, [player_id, wanted])}
    pacing.forget(player_id=player_id, achievement_ids=achievement_ids)
    return len(changed | {row[0] for row in run_prepared(_FORGET, [player_id, wanted])})
