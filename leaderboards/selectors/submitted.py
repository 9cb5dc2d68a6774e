"""What was sent beside scores."""

import time
from collections.abc import Iterable

from core.db import array_literal, run_prepared

_KEPT_S = 1.0
_MOST_KEPT = 10_000
_has_any: dict[int, tuple[float, bool]] = {}

_ANY = """
SELECT EXISTS (SELECT FROM leaderboards_score WHERE period_id = $1 AND metadata IS NOT NULL)
"""
_METADATA = """
SELECT s.player_id, s.metadata FROM unnest($1::bigint[]) AS wanted (player_id)
  JOIN leaderboards_score s ON s.player_id = wanted.player_id AND s.period_id = $2
 WHERE s.metadata IS NOT NULL
"""


def metadata(period_id: int, player_ids: Iterable[int]) -> dict[int, str]:
    """Return players' metadata in a period as JSON text; those who sent none are left out.

    Of a period in which nobody had sent any a second ago nobody's is looked up.
    """
    if not _is_there_any(period_id):
        return {}
    return dict(run_prepared(_METADATA, [array_literal(player_ids), period_id]))


def forget() -> None:
    """Empty what this process keeps (between tests)."""
    _has_any.clear()


def _is_there_any(period_id: int) -> bool:
    since, found = _has_any.get(period_id, (float("-inf"), False))
    now = time.monotonic()
    if not found and now - since > _KEPT_S:
        found = run_prepared(_ANY, [period_id])[0][0]
        if len(_has_any) >= _MOST_KEPT:
            _has_any.clear()
        _has_any[period_id] = now, found
    return found


_HOLDS = """
SELECT EXISTS (SELECT FROM leaderboards_score WHERE player_id = $1)
    OR EXISTS (SELECT FROM leaderboards_flaggedscore WHERE player_id = $1)
"""


def holds_anything(player_id: int) -> bool:
    """Say whether a player has a score in any period, hidden and flagged ones too (PLAYER_HOLDINGS)."""
    held: bool = run_prepared(_HOLDS, [player_id])[0][0]
    return held
