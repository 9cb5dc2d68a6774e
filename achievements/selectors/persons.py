"""What one person did in a studio's games, in the order of time: for who looks after players.

Lists are newest first by `(time, id)`, from before a place on; each reads by an index of the player.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.utils.translation import ngettext

from achievements import evidence
from achievements.selectors.flagged import names_told
from achievements.selectors.unlocks import GameTotal, HeldUnlock
from core import spoken
from core.db import array_literal, run_prepared


class Place(NamedTuple):
    """Where a list goes on: behind this time and, at the same time, behind this id."""

    at: datetime
    id: int


class Sums(NamedTuple):
    """What a player's unlocks in a studio's games add up to, and when the last one was."""

    points: int
    unlocked: int
    last_unlock_at: datetime | None


_SUMS = """
SELECT player_id, sum(points)::bigint, sum(unlocked)::bigint, max(CASE WHEN unlocked > 0 THEN last_unlock_at END)
  FROM achievements_playergame WHERE player_id = ANY($1::bigint[]) AND studio_id = $2 GROUP BY player_id
"""


def sums(studio_id: int, player_ids: Iterable[int]) -> dict[int, Sums]:
    """Return what players have in a studio's games, in one query; without those who never had anything."""
    return {row[0]: Sums(*row[1:]) for row in run_prepared(_SUMS, [array_literal(player_ids), studio_id])}


_TOTALS = """
SELECT game_id, points, unlocked, CASE WHEN unlocked > 0 THEN last_unlock_at END
  FROM achievements_playergame WHERE player_id = $1 AND studio_id = $2
"""


def totals(studio_id: int, player_id: int) -> dict[int, GameTotal]:
    """Return what a player has in each of a studio's games, by game, in one query."""
    return {row[0]: GameTotal(*row) for row in run_prepared(_TOTALS, [player_id, studio_id])}


_MOST_HEADS = 200
# Only the achievements that were unlocked last can have anything to say, and only from the last of these heads on.
_LATEST = """
WITH heads AS MATERIALIZED (
    SELECT a.id, head.unlocked_at
      FROM achievements_achievement a CROSS JOIN LATERAL (
          SELECT u.unlocked_at FROM achievements_unlock u WHERE u.achievement_id = a.id
           ORDER BY u.unlocked_at DESC LIMIT 1) AS head
     WHERE a.game_id = ANY($1::bigint[]) ORDER BY head.unlocked_at DESC LIMIT $3
)
SELECT n.player_id FROM heads CROSS JOIN LATERAL (
    SELECT u.player_id, u.unlocked_at FROM achievements_unlock u WHERE u.achievement_id = heads.id
     ORDER BY u.unlocked_at DESC LIMIT $2) AS n
 GROUP BY n.player_id ORDER BY max(n.unlocked_at) DESC, n.player_id LIMIT $2
"""


def latest(game_ids: Collection[int], *, limit: int) -> list[int]:
    """Return who unlocked anything in the games last, the last one first; in one query.

    Somebody who alone has very many achievements may take the places of others.
    """
    return [row[0] for row in run_prepared(_LATEST, [array_literal(game_ids), limit, _MOST_HEADS])]


_UNLOCKS = """
SELECT achievement_id, game_id, points, unlocked_at, heard_at, event_id FROM achievements_unlock
 WHERE player_id = $1 AND game_id = ANY($2::bigint[]) AND unlocked_at <= $3::timestamptz
   AND (unlocked_at, achievement_id) < ($3::timestamptz, $4)
 ORDER BY unlocked_at DESC, achievement_id DESC LIMIT $5
"""


