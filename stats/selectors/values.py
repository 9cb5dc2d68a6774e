"""What players hold."""

from decimal import Decimal

from core.db import run_prepared
from stats.selectors import definitions

_VALUES = """
SELECT s.key, v.value FROM stats_stat s JOIN stats_statvalue v ON v.stat_id = s.id AND v.player_id = $1
 WHERE s.game_id = $2 ORDER BY s.id
"""


def values(player_id: int, *, game_id: int) -> dict[str, Decimal]:
    """Return a player's values by key, in the order of the game's stats; archived stats' values stay.

    Then come the declared defaults of stats that the player has no value of; those without one are left out.
    """
    held: dict[str, Decimal] = dict(run_prepared(_VALUES, [player_id, game_id]))
    for stat in definitions.stats(game_id).values():
        if stat.rule.start is not None and not stat.archived:
            held.setdefault(stat.key, stat.rule.start)
    return held
