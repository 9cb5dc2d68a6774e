"""What was sent beside scores."""

from collections.abc import Iterable

from core.db import array_literal, run_prepared

_METADATA = """
SELECT s.player_id, s.metadata FROM unnest($1::bigint[]) AS wanted (player_id)
  JOIN leaderboards_score s ON s.player_id = wanted.player_id AND s.period_id = $2
 WHERE s.metadata IS NOT NULL
"""


def metadata(period_id: int, player_ids: Iterable[int]) -> dict[int, str]:
    """Return players' metadata in a period as JSON text; those who sent none are left out."""
    return dict(run_prepared(_METADATA, [array_literal(player_ids), period_id]))
