"""A person is erased: unlocks, steps and reports go, and what they added up to (ADR 0047)."""

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from achievements.facts import TotalsRanked, UnlocksErased
from core.db import array_literal, run_prepared
from core.facts import publish
from core.persons import Person, Taken, Takes

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
_EVENTS_AT_ONCE = 20_000  # the next look finds more
_EVENTS = f"SELECT game_id, event_id FROM achievements_progressevent WHERE {_OF_GAMES} LIMIT $3"  # noqa: S608 - ours
_TAKE_EVENTS = f"""
DELETE FROM achievements_progressevent e USING unnest($2::bigint[], $3::uuid[]) AS w (game_id, event_id)
 WHERE e.game_id = w.game_id AND e.event_id = w.event_id AND e.{_WHO}
"""  # noqa: S608 - constants of ours
# Answers of the studio's support are texts about him; the log holds them for some days.
_ANSWERED = """
SELECT tx::text, id FROM core_fact
 WHERE studio_id = $2 AND kind = 'report_answered' AND (payload ->> 'player')::bigint = ANY($1::bigint[])
   AND payload ->> 'answer' <> ''
"""
_LEAVE_ANSWERS = """
UPDATE core_fact f SET payload = jsonb_set(payload::jsonb, '{answer}', '""')::json
  FROM unnest($1::xid8[], $2::bigint[]) AS w (tx, id) WHERE f.tx = w.tx AND f.id = w.id
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


def look(person: Person) -> Takes:
    """Look for the events of his reports and answers in the log; what others wrote meanwhile is taken away, too."""
    who = array_literal(person.player_ids)
    events = run_prepared(_EVENTS, [who, person.only_studio, _EVENTS_AT_ONCE])
    return partial(_take_away, person, events, run_prepared(_ANSWERED, [who, person.studio_id]))


def _take_away(
    person: Person, events: Sequence[tuple[int, UUID]], answers: Sequence[tuple[str, int]]
) -> Taken:
    rows = erase(person).rows
    if events:
        keys = [array_literal(column) for column in zip(*events, strict=True)]
        run_prepared(_TAKE_EVENTS, [array_literal(person.player_ids), *keys])
    if answers:
        run_prepared(_LEAVE_ANSWERS, [array_literal(column) for column in zip(*answers, strict=True)])
    return Taken(rows + len(events) + len(answers))


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