def unlocks(player_id: int, *, game_ids: Collection[int], before: Place, limit: int) -> list[HeldUnlock]:
    """Return a player's unlocks in some games, by when the game says that they happened."""
    rows = run_prepared(_UNLOCKS, [player_id, array_literal(game_ids), *before, limit])
    return [HeldUnlock(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Revoked:
    """An unlock that was taken back, by whom and why."""

    id: int
    achievement_id: int
    game_id: int
    points: int
    unlocked_at: datetime
    heard_at: datetime
    event_id: UUID
    revoked_at: datetime
    reason: str
    actor: str


_REVOKED = """
SELECT id, achievement_id, game_id, points, unlocked_at, heard_at, event_id, revoked_at, reason, actor
  FROM achievements_revokedunlock
 WHERE player_id = $1 AND game_id = ANY($2::bigint[]) AND (revoked_at, id) < ($3::timestamptz, $4)
 ORDER BY revoked_at DESC, id DESC LIMIT $5
"""


def revoked(player_id: int, *, game_ids: Collection[int], before: Place, limit: int) -> list[Revoked]:
    """Return what was taken back from a player in some games, by when it was."""
    rows = run_prepared(_REVOKED, [player_id, array_literal(game_ids), *before, limit])
    return [Revoked(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Claimed:
    """An unlock that broke a rule of plausibility: open or rejected, it does not count; approved, it does.

    Attributes:
        why: a sentence for each rule that it broke.
        reason, actor: of who decided; empty while nobody has.

    """

    id: int
    uuid: UUID
    achievement_id: int
    game_id: int
    unlocked_at: datetime
    why: tuple[str, ...]
    state: str
    reason: str
    actor: str


_CLAIMED = """
SELECT id, uuid, achievement_id, game_id, unlocked_at, evidence, state, reason, actor
  FROM achievements_flaggedunlock WHERE player_id = $1
"""
_NOT_COUNTING = f"""{_CLAIMED}
   AND game_id = ANY($2::bigint[]) AND state <> 'approved' AND (unlocked_at, id) < ($3::timestamptz, $4)
 ORDER BY unlocked_at DESC, id DESC LIMIT $5
"""
_APPROVED = f"{_CLAIMED} AND achievement_id = ANY($2::bigint[]) AND state = 'approved'"


def flagged(player_id: int, *, game_ids: Collection[int], before: Place, limit: int) -> list[Claimed]:
    """Return what is or was looked at of a player in some games and does not count, by when it is said to be."""
    rows = run_prepared(_NOT_COUNTING, [player_id, array_literal(game_ids), *before, limit])
    return _claimed(rows)


def approved(player_id: int, achievement_ids: Collection[int]) -> dict[int, Claimed]:
    """Return which of a player's unlocks were looked at before they counted, by achievement; in one query."""
    rows = run_prepared(_APPROVED, [player_id, array_literal(achievement_ids)]) if achievement_ids else []
    return {one.achievement_id: one for one in _claimed(rows)}


def _claimed(rows: Iterable[Sequence[Any]]) -> list[Claimed]:
    listed, claims = list(rows), []
    names = names_told((game_id, figures) for _, _, _, game_id, _, figures, *_ in listed)
    for pk, uuid, achievement_id, game_id, unlocked_at, figures, *decision in listed:
        told = evidence.sentences(figures, names=names[game_id])
        claims.append(Claimed(pk, uuid, achievement_id, game_id, unlocked_at, told, *decision))
    return claims


@dataclass(frozen=True, slots=True)
class Met:
    """Conditions of an achievement that held at one moment for the first time: their names and the values then."""

    achievement_id: int
    game_id: int
    met_at: datetime
    event_id: UUID
    conditions: tuple[str, ...]
    values: tuple[float, ...]


_MET = """
SELECT m.achievement_id, a.game_id, m.met_at, (array_agg(m.event_id))[1], array_agg(m.condition ORDER BY m.condition),
       array_agg(m.value::double precision ORDER BY m.condition)
  FROM achievements_conditionmet m JOIN achievements_achievement a ON a.id = m.achievement_id
 WHERE m.player_id = $1 AND a.game_id = ANY($2::bigint[]) AND (m.met_at, m.achievement_id) < ($3::timestamptz, $4)
 GROUP BY m.achievement_id, a.game_id, m.met_at ORDER BY m.met_at DESC, m.achievement_id DESC LIMIT $5
"""


def met(player_id: int, *, game_ids: Collection[int], before: Place, limit: int) -> list[Met]:
    """Return when conditions of achievements held first for a player, by that time."""
    rows = run_prepared(_MET, [player_id, array_literal(game_ids), *before, limit])
    return [
        Met(achievement_id, game_id, met_at, event_id, tuple(conditions), tuple(values))
        for achievement_id, game_id, met_at, event_id, conditions, values in rows
    ]


class Stepped(NamedTuple):
    """How far a player is with an achievement that counts steps of its own."""

    achievement_id: int
    game_id: int
    current: int
    updated_at: datetime


_STEPPED = """
SELECT p.achievement_id, a.game_id, p.current, p.updated_at
  FROM achievements_progress p JOIN achievements_achievement a ON a.id = p.achievement_id
 WHERE p.player_id = $1 AND a.game_id = ANY($2::bigint[]) AND p.achievement_id > $3
 ORDER BY p.achievement_id LIMIT $4
"""


def stepped(player_id: int, *, game_ids: Collection[int], after_id: int = 0, limit: int) -> list[Stepped]:
    """Return how far a player is with achievements that count steps, in the order of their ids."""
    rows = run_prepared(_STEPPED, [player_id, array_literal(game_ids), after_id, limit])
    return [Stepped(*row) for row in rows]


_GAMES = """
SELECT game_id FROM achievements_playergame WHERE player_id = $1 AND studio_id = $2
UNION SELECT a.game_id FROM achievements_progress p JOIN achievements_achievement a ON a.id = p.achievement_id
       WHERE p.player_id = $1 AND a.studio_id = $2
UNION SELECT a.game_id FROM achievements_conditionmet m JOIN achievements_achievement a ON a.id = m.achievement_id
       WHERE m.player_id = $1 AND a.studio_id = $2
"""


def games(studio_id: int, player_id: int) -> set[int]:
    """Return the games of a studio in which a player has or had an unlock, steps or a condition that held."""
    return {row[0] for row in run_prepared(_GAMES, [player_id, studio_id])}


def in_numbers(studio_id: int, player_id: int) -> list[str]:
    """Return in words what a studio's games have of a player's achievements; nothing where that is nothing."""
    held = totals(studio_id, player_id).values()
    unlocked = sum(one.unlocked for one in held)
    if not unlocked:
        return []
    games = ngettext("%(n)s game", "%(n)s games", len(held)) % {"n": spoken.whole(len(held))}
    told = ngettext("%(n)s unlock in %(games)s", "%(n)s unlocks in %(games)s", unlocked)
    return [told % {"n": spoken.whole(unlocked), "games": games}]
