"""Who is in his games' orders: everybody but those whom the games' studio excludes from its boards."""

from collections.abc import Sequence

from accounts.facts import PlayersExcluded
from achievements.facts import AchievementsUnlocked, TotalsRanked
from core.db import array_literal, run_prepared
from core.facts import Fact, publish

# Absolute: it compares with what the studio says now, so that repeating or reordering facts changes nothing.
_RANK = """
WITH wanted AS MATERIALIZED (
    SELECT t.player_id, t.game_id, x.ranked
      FROM achievements_playergame t
      CROSS JOIN LATERAL (SELECT NOT EXISTS (SELECT FROM accounts_playeridentity x WHERE x.player_id = t.player_id
                                                AND x.studio_id = t.studio_id AND x.excluded_at IS NOT NULL)
                              AS ranked) AS x
     WHERE t.player_id = ANY($1::bigint[]) AND t.ranked <> x.ranked
     ORDER BY t.player_id, t.game_id FOR UPDATE OF t
)
UPDATE achievements_playergame t SET ranked = w.ranked, version = t.version + 1
  FROM wanted w WHERE t.player_id = w.player_id AND t.game_id = w.game_id
RETURNING t.game_id, t.player_id, t.region, t.points, t.unlocked,
          (extract(epoch FROM t.points_reached_at) * 1000000)::bigint, t.version, t.ranked
"""


def follow_exclusions(facts: Sequence[Fact]) -> None:
    """Take the totals of excluded players out of their games' orders, and those of the others back.

    A first unlock may have been on its way while its player was excluded, and have seen nothing of it: players are
    looked at again when it is heard of.

    Publishes:
        TotalsRanked.

    """
    players = _players(facts)
    if not players:
        return
    totals = [list(row) for row in run_prepared(_RANK, [array_literal(players)])]
    if totals:
        publish(TotalsRanked(totals), studio_id=None, size=len(totals))


def _players(facts: Sequence[Fact]) -> set[int]:
    """Return the players whom facts tell to be excluded or not, and those who are new to a game."""
    found: set[int] = set()
    for fact in facts:
        if fact.kind == PlayersExcluded.kind:
            found.update(player for player, _ in fact.payload["players"])
        elif fact.kind == AchievementsUnlocked.kind:
            found.update(row[0] for row in fact.payload["totals"] if row[5] == 1)
    return found
