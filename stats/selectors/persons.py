"""What one person holds and how he played in a studio's games: for who looks after players."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.utils.translation import ngettext

from core import spoken
from core.db import array_literal, run_prepared


class Held(NamedTuple):
    """A value that a player holds, and when the game says that he reached it."""

    stat_id: int
    game_id: int
    key: str
    name: str
    aggregation: str
    archived: bool
    value: Decimal
    reached_at: datetime


_HELD = """
SELECT s.id, s.game_id, s.key, s.name, s.aggregation, s.archived_at IS NOT NULL, v.value, v.reached_at
  FROM stats_statvalue v JOIN stats_stat s ON s.id = v.stat_id
 WHERE v.player_id = $1 AND v.studio_id = $2 AND s.game_id = ANY($3::bigint[]) AND s.id > $4
 ORDER BY s.id LIMIT $5
"""


def held(
    studio_id: int, player_id: int, *, game_ids: Collection[int], after_id: int = 0, limit: int
) -> list[Held]:
    """Return what a player holds of some games' stats, in the order of their ids."""
    rows = run_prepared(_HELD, [player_id, studio_id, array_literal(game_ids), after_id, limit])
    return [Held(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Playing:
    """How a player played a game, and the session that he was in last."""

    game_id: int
    total_ms: int
    sessions: int
    first_at: datetime
    started_at: datetime
    seen_at: datetime
    has_ended: bool
    session_ms: int


_PLAYING = """
SELECT game_id, total_ms, sessions, first_at, started_at, seen_at, has_ended, session_ms
  FROM stats_playtime WHERE player_id = $1 AND studio_id = $2
"""


def playing(studio_id: int, player_id: int) -> dict[int, Playing]:
    """Return how a player played each of a studio's games, by game, in one query."""
    return {row[0]: Playing(*row) for row in run_prepared(_PLAYING, [player_id, studio_id])}


_SEEN = """
SELECT player_id, max(seen_at) FROM stats_playtime
 WHERE player_id = ANY($1::bigint[]) AND studio_id = $2 GROUP BY player_id
"""


def seen(studio_id: int, player_ids: Iterable[int]) -> dict[int, datetime]:
    """Return when players were last seen in a studio's games, in one query; who never was is left out."""
    return dict(run_prepared(_SEEN, [array_literal(player_ids), studio_id]))


_GAMES = """
SELECT DISTINCT s.game_id FROM stats_statvalue v JOIN stats_stat s ON s.id = v.stat_id
 WHERE v.player_id = $1 AND v.studio_id = $2 ORDER BY s.game_id
"""


def games_with_values(studio_id: int, player_id: int) -> list[int]:
    """Return the games of a studio in which a player holds a stat, by internal id."""
    return [row[0] for row in run_prepared(_GAMES, [player_id, studio_id])]


_VALUES = "SELECT count(*) FROM stats_statvalue WHERE studio_id = $1 AND player_id = $2"
_SESSIONS = (
    "SELECT coalesce(sum(sessions), 0)::bigint FROM stats_playtime WHERE studio_id = $1 AND player_id = $2"
)


def in_numbers(studio_id: int, player_id: int) -> list[str]:
    """Return in words how many stats and sessions a studio's games have of a player."""
    values, played = (run_prepared(sql, [studio_id, player_id])[0][0] for sql in (_VALUES, _SESSIONS))
    told = []
    if values:
        told.append(ngettext("%(n)s stat", "%(n)s stats", values) % {"n": spoken.whole(values)})
    if played:
        told.append(ngettext("%(n)s session", "%(n)s sessions", played) % {"n": spoken.whole(played)})
    return told
