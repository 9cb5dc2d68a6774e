"""What a listener keeps: how many players have each achievement and play each game, and where totals belong."""

from collections import Counter
from collections.abc import Sequence

from django.db import connection, transaction

from accounts.facts import PlayersChanged
from achievements.facts import AchievementsRevoked, AchievementsUnlocked, TotalsMoved
from achievements.services import ranking
from core.facts import Fact, publish

FOLLOWER = "achievements"
_COUNTED = (AchievementsUnlocked.kind, AchievementsRevoked.kind)


def apply_facts(facts: Sequence[Fact]) -> None:
    """Count unlocks and new players; move the totals of players who changed their region; keep who is ranked.

    Publishes:
        TotalsMoved, TotalsRanked.

    """
    _count([fact for fact in facts if fact.kind in _COUNTED])
    _move([fact for fact in facts if fact.kind == PlayersChanged.kind])
    ranking.follow_exclusions(facts)


def _count(facts: Sequence[Fact]) -> None:
    """Add to the counters what is not counted yet: a replayed log adds nothing."""
    tx, fact_id = _counted_until()
    fresh = [fact for fact in facts if (fact.tx, fact.id) > (tx, fact_id)]
    if not fresh:
        return
    unlocked: Counter[int] = Counter()
    players: Counter[int] = Counter()
    for fact in fresh:
        if fact.kind == AchievementsRevoked.kind:
            unlocked.subtract(row[1] for row in fact.payload["revokes"])
            continue  # who has nothing left has played nevertheless
        unlocked.update(row[1] for row in fact.payload["unlocks"])
        # A total's first version is its player's first unlock in the game.
        players[fact.payload["game"]] += sum(1 for row in fact.payload["totals"] if row[5] == 1)
    with connection.cursor() as cursor:
        for table, column, counts in (
            ("achievements_achievementcount", ("achievement_id", "unlocked"), unlocked),
            ("achievements_gameplayers", ("game_id", "players"), players),
        ):
            cursor.execute(
                f"INSERT INTO {table} AS t ({', '.join(column)}) SELECT * FROM unnest(%s::bigint[], %s::bigint[])"  # noqa: S608
                f" ON CONFLICT ({column[0]}) DO UPDATE SET {column[1]} = t.{column[1]} + excluded.{column[1]}",
                [list(counts), list(counts.values())],
            )
        cursor.execute(
            "INSERT INTO achievements_counteduntil (id, tx, fact_id) VALUES (true, %s, %s)"
            " ON CONFLICT (id) DO UPDATE SET tx = excluded.tx, fact_id = excluded.fact_id",
            [fresh[-1].tx, fresh[-1].id],
        )


def _counted_until() -> tuple[int, int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tx, fact_id FROM achievements_counteduntil")
        row: tuple[int, int] | None = cursor.fetchone()
    return row or (0, 0)


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


_RECOUNT = (
    # What the log holds beyond the cursor is stored but not yet counted: it is left to the listener.
    """
    CREATE TEMP TABLE ahead ON COMMIT DROP AS
    SELECT (row ->> 1)::bigint AS achievement_id, CASE kind WHEN 'achievements_unlocked' THEN 1 ELSE -1 END AS n
      FROM core_fact, json_array_elements(coalesce(payload -> 'unlocks', payload -> 'revokes')) AS row
     WHERE kind IN ('achievements_unlocked', 'achievements_revoked') AND (tx, id) > (%(tx)s::text::xid8, %(id)s)
    """,
    """
    CREATE TEMP TABLE players_ahead ON COMMIT DROP AS
    SELECT (payload ->> 'game')::bigint AS game_id
      FROM core_fact, json_array_elements(payload -> 'totals') AS row
     WHERE kind = 'achievements_unlocked' AND (tx, id) > (%(tx)s::text::xid8, %(id)s) AND (row ->> 5)::bigint = 1
    """,
    """
    INSERT INTO achievements_achievementcount AS t (achievement_id, unlocked)
    SELECT achievement_id, sum(n) FROM (
        SELECT achievement_id, 0 AS n FROM achievements_achievementcount
        UNION ALL SELECT achievement_id, count(*) FROM achievements_unlock GROUP BY 1
        UNION ALL SELECT achievement_id, -sum(n) FROM ahead GROUP BY 1) AS counted
     GROUP BY achievement_id
    ON CONFLICT (achievement_id) DO UPDATE SET unlocked = excluded.unlocked WHERE t.unlocked <> excluded.unlocked
    """,
    """
    INSERT INTO achievements_gameplayers AS t (game_id, players)
    SELECT game_id, sum(n) FROM (
        SELECT game_id, 0 AS n FROM achievements_gameplayers
        UNION ALL SELECT game_id, count(*) FROM achievements_playergame GROUP BY 1
        UNION ALL SELECT game_id, -count(*) FROM players_ahead GROUP BY 1) AS counted
     GROUP BY game_id
    ON CONFLICT (game_id) DO UPDATE SET players = excluded.players WHERE t.players <> excluded.players
    """,
)


def recount() -> int:
    """Count everything anew, in one snapshot; return how many counters were wrong."""
    corrected = 0
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        # Waits for the listener, and the listener for us: nothing is counted while we count.
        cursor.execute("LOCK TABLE achievements_counteduntil IN SHARE ROW EXCLUSIVE MODE")
        tx, fact_id = _counted_until()
        for statement in _RECOUNT:
            cursor.execute(statement, {"tx": tx, "id": fact_id})
            if statement.lstrip().startswith("INSERT"):
                corrected += cursor.rowcount
    return corrected
