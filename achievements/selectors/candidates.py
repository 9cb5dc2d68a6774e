"""Who would have an achievement by what he holds already: for a preview, and for the backfill after a change."""

from collections.abc import Sequence
from dataclasses import dataclass

from achievements import goals
from achievements.goals import Goal
from achievements.models import ConditionMet, Type
from achievements.selectors.definitions import Definition, GameCatalogue
from achievements.selectors.progress import Standing
from core.db import array_literal, run_prepared
from stats.selectors import values as stats


@dataclass(frozen=True, slots=True)
class Plan:
    """What it takes to have an achievement: a goal of stats, some others, or steps of its own."""

    game_id: int
    studio_id: int
    achievement_id: int
    goal: Goal | None = None
    needs: tuple[int, ...] = ()
    count: int = 0
    target: int | None = None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A player, and how the game's studio names him."""

    player_id: int
    external_id: str


def plan(catalogue: GameCatalogue, definition: Definition, *, studio_id: int) -> Plan | None:
    """Return what an achievement takes; None for one that a game unlocks by hand."""
    base = Plan(catalogue.game_id, studio_id, definition.id)
    if definition.type == Type.META:
        needs = tuple(catalogue.by_key[key].id for key in definition.requires if key in catalogue.by_key)
        count = definition.requires_count or len(definition.requires)
        return Plan(base.game_id, studio_id, base.achievement_id, needs=needs, count=count)
    goal = catalogue.goals.get(definition.id)
    if goal is not None:
        return Plan(base.game_id, studio_id, base.achievement_id, goal=goal)
    if definition.type == Type.INCREMENTAL:
        return Plan(base.game_id, studio_id, base.achievement_id, target=definition.target)
    return None


_HOLDERS = {
    "steps": """
        SELECT player_id FROM achievements_progress
         WHERE achievement_id = ANY($1::bigint[]) AND player_id > $2 ORDER BY player_id LIMIT $3
    """,
    "unlocks": """
        SELECT DISTINCT player_id FROM achievements_unlock
         WHERE achievement_id = ANY($1::bigint[]) AND player_id > $2 ORDER BY player_id LIMIT $3
    """,
}


def towards(wanted: Plan, *, after: int, limit: int) -> list[int]:
    """Return players who hold anything towards it, by their internal id from `after` on."""
    if wanted.goal is not None:
        return stats.holders(wanted.game_id, goals.stats_of(wanted.goal), after=after, limit=limit)
    kind, ids = ("unlocks", wanted.needs) if wanted.needs else ("steps", (wanted.achievement_id,))
    return [row[0] for row in run_prepared(_HOLDERS[kind], [array_literal(ids), after, limit])]


# The players as the game's studio names them. Left out are the banned and erased, and who has it or had it taken back.
_NAMED = """
SELECT DISTINCT ON (w.player_id) w.player_id, x.external_id FROM unnest($1::bigint[]) AS w (player_id)
  JOIN accounts_playeridentity x ON x.player_id = w.player_id AND x.studio_id = $2 AND x.banned_at IS NULL
  JOIN accounts_player p ON p.id = w.player_id AND p.erased_at IS NULL
 WHERE NOT EXISTS (SELECT FROM achievements_unlock u WHERE u.player_id = w.player_id AND u.achievement_id = $3)
   AND NOT EXISTS (SELECT FROM achievements_revokedunlock r
                    WHERE r.player_id = w.player_id AND r.game_id = $4 AND r.achievement_id = $3)
 ORDER BY w.player_id, x.id
"""
_BY_COUNT = """
SELECT player_id FROM achievements_unlock
 WHERE player_id = ANY($1::bigint[]) AND achievement_id = ANY($2::bigint[]) GROUP BY player_id HAVING count(*) >= $3
"""
_BY_STEPS = """
SELECT player_id FROM achievements_progress
 WHERE player_id = ANY($1::bigint[]) AND achievement_id = ANY($2::bigint[]) AND current >= $3
"""


def reached(wanted: Plan, player_ids: Sequence[int]) -> list[Candidate]:
    """Return those of the players who meet it and don't have it yet."""
    if not player_ids:
        return []
    if wanted.goal is not None:
        met = _by_goal(wanted, wanted.goal, player_ids)
    elif wanted.needs:
        met = _by(_BY_COUNT, player_ids, wanted.needs, wanted.count)
    else:
        met = _by(_BY_STEPS, player_ids, (wanted.achievement_id,), wanted.target or 1)
    named = run_prepared(
        _NAMED, [array_literal(sorted(met)), wanted.studio_id, wanted.achievement_id, wanted.game_id]
    )
    return [Candidate(*row) for row in named]


def _by(query: str, player_ids: Sequence[int], achievement_ids: Sequence[int], least: int) -> set[int]:
    rows = run_prepared(query, [array_literal(player_ids), array_literal(achievement_ids), least])
    return {row[0] for row in rows}


def _by_goal(wanted: Plan, goal: Goal, player_ids: Sequence[int]) -> set[int]:
    kinds = stats.aggregations(wanted.game_id)
    values = stats.values_of((player_id, wanted.game_id) for player_id in player_ids)
    noted = ConditionMet.objects.filter(player_id__in=list(player_ids), achievement_id=wanted.achievement_id)
    met = {player_id: {} for player_id in player_ids}  # type: dict[int, dict[tuple[int, str], ConditionMet]]
    for row in noted:
        met[row.player_id][row.achievement_id, row.condition] = row
    found = set()
    for player_id in player_ids:
        standing = Standing(values=values[player_id, wanted.game_id], kinds=kinds, met=met[player_id])
        if goals.reached(goal, lambda condition, of=standing: of.holds(wanted.achievement_id, condition)):  # type: ignore[misc]
            found.add(player_id)
    return found
