"""A person is erased: unlocks, steps and reports go, and what they added up to (ADR 0047)."""

from collections import defaultdict
from typing import Any

from achievements.facts import TotalsRanked, UnlocksErased
from core.db import array_literal, run_prepared
from core.facts import publish
from core.persons import Person, Taken

_AT_ONCE = 1_000
_WHO = "player_id = ANY($1::bigint[])"
_OF_HIM = f"{_WHO} AND ($2::bigint IS NULL OR studio_id = $2)"
_OF_ACHIEVEMENTS = f"""
    {_WHO} AND ($2::bigint IS NULL OR achievement_id IN (SELECT id FROM achievements_achievement WHERE studio_id = $2))
"""  # noqa: S608 - constants of ours
_OF_GAMES = (
    f"{_WHO} AND ($2::bigint IS NULL OR game_id IN (SELECT id FROM accounts_game WHERE studio_id = $2))"  # noqa: S608
)
# In the order in which unlocks and revokes lock them.
_HOLDS = (
    f"SELECT FROM achievements_progress WHERE {_WHO} ORDER BY player_id, achievement_id FOR UPDATE",
    f"SELECT FROM achievements_flaggedunlock WHERE {_WHO} ORDER BY player_id, achievement_id FOR UPDATE",
    f"SELECT FROM achievements_playergame WHERE {_WHO} ORDER BY player_id, game_id FOR UPDATE",
    f"SELECT FROM achievements_playertotal WHERE {_WHO} ORDER BY player_id FOR UPDATE",
)
_UNLOCKS = f"""
DELETE FROM achievements_unlock WHERE {_OF_HIM}
RETURNING game_id, studio_id, player_id, achievement_id, points, (extract(epoch FROM unlocked_at) * 1000000)::bigint
"""  # noqa: S608 - constants of ours
_COUNT = "WITH gone AS (DELETE FROM {table} WHERE {where} RETURNING 1) SELECT count(*) FROM gone"
_ANSWERS = f"""
WITH gone AS (
    DELETE FROM achievements_reportanswer a USING achievements_playerreport r
     WHERE r.id = a.report_id AND r.{_WHO} AND ($2::bigint IS NULL OR r.studio_id = $2) RETURNING 1
) SELECT count(*) FROM gone
"""  # noqa: S608 - constants of ours
_REST = (
    _COUNT.format(table="achievements_revokedunlock", where=_OF_HIM),
    _COUNT.format(table="achievements_flaggedunlock", where=_OF_HIM),
    _COUNT.format(table="achievements_progress", where=_OF_ACHIEVEMENTS),
    _COUNT.format(table="achievements_pace", where=_OF_ACHIEVEMENTS),
    _COUNT.format(table="achievements_conditionmet", where=_OF_ACHIEVEMENTS),
    _ANSWERS,
    _COUNT.format(table="achievements_playerreport", where=_OF_HIM),
)
# Off the boards, by a version that is higher than any that was told.
_IN_GAMES = f"""
DELETE FROM achievements_playergame WHERE {_OF_HIM}
RETURNING game_id, player_id, region, 0, 0, (extract(epoch FROM points_reached_at) * 1000000)::bigint, version + 1,
          false
"""  # noqa: S608 - constants of ours
_NOTHING_LEFT = f"""
DELETE FROM achievements_playertotal t
 WHERE {_WHO} AND NOT EXISTS (SELECT FROM achievements_playergame g WHERE g.player_id = t.player_id)
RETURNING NULL::bigint, player_id, region, 0, 0, (extract(epoch FROM points_reached_at) * 1000000)::bigint, version + 1,
          false
"""  # noqa: S608 - constants of ours
# What other studios' games gave. Points were reached no later than the last of those that are left was heard of.
_OVERALL = f"""
WITH made AS (
    SELECT player_id, sum(points) AS points, count(*) AS unlocked, max(heard_at) FILTER (WHERE points > 0) AS heard_at
      FROM achievements_unlock WHERE {_WHO} GROUP BY player_id
)
UPDATE achievements_playertotal t
   SET points = coalesce(m.points, 0), unlocked = coalesce(m.unlocked, 0), version = t.version + 1,
       points_reached_at = least(t.points_reached_at, coalesce(m.heard_at, t.points_reached_at))
  FROM achievements_playertotal o LEFT JOIN made m ON m.player_id = o.player_id
 WHERE t.player_id = o.player_id AND t.{_WHO}
   AND (t.points, t.unlocked) IS DISTINCT FROM (coalesce(m.points, 0), coalesce(m.unlocked, 0))
RETURNING NULL::bigint, t.player_id, t.region, t.points, t.unlocked,
          (extract(epoch FROM t.points_reached_at) * 1000000)::bigint, t.version, true
"""  # noqa: S608 - constants of ours
_EVENTS = _COUNT.format(table="achievements_progressevent", where=_OF_GAMES)
# Answers of the studio's support are texts about him; the log holds them for some days.
_ANSWERED = """
WITH said AS (
    UPDATE core_fact SET payload = jsonb_set(payload::jsonb, '{answer}', '""')::json
     WHERE studio_id = $2 AND kind = 'report_answered' AND (payload ->> 'player')::bigint = ANY($1::bigint[])
       AND payload ->> 'answer' <> '' RETURNING 1
) SELECT count(*) FROM said
"""


def erase(person: Person) -> Taken:
    """Take away what a person unlocked and how far he was, inside the caller's transaction.

    Publishes:
        UnlocksErased, for each game; TotalsRanked.

    """
    who = [array_literal(person.player_ids), person.only_studio]
    for hold in _HOLDS:
        run_prepared(hold, who[:1])
    gone = run_prepared(_UNLOCKS, who)
    rows = len(gone) + sum(run_prepared(statement, who)[0][0] for statement in _REST)
    totals = run_prepared(_IN_GAMES, who) + run_prepared(_NOTHING_LEFT, who[:1])
    if gone or totals:
        totals += run_prepared(_OVERALL, who[:1])
        _announce(gone, totals)
    return Taken(rows + len(totals))


def finish(person: Person) -> Taken:
    """Take away what came of whoever wrote meanwhile, the events of his reports, and answers in the log."""
    who = [array_literal(person.player_ids), person.only_studio]
    answered = run_prepared(_ANSWERED, [who[0], person.studio_id])[0][0]
    return Taken(erase(person).rows + run_prepared(_EVENTS, who)[0][0] + answered)


def _announce(gone: list[tuple[Any, ...]], totals: list[tuple[Any, ...]]) -> None:
    in_games: dict[tuple[int, int], list[list[int]]] = defaultdict(list)
    for game_id, studio_id, *row in gone:
        in_games[game_id, studio_id].append(row)
    for (game_id, studio_id), rows in in_games.items():
        for start in range(0, len(rows), _AT_ONCE):
            part = rows[start : start + _AT_ONCE]
            publish(UnlocksErased(game_id, part), studio_id=studio_id, size=len(part))
    if totals:
        publish(TotalsRanked([list(row) for row in totals]), studio_id=None, size=len(totals))
