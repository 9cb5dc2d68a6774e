"""What players hold."""

from collections.abc import Iterable
from decimal import Decimal

from core.db import array_literal, run_prepared, text_array_literal
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


_VALUES_OF = """
SELECT w.player_id, w.game_id, s.key, v.value
  FROM unnest($1::bigint[], $2::bigint[]) AS w (player_id, game_id)
  JOIN stats_stat s ON s.game_id = w.game_id
  JOIN stats_statvalue v ON v.stat_id = s.id AND v.player_id = w.player_id
"""


def values_of(pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], dict[str, Decimal]]:
    """Return players' values by key, by `(player, game)`, in one query; declared defaults are among them."""
    wanted = sorted(set(pairs))
    held = {pair: defaults(pair[1]) for pair in wanted}
    if wanted:
        columns = [array_literal(column) for column in zip(*wanted, strict=True)]
        for player_id, game_id, key, value in run_prepared(_VALUES_OF, columns):
            held[player_id, game_id][key] = value
    return held


_HOLDERS = """
SELECT DISTINCT v.player_id FROM stats_statvalue v JOIN stats_stat s ON s.id = v.stat_id
 WHERE s.game_id = $1 AND s.key = ANY($2::text[]) AND v.player_id > $3 ORDER BY v.player_id LIMIT $4
"""


def holders(game_id: int, keys: Iterable[str], *, after: int, limit: int) -> list[int]:
    """Return players who hold a value of one of the stats, by their internal id from `after` on."""
    return [row[0] for row in run_prepared(_HOLDERS, [game_id, text_array_literal(keys), after, limit])]


def aggregations(game_id: int) -> dict[str, str]:
    """Return how each of a game's stats is kept, by key; that never changes once somebody has a value."""
    return {stat.key: stat.rule.aggregation for stat in definitions.stats(game_id).values()}


def defaults(game_id: int) -> dict[str, Decimal]:
    """Return the declared defaults of a game's stats by key; of archived ones there is none."""
    return {
        stat.key: stat.rule.start
        for stat in definitions.stats(game_id).values()
        if stat.rule.start is not None and not stat.archived
    }


_REPORTED = """
SELECT w.stat_id, (SELECT count(*) FROM (SELECT FROM stats_statvalue v WHERE v.stat_id = w.stat_id LIMIT $2) AS counted)
  FROM unnest($1::bigint[]) AS w (stat_id)
"""


def players_with_values(stat_ids: Iterable[int], *, most: int) -> dict[int, int]:
    """Return how many players hold a value of each stat, counted up to `most`, in one query."""
    return dict(run_prepared(_REPORTED, [array_literal(stat_ids), most]))


_HOLDS = """
SELECT EXISTS (SELECT FROM stats_statvalue WHERE player_id = $1)
    OR EXISTS (SELECT FROM stats_playtime WHERE player_id = $1)
"""


def holds_anything(player_id: int) -> bool:
    """Say whether a player holds a value or was seen playing (PLAYER_HOLDINGS)."""
    held: bool = run_prepared(_HOLDS, [player_id])[0][0]
    return held
