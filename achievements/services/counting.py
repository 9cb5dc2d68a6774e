"""How rare achievements are, kept exactly while facts are heard (docs/adr/0021-who-counts-for-rarity.md).

At every moment the counters say, of the facts up to `CountedUntil`, how many players who count have played each game,
and how many of them hold each achievement. The order of facts within a read does not matter, so it is counted as a
whole: first who is new, then what was unlocked, then who counts no more or again.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from django.db import connection

from accounts import selectors as accounts
from accounts.erased import without_erased
from accounts.facts import PlayersBanned, PlayersErased, PlayersExcluded, PlayersJoined
from achievements.facts import (
    AchievementsRevoked,
    AchievementsUnlocked,
    ProgressChanged,
    UnlocksErased,
    UnlocksJoined,
)
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
    UnlocksJoined.kind: "come",
}
_HELD_CHANGES = {
    (AchievementsUnlocked.kind, "unlocks"): 1,
    (AchievementsRevoked.kind, "revokes"): -1,
    (UnlocksJoined.kind, "gone"): -1,
    (UnlocksJoined.kind, "come"): 1,
    (UnlocksErased.kind, "erased"): -1,
}
OUT_KINDS = (PlayersExcluded.kind, PlayersBanned.kind)

LEFT_OUT = """
    SELECT studio_id, player_id FROM accounts_playeridentity WHERE excluded_at IS NOT NULL OR banned_at IS NOT NULL
"""
# What is stored and told ahead of the cursor, and so not counted yet: 1 for an unlock, -1 for one that was taken back.
UNLOCKS_AHEAD = """
    SELECT (row ->> 0)::bigint AS player_id, (payload ->> 'game')::bigint AS game_id,
           (row ->> 1)::bigint AS achievement_id, n
      FROM core_fact
      JOIN (VALUES ('achievements_unlocked', 'unlocks', 1), ('achievements_revoked', 'revokes', -1),
                   ('unlocks_joined', 'come', 1), ('unlocks_joined', 'gone', -1),
                   ('unlocks_erased', 'erased', -1)) AS told (kind, listed, n)
     USING (kind),
           json_array_elements(payload -> listed) AS row
     WHERE (tx, id) > {cursor}
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
    _follow_joins(facts, until)
    _follow_erasures(facts, until)


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


def _add_players(facts: Sequence[Fact]) -> None:
    facts = without_erased(facts, {kind: (name,) for kind, name in PLAYED_ROWS.items()})
    pairs = {
        (row[0], fact.payload["game"])
        for fact in facts
        if fact.kind in PLAYED_ROWS
        for row in fact.payload[PLAYED_ROWS[fact.kind]]
    }
    joined = accounts.joined_players(player for player, _ in pairs)
    _note_played({(joined.get(player, player), game) for player, game in pairs})


def _note_played(pairs: Collection[tuple[int, int]]) -> None:
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
        for (kind, listed), n in _HELD_CHANGES.items():
            for row in fact.payload[listed] if fact.kind == kind else ():
                changes[row[0], row[1]] += n
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
_TURN = f"""
WITH turned AS (
    {{turned}}
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
_FOLLOW = _TURN.format(
    turned=f"""
    UPDATE achievements_played p SET counts = NOT p.counts FROM accounts_game g
     WHERE p.player_id = ANY($1::bigint[]) AND g.id = p.game_id
       AND p.counts = EXISTS (SELECT FROM ({LEFT_OUT}) x WHERE x.player_id = p.player_id
                                 AND x.studio_id = g.studio_id)
    RETURNING p.player_id, p.game_id, CASE WHEN p.counts THEN 1 ELSE -1 END AS n
    """  # noqa: S608 - constants of ours
)


def _follow_who_counts(facts: Iterable[Fact], until: tuple[int, int]) -> None:
    """Take whom a studio banned or excluded out of its games' counters, and put back whom it let back."""
    players = {row[0] for fact in facts if fact.kind in OUT_KINDS for row in fact.payload["players"]}
    if players:
        run_prepared(_FOLLOW, [array_literal(players), *until])


_PLAYED_BY = "SELECT player_id, game_id FROM achievements_played WHERE player_id = ANY($1::bigint[])"
_LEAVE = _TURN.format(
    turned="""
    DELETE FROM achievements_played WHERE player_id = ANY($1::bigint[])
       AND ($4::bigint IS NULL OR game_id IN (SELECT id FROM accounts_game WHERE studio_id = $4))
    RETURNING player_id, game_id, CASE WHEN counts THEN -1 ELSE 0 END AS n
    """
)


def _follow_joins(facts: Iterable[Fact], until: tuple[int, int]) -> None:
    """Take who was joined to another out of the counters; the other one has played what he has.

    What he held is the other's by UnlocksJoined, and he is not counted again: facts of him that come later are of the
    other one who has played, and of unlocks that UnlocksJoined takes off again.
    """
    gone = {
        row[0]: row[1] for fact in facts if fact.kind == PlayersJoined.kind for row in fact.payload["players"]
    }
    if not gone:
        return
    joined = gone | accounts.joined_players(gone)
    played = run_prepared(_PLAYED_BY, [array_literal(gone)])
    _note_played({(joined[player], game) for player, game in played})
    run_prepared(_LEAVE, [array_literal(gone), *until, None])


def _follow_erasures(facts: Iterable[Fact], until: tuple[int, int]) -> None:
    """Take who was erased out of the counters, of his studio's games or of all; nothing is added for him any more.

    What is told of him later are unlocks that UnlocksErased takes off again.
    """
    for fact in facts:
        for player_id, is_whole in fact.payload["players"] if fact.kind == PlayersErased.kind else ():
            of_studio = None if is_whole else fact.studio_id
            run_prepared(_LEAVE, [array_literal([player_id]), *until, of_studio])
