"""One lock for each game, until the transaction ends: who reports holds it in share, who changes a stat holds it alone.

A report is weighed by what its stats declare; so no report is on its way while that changes.
"""

from core.db import run_prepared

SPACE = 0x4C53  # keeps our advisory locks apart from others'
_ALONE = "SELECT pg_advisory_xact_lock($1::integer, $2::bigint::integer)"


def take_alone(game_id: int) -> None:
    """Wait for all reports of a game that are on their way, and let none begin."""
    run_prepared(_ALONE, [SPACE, game_id])
