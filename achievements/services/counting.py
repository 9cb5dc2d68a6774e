"""How rare achievements are, kept exactly while facts are heard (docs/adr/0021-who-counts-for-rarity.md).

At every moment the counters say, of the facts up to `CountedUntil`, how many players who count have played each game,
and how many of them hold each achievement. The order of facts within a read does not matter, so it is counted as a
whole: first who is new, then what was unlocked, then who counts no more or again.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from django.db import connection

from accounts.facts import PlayersBanned, PlayersExcluded
from achievements.facts import AchievementsRevoked, AchievementsUnlocked, ProgressChanged
from core.db import array_literal, run_prepared
from core.facts import Fact
from stats.facts import PlaytimeAdded, StatsChanged

# Where a kind lists rows that begin with a player who thereby has played.
PLAYED_ROWS = {
    AchievementsUnlocked.kind: "unlocks",
    AchievementsRevoked.kind: "revokes",
    ProgressChanged.kind: "changes",
    StatsChanged.kind: "values",
    PlaytimeAdded.kind: "played",
}
_HELD_CHANGES = {AchievementsUnlocked.kind: 1, AchievementsRevoked.kind: -1}
OUT_KINDS = (PlayersExcluded.kind, PlayersBanned.kind)

LEFT_OUT = """
    SELECT studio_id, player_id FROM accounts_playeridentity WHERE excluded_at IS NOT NULL OR banned_at IS NOT NULL
"""
# What is stored and told ahead of the cursor, and so not counted yet: 1 for an unlock, -1 for one that was taken back.
UNLOCKS_AHEAD = """
    SELECT (row ->> 0)::bigint AS player_id, (payload ->> 'game')::bigint AS game_id,
           (row ->> 1)::bigint AS achievement_id, CASE kind WHEN 'achievements_unlocked' THEN 1 ELSE -1 END AS n
      FROM core_fact, json_array_elements(coalesce(payload -> 'unlocks', payload -> 'revokes')) AS row
     WHERE kind IN ('achievements_unlocked', 'achievements_revoked') AND (tx, id) > {cursor}
"""


def count(facts: Sequence[Fact]) -> None:
    """Count what is not counted yet, and follow who counts: a replayed log changes nothing."""
    with connection.cursor() as cursor:
        # Before anything is written, so that a recount waits for this transaction or this one for it.
        cursor.execute("LOCK TABLE achievements_counteduntil IN ROW EXCLUSIVE MODE")
    until = counted_until()
    fresh = [fact for fact in facts if (fact.tx, fact.id) > until]
    if fresh:
        _add_players(fresh)
        _add_unlocks(fresh)
        until = (fresh[-1].tx, fresh[-1].id)
        _move_cursor(until)
    _follow_who_counts(facts, until)


def counted_until() -> tuple[int, int]:
    """Return the position of the last fact that is counted; (0, 0) before the first."""
    rows = run_prepared("SELECT tx, fact_id FROM achievements_counteduntil", [])
    return (rows[0][0], rows[0][1]) if rows else (0, 0)


# Whether somebody counts is read as it is now: of a ban that comes between, the fact is still to be heard.
_ADD_PLAYERS = f"""
WITH new AS (
    INSERT INTO achievements_played (player_id, game_id, counts)
    SELECT w.player_id, w.game_id,
           NOT EXISTS (SELECT FROM ({LEFT_OUT}) x WHERE x.player_id = w.player_id AND x.studio_id = g.studio_id)
      FROM unnest($1::bigint[], $2::bigint[]) AS w (player_id, game_id) JOIN accounts_game g ON g.id = w.game_id
     WHERE NOT EXISTS (SELECT FROM achievements_played p WHERE p.player_id = w.player_id AND p.game_id = w.game_id)
    ON CONFLICT (player_id, game_id) DO NOTHING
    RETURNING game_id, counts
)
INSERT INTO achievements_gameplayers AS t (game_id, players)
SELECT game_id, count(*) FROM new WHERE counts GROUP BY game_id
ON CONFLICT (game_id) DO UPDATE SET players = t.players + excluded.players
"""  # noqa: S608 - constants of ours


def _add_players(facts: Iterable[Fact]) -> None:
    pairs = {
        (row[0], fact.payload["game"])
        for fact in facts
        if fact.kind in PLAYED_ROWS
        for row in fact.payload[PLAYED_ROWS[fact.kind]]
    }
    if pairs:
        players, games = zip(*pairs, strict=True)
        run_prepared(_ADD_PLAYERS, [array_literal(players), array_literal(games)])


_ADD_UNLOCKS = """
INSERT INTO achievements_achievementcount AS t (achievement_id, unlocked)
SELECT a.id, sum(w.n)
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w (player_id, achievement_id, n)
  JOIN achievements_achievement a ON a.id = w.achievement_id
  JOIN achievements_played p ON p.player_id = w.player_id AND p.game_id = a.game_id
 WHERE p.counts GROUP BY a.id
