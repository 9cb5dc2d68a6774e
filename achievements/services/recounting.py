"""Counts rarity anew from what is stored, every night, by the rules of the listener (counting.py).

What takes long is read in snapshots that hold nobody up; what was wrong is written in a moment (ADR 0084). A counter is
moved by what it was wrong by: the listener may have gone on since, and what it adds leaves that as it is.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import partial
from typing import Any

from django.db import connection, transaction

from achievements.services.counting import LEFT_OUT, OUT_KINDS, PLAYED_ROWS, UNLOCKS_AHEAD, counted_until
from core import leases
from core.db import array_literal, retry_conflicts, run_prepared

_AT_ONCE = 5_000  # rows that are written at once: the listener waits meanwhile
_LOOK_MINUTES = 20  # a statement that reads everything: there are four of them, and moments between
# Two at once would both move a counter by what it is wrong by.
_TURN, _TURN_LASTS = "achievements.recount", timedelta(minutes=5 * _LOOK_MINUTES)
_Pairs = Sequence[tuple[int, int]]

_CURSOR = "(%(tx)s::text::xid8, %(id)s)"
_WHO_PLAYED = " ".join(f"WHEN '{kind}' THEN payload -> '{rows}'" for kind, rows in PLAYED_ROWS.items())
# What the log holds ahead of the cursor is stored but not counted yet: it is left to the listener.
_NOT_ADDED = f"""
WITH played_ahead AS MATERIALIZED (
    SELECT DISTINCT (row ->> 0)::bigint AS player_id, (payload ->> 'game')::bigint AS game_id
      FROM core_fact, json_array_elements(CASE kind {_WHO_PLAYED} END) AS row
     WHERE (tx, id) > {_CURSOR}
)
SELECT s.player_id, s.game_id
  FROM (SELECT player_id, game_id FROM achievements_playergame
        UNION SELECT p.player_id, a.game_id FROM achievements_progress p
                JOIN achievements_achievement a ON a.id = p.achievement_id
        UNION SELECT v.player_id, d.game_id FROM stats_statvalue v JOIN stats_stat d ON d.id = v.stat_id
        UNION SELECT player_id, game_id FROM stats_playtime) AS s
 WHERE NOT EXISTS (SELECT FROM achievements_played p WHERE p.player_id = s.player_id AND p.game_id = s.game_id)
   AND NOT EXISTS (SELECT FROM played_ahead b WHERE b.player_id = s.player_id AND b.game_id = s.game_id)
 ORDER BY 1, 2
"""  # noqa: S608 - constants of ours
_NOT_TURNED = f"""
WITH turned_ahead AS MATERIALIZED (
    SELECT DISTINCT studio_id, (row ->> 0)::bigint AS player_id
      FROM core_fact, json_array_elements(payload -> 'players') AS row
     WHERE kind = ANY(%(out)s) AND (tx, id) > {_CURSOR}
), left_out AS MATERIALIZED (SELECT DISTINCT * FROM ({LEFT_OUT}) AS told)
SELECT q.player_id, q.game_id FROM achievements_played q JOIN accounts_game g ON g.id = q.game_id
  LEFT JOIN left_out o ON o.player_id = q.player_id AND o.studio_id = g.studio_id
  LEFT JOIN turned_ahead b ON b.player_id = q.player_id AND b.studio_id = g.studio_id
 WHERE q.counts = (o.player_id IS NOT NULL) AND b.player_id IS NULL
 ORDER BY 1, 2
"""  # noqa: S608 - constants of ours
_UNLOCKS_OFF = f"""
WITH ahead AS MATERIALIZED (
    SELECT player_id, achievement_id, sum(n) AS n FROM ({UNLOCKS_AHEAD.format(cursor=_CURSOR)}) AS told
     GROUP BY player_id, achievement_id
)
SELECT k.achievement_id, sum(k.n)::bigint FROM (
    SELECT achievement_id, -unlocked AS n FROM achievements_achievementcount
    UNION ALL
    SELECT u.achievement_id, u.n FROM (
        SELECT player_id, achievement_id, 1 AS n FROM achievements_unlock
        UNION ALL SELECT player_id, achievement_id, -n FROM ahead) AS u
      JOIN achievements_achievement a ON a.id = u.achievement_id
      JOIN achievements_played p ON p.player_id = u.player_id AND p.game_id = a.game_id
     WHERE p.counts) AS k
 GROUP BY 1 HAVING sum(k.n) <> 0 ORDER BY 1
"""  # noqa: S608 - constants of ours
_PLAYERS_OFF = """
SELECT k.game_id, sum(k.n)::bigint FROM (
    SELECT game_id, -players AS n FROM achievements_gameplayers
    UNION ALL SELECT game_id, count(*) FROM achievements_played WHERE counts GROUP BY 1) AS k
 GROUP BY 1 HAVING sum(k.n) <> 0 ORDER BY 1
