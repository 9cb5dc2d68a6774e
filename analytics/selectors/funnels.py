"""Where players stop: how many unlocked a chosen sequence of achievements, in that order."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.core.cache import cache
from django.utils import timezone

from analytics.keys import funnel_key
from analytics.reading import ask

FEWEST: Final = 2
MOST: Final = 8
KEPT_S: Final = 300


@dataclass(frozen=True, slots=True)
class Funnel:
    """A sequence's steps.

    Attributes:
        reached: of each step, how many players unlocked it and all before it, none earlier than the one before.

    """

    as_of: datetime
    reached: tuple[int, ...]


def funnel(game_id: int, achievement_ids: Sequence[int]) -> Funnel:
    """Return how many players reached each step; kept for some minutes.

    Who is banned or excluded counts for nothing, as for rarity.

    Args:
        game_id: whose achievements they are.
        achievement_ids: FEWEST to MOST, each once.

    """
    key = funnel_key(game_id, achievement_ids)
    kept = cache.get(key)
    if isinstance(kept, Funnel):
        return kept
    found = Funnel(timezone.now(), _count(game_id, achievement_ids))
    cache.set(key, found, KEPT_S)
    return found


def _count(game_id: int, achievement_ids: Sequence[int]) -> tuple[int, ...]:
    steps = range(1, len(achievement_ids) + 1)
    times = ", ".join(f"max(unlocked_at) FILTER (WHERE achievement_id = ${n + 1}) AS t{n}" for n in steps)
    in_order = [
        " AND ".join(["t1 IS NOT NULL", *(f"t{n} >= t{n - 1}" for n in range(2, upto + 1))]) for upto in steps
    ]
    counted = ", ".join(f"count(*) FILTER (WHERE {condition})" for condition in in_order)
    ids = ", ".join(f"${n + 1}" for n in steps)
    sql = f"""
        SELECT {counted} FROM (
            SELECT {times} FROM achievements_unlock u
             WHERE achievement_id IN ({ids})
               AND NOT EXISTS (SELECT FROM achievements_played p
                                WHERE p.player_id = u.player_id AND p.game_id = $1 AND NOT p.counts)
             GROUP BY player_id) AS held
    """  # noqa: S608 - numbers of parameters only
    return tuple(ask(sql, [game_id, *achievement_ids])[0])