ON CONFLICT (achievement_id) DO UPDATE SET unlocked = t.unlocked + excluded.unlocked
"""


def _add_unlocks(facts: Iterable[Fact]) -> None:
    changes: Counter[tuple[int, int]] = Counter()
    for fact in facts:
        if fact.kind in _HELD_CHANGES:
            for row in fact.payload[PLAYED_ROWS[fact.kind]]:
                changes[row[0], row[1]] += _HELD_CHANGES[fact.kind]
    if changes:
        players, achievements = zip(*changes, strict=True)
        run_prepared(
            _ADD_UNLOCKS,
            [array_literal(players), array_literal(achievements), array_literal(changes.values())],
        )


def _move_cursor(until: tuple[int, int]) -> None:
    run_prepared(
        "INSERT INTO achievements_counteduntil (id, tx, fact_id) VALUES (true, $1, $2)"
        " ON CONFLICT (id) DO UPDATE SET tx = excluded.tx, fact_id = excluded.fact_id",
        list(until),
    )


# Of the unlocks that are stored, those told ahead of the cursor are taken off again, and what was revoked there is put
# back: what is left is what the counters know. One snapshot sees both, and in it they agree.
_FOLLOW = f"""
WITH turned AS (
    UPDATE achievements_played p SET counts = NOT p.counts FROM accounts_game g
     WHERE p.player_id = ANY($1::bigint[]) AND g.id = p.game_id
       AND p.counts = EXISTS (SELECT FROM ({LEFT_OUT}) x WHERE x.player_id = p.player_id
                                 AND x.studio_id = g.studio_id)
    RETURNING p.player_id, p.game_id, CASE WHEN p.counts THEN 1 ELSE -1 END AS n
), known AS (
    SELECT player_id, game_id, achievement_id, 1 AS n
      FROM achievements_unlock WHERE player_id = ANY($1::bigint[])
    UNION ALL
    SELECT player_id, game_id, achievement_id, -n
      FROM ({UNLOCKS_AHEAD.format(cursor="($2::bigint::text::xid8, $3)")}) AS ahead
), games AS (
    INSERT INTO achievements_gameplayers AS t (game_id, players)
    SELECT game_id, sum(n) FROM turned GROUP BY game_id
    ON CONFLICT (game_id) DO UPDATE SET players = t.players + excluded.players
)
INSERT INTO achievements_achievementcount AS t (achievement_id, unlocked)
SELECT a.id, sum(known.n * turned.n)
  FROM turned JOIN known USING (player_id, game_id) JOIN achievements_achievement a ON a.id = known.achievement_id
 GROUP BY a.id HAVING sum(known.n * turned.n) <> 0
ON CONFLICT (achievement_id) DO UPDATE SET unlocked = t.unlocked + excluded.unlocked
"""  # noqa: S608 - constants of ours


def _follow_who_counts(facts: Iterable[Fact], until: tuple[int, int]) -> None:
    """Take whom a studio banned or excluded out of its games' counters, and put back whom it let back."""
    players = {row[0] for fact in facts if fact.kind in OUT_KINDS for row in fact.payload["players"]}
    if players:
        run_prepared(_FOLLOW, [array_literal(players), *until])
