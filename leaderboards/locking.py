"""Locks on periods, until the transaction ends: who writes scores holds them in share, who ends a period alone.

They are taken before any row, in the order of the periods' ids, so that nobody waits for each other in a circle.
"""

from collections.abc import Iterable

from core.db import array_literal, run_prepared
from leaderboards.submitting import LOCK_SPACE

_LOCK = """
SELECT {lock}($2::integer, period_id::integer)
  FROM (SELECT DISTINCT unnest($1::bigint[]) AS period_id ORDER BY 1) AS wanted
"""
_HASHING_SPACE = 0x4C48
_TRY_HASHING = "SELECT pg_try_advisory_xact_lock($1::integer, $2::integer)"
_SHARE = _LOCK.format(lock="pg_advisory_xact_lock_shared")
_ALONE = _LOCK.format(lock="pg_advisory_xact_lock")


def share(period_ids: Iterable[int]) -> None:
    """Keep periods from becoming final or discarded, as every submission does."""
    run_prepared(_SHARE, [array_literal(period_ids), LOCK_SPACE])


def take_alone(period_ids: Iterable[int]) -> None:
    """Wait for all submissions that are on their way to periods, and let none begin."""
    run_prepared(_ALONE, [array_literal(period_ids), LOCK_SPACE])


def try_hashing(period_id: int) -> bool:
    """Keep others from going through a period's final standings; False where somebody does so already."""
    is_ours: bool = run_prepared(_TRY_HASHING, [_HASHING_SPACE, period_id])[0][0]
    return is_ours