"""

_IS_LEFT_OUT = (
    f"EXISTS (SELECT FROM ({LEFT_OUT}) x WHERE x.player_id = w.player_id AND x.studio_id = g.studio_id)"
)
# Whoever was erased or joined to another meanwhile has left nothing any more, and must not come back.
_ADD = f"""
INSERT INTO achievements_played (player_id, game_id, counts)
SELECT w.player_id, w.game_id, NOT {_IS_LEFT_OUT}
  FROM unnest($1::bigint[], $2::bigint[]) AS w (player_id, game_id) JOIN accounts_game g ON g.id = w.game_id
 WHERE EXISTS (SELECT FROM achievements_playergame s WHERE s.player_id = w.player_id AND s.game_id = w.game_id)
    OR EXISTS (SELECT FROM achievements_progress s JOIN achievements_achievement a ON a.id = s.achievement_id
                WHERE s.player_id = w.player_id AND a.game_id = w.game_id)
    OR EXISTS (SELECT FROM stats_statvalue s JOIN stats_stat d ON d.id = s.stat_id
                WHERE s.player_id = w.player_id AND d.game_id = w.game_id)
    OR EXISTS (SELECT FROM stats_playtime s WHERE s.player_id = w.player_id AND s.game_id = w.game_id)
ON CONFLICT (player_id, game_id) DO NOTHING
"""  # noqa: S608 - constants of ours
_TURN_ROUND = f"""
UPDATE achievements_played p SET counts = NOT p.counts
  FROM unnest($1::bigint[], $2::bigint[]) AS w (player_id, game_id) JOIN accounts_game g ON g.id = w.game_id
 WHERE p.player_id = w.player_id AND p.game_id = w.game_id AND p.counts = {_IS_LEFT_OUT}
"""  # noqa: S608 - constants of ours
_MOVE_UNLOCKED = """
INSERT INTO achievements_achievementcount AS t (achievement_id, unlocked)
SELECT a.id, w.n FROM unnest($1::bigint[], $2::bigint[]) AS w (id, n) JOIN achievements_achievement a ON a.id = w.id
ON CONFLICT (achievement_id) DO UPDATE SET unlocked = t.unlocked + excluded.unlocked
"""
_MOVE_PLAYERS = """
INSERT INTO achievements_gameplayers AS t (game_id, players)
SELECT g.id, w.n FROM unnest($1::bigint[], $2::bigint[]) AS w (id, n) JOIN accounts_game g ON g.id = w.id
ON CONFLICT (game_id) DO UPDATE SET players = t.players + excluded.players
"""


def recount() -> int:
    """Count everything anew, and put right what is wrong; return how many counters were.

    Players are added and never taken away: who has played stays so, whatever becomes of what he left. While somebody
    else recounts nothing is done.
    """
    with leases.turn(_TURN, lasts=_TURN_LASTS) as is_ours:
        if not is_ours:
            return 0
        # Who has played first: what the listener adds leaves a counter's error as it is only by the right players.
        with _snapshot() as told:
            missing, mistaken = _read(_NOT_ADDED, told), _read(_NOT_TURNED, told)
        _write(_ADD, missing)
        _write(_TURN_ROUND, mistaken)
        with _snapshot() as told:
            unlocked, players = _read(_UNLOCKS_OFF, told), _read(_PLAYERS_OFF, told)
        _write(_MOVE_UNLOCKED, unlocked)
        _write(_MOVE_PLAYERS, players)
        return len(unlocked) + len(players)


@contextmanager
def _snapshot() -> Iterator[dict[str, Any]]:
    """Look at everything as it is at one moment; yield how far is counted in it, and what else is asked for.

    PostgreSQL refuses to write here, and so gives it no id: with one it would hold every listener back.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        cursor.execute(f"SET LOCAL statement_timeout = '{_LOOK_MINUTES}min'")
        tx, fact_id = counted_until()
        yield {"tx": tx, "id": fact_id, "out": list(OUT_KINDS)}


def _read(statement: str, told: dict[str, Any]) -> _Pairs:
    with connection.cursor() as cursor:
        cursor.execute(statement, told)
        rows: _Pairs = cursor.fetchall()
    return rows


def _write(statement: str, rows: _Pairs) -> None:
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        retry_conflicts(partial(_write_some, statement, part))


def _write_some(statement: str, rows: _Pairs) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        # Waits for the listener, and the listener for us. What it hears of next is judged after this is committed.
        cursor.execute("LOCK TABLE achievements_counteduntil IN SHARE ROW EXCLUSIVE MODE")
        run_prepared(statement, [array_literal(column) for column in zip(*rows, strict=True)])
