"""What a listener keeps: how rare achievements are, where totals belong, and who is ranked."""

from collections.abc import Sequence

from django.db import connection

from accounts.facts import PlayersBanned, PlayersChanged, PlayersErased, PlayersExcluded, PlayersJoined
from achievements.facts import (
    AchievementsRevoked,
    AchievementsUnlocked,
    ProgressChanged,
    TotalsMoved,
    UnlocksErased,
    UnlocksJoined,
)
from achievements.services import counting, ranking
from core.facts import Fact, publish
from stats.facts import PlaytimeAdded, StatsChanged

FOLLOWER = "achievements"
KINDS = frozenset(
    announcement.kind
    for announcement in (
        AchievementsUnlocked,
        AchievementsRevoked,
        ProgressChanged,
        StatsChanged,
        PlaytimeAdded,
        PlayersChanged,
        PlayersExcluded,
        PlayersBanned,
        PlayersJoined,
        UnlocksJoined,
        PlayersErased,
        UnlocksErased,
    )
)


def apply_facts(facts: Sequence[Fact]) -> None:
    """Count who has played and what they hold; move the totals of who changed the region; keep who is ranked.

    Publishes:
        TotalsMoved, TotalsRanked.

    """
    counting.count(facts)
    _move([fact for fact in facts if fact.kind == PlayersChanged.kind])
    ranking.follow_exclusions(facts)


_MOVE = """
    WITH wanted AS (
        SELECT * FROM unnest(%(players)s::bigint[], %(regions)s::text[]) AS w (player_id, region)
    ), before AS (
        SELECT t.ctid AS place, t.region AS previous, w.region
          FROM {table} t JOIN wanted w USING (player_id) WHERE t.region <> w.region
         ORDER BY t.player_id FOR UPDATE OF t
    )
    UPDATE {table} t SET region = before.region, version = t.version + 1
      FROM before WHERE t.ctid = before.place
    RETURNING {game}, before.previous, t.player_id, t.region, t.points, t.unlocked,
              (extract(epoch FROM t.points_reached_at) * 1000000)::bigint, t.version
"""


def _move(facts: Sequence[Fact]) -> None:
    """Take the totals of players who changed their region with them."""
    latest = {player: region for fact in facts for player, region in fact.payload["players"]}
    if not latest:
        return
    moves: list[list[int | str]] = []
    with connection.cursor() as cursor:
        for table, game in (("achievements_playergame", "t.game_id"), ("achievements_playertotal", "0")):
            cursor.execute(
                _MOVE.format(table=table, game=game),
                {"players": list(latest), "regions": list(latest.values())},
            )
            moves += [list(row) for row in cursor.fetchall()]
    if moves:
        publish(TotalsMoved(moves), studio_id=None, size=len(moves))
