"""How scores are spread, kept in the process for a minute: one submission does not move it."""

import time

from core.db import run_prepared
from leaderboards.rules.plausibility import Spread

_KEPT_S = 60.0
_MOST_KEPT = 1_000
_MOST = 100_000  # of a larger period the best ones: then fewer submissions are far from them
_kept: dict[int, tuple[float, Spread]] = {}

_SPREAD = """
SELECT count(*), coalesce(avg(sort_value), 0)::float8, coalesce(stddev_samp(sort_value), 0)::float8
  FROM (SELECT sort_value FROM leaderboards_score
         WHERE period_id = $1 AND hidden_at IS NULL AND excluded_at IS NULL ORDER BY sort_value LIMIT $2) AS best
"""


def of_period(period_id: int) -> Spread:
    """Return how a period's scores are spread, a minute old at most."""
    loaded_at, found = _kept.get(period_id, (float("-inf"), Spread(0, 0.0, 0.0)))
    now = time.monotonic()
    if now - loaded_at > _KEPT_S:
        found = Spread(*run_prepared(_SPREAD, [period_id, _MOST])[0])
        if len(_kept) >= _MOST_KEPT:
            _kept.clear()
        _kept[period_id] = now, found
    return found


def forget() -> None:
    """Empty what this process keeps (between tests)."""
    _kept.clear()
