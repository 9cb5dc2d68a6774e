"""The statements about unlocks that are weighed: what is known of their players, and what is kept apart.

All in one transaction, after a lock for each player: of claims that come at once, each is weighed with those before it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from core.clock import microseconds
from core.db import array_literal, run_prepared, text_array_literal

Pair = tuple[int, int]  # player and achievement
InGame = tuple[int, int]  # player and game

_LOCK_SPACE = 0x4C50  # keeps our advisory locks apart from others'
_LOCKS = 256  # one for each player of a thousand would fill the table of locks
_MOST_MOMENTS = 2_000  # of a player, around a claim


class Flag(NamedTuple):
    """An unlock that was kept apart, as a repetition is answered."""

    state: str
    unlocked_at: datetime
    event_id: UUID


@dataclass(frozen=True, slots=True)
class New:
    """An unlock that is to be kept apart."""

    player_id: int
    achievement_id: int
    game_id: int
    studio_id: int
    points: int
    unlocked_at: datetime
    heard_us: int
    event_id: UUID
    rules: Sequence[str]
    evidence: dict[str, Any]


_LOCK = """
SELECT pg_advisory_xact_lock($2::integer, lock)
  FROM (SELECT DISTINCT (player_id % $3)::integer AS lock FROM unnest($1::bigint[]) AS w (player_id) ORDER BY 1)
    AS wanted
"""


def lock_players(player_ids: Iterable[int]) -> None:
    """Let nobody else weigh or decide about unlocks of the players until commit."""
    run_prepared(_LOCK, [array_literal(set(player_ids)), _LOCK_SPACE, _LOCKS])


_FLAGS = """
SELECT f.player_id, f.achievement_id, f.state, f.unlocked_at, f.event_id
  FROM unnest($1::bigint[], $2::bigint[]) AS w (player_id, achievement_id)
  JOIN achievements_flaggedunlock f USING (player_id, achievement_id) WHERE f.state <> 'approved'
"""


def flags_of(pairs: Iterable[Pair]) -> dict[Pair, Flag]:
    """Return which of the pairs are kept apart: not looked at yet, or rejected."""
    columns = [array_literal(column) for column in zip(*sorted(set(pairs)), strict=True)]
    rows = run_prepared(_FLAGS, columns) if columns else []
    return {(row[0], row[1]): Flag(*row[2:]) for row in rows}


_HELD = """
SELECT player_id, achievement_id FROM unnest($1::bigint[], $2::bigint[]) AS w (player_id, achievement_id)
  JOIN achievements_unlock u USING (player_id, achievement_id)
"""


def unlocked(pairs: Iterable[Pair]) -> set[Pair]:
    """Return which of the pairs are unlocked."""
    columns = [array_literal(column) for column in zip(*sorted(set(pairs)), strict=True)]
    return {(row[0], row[1]) for row in run_prepared(_HELD, columns)} if columns else set()


# An id that the studio gave long ago says little about a game of today; it is asked where no session is known.
_NAMED = """
SELECT w.player_id, w.game_id, (extract(epoch FROM least(
           (SELECT g.first_unlock_at FROM achievements_playergame g
             WHERE g.player_id = w.player_id AND g.game_id = w.game_id AND g.unlocked > 0),
           (SELECT min(x.created_at) FROM accounts_playeridentity x
             WHERE x.player_id = w.player_id AND x.studio_id = w.studio_id))) * 1000000)::bigint
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[]) AS w (player_id, game_id, studio_id)
"""


def named_since(pairs: Iterable[tuple[int, int, int]]) -> dict[InGame, int]:
    """Return since when a studio names players, by `(player, game)` of `(player, game, studio)`."""
    columns = [array_literal(column) for column in zip(*sorted(set(pairs)), strict=True)]
    rows = run_prepared(_NAMED, columns) if columns else []
    return {(row[0], row[1]): row[2] for row in rows if row[2] is not None}


# What follows from other unlocks (metas) nobody claims. A device's clock proves nothing: the platform's counts then.
_MOMENTS = """
SELECT w.player_id, w.game_id, (extract(epoch FROM m.at) * 1000000)::bigint
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[]) AS w (player_id, game_id, since_us, until_us)
 CROSS JOIN LATERAL (
    (SELECT u.{time} AS at FROM achievements_unlock u JOIN achievements_achievement a ON a.id = u.achievement_id
      WHERE u.player_id = w.player_id AND u.game_id = w.game_id AND a.type <> 'meta'
        AND u.{time} BETWEEN 'epoch'::timestamptz + w.since_us * interval '1 microsecond'
                         AND 'epoch'::timestamptz + w.until_us * interval '1 microsecond' LIMIT $5)
    UNION ALL
    (SELECT f.{time} FROM achievements_flaggedunlock f
      WHERE f.player_id = w.player_id AND f.game_id = w.game_id AND f.state <> 'approved'
        AND f.{time} BETWEEN 'epoch'::timestamptz + w.since_us * interval '1 microsecond'
                         AND 'epoch'::timestamptz + w.until_us * interval '1 microsecond' LIMIT $5)) AS m
"""
_TOLD = _MOMENTS.format(time="unlocked_at")
_HEARD = _MOMENTS.format(time="heard_at")


def moments(spans: Iterable[tuple[int, int, int, int]], *, heard: bool) -> list[tuple[int, int, int]]:
    """Return when players claimed unlocks, as `(player, game, at)` of `(player, game, since, until)`.

    With `heard` the times are the platform's, else what the game says.
    """
    columns = [array_literal(column) for column in zip(*spans, strict=True)]
    if not columns:
        return []
    rows = run_prepared(_HEARD if heard else _TOLD, [*columns, _MOST_MOMENTS])
    return [(row[0], row[1], row[2]) for row in rows]


# Whoever was given back what was taken from him (a revoke deletes the row) may claim it again.
_KEEP = """
INSERT INTO achievements_flaggedunlock AS t
       (uuid, player_id, achievement_id, game_id, studio_id, points, unlocked_at, heard_at, event_id, offline, rules,
        evidence, state, reason, actor)
SELECT uuidv7(), player_id, achievement_id, game_id, studio_id, points,
       'epoch'::timestamptz + unlocked_us * interval '1 microsecond',
       'epoch'::timestamptz + heard_us * interval '1 microsecond', event_id, $11::boolean,
       string_to_array(rules, ' '), evidence::jsonb, 'open', '', ''
  FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
              $8::uuid[], $9::text[], $10::text[])
    AS i (player_id, achievement_id, game_id, studio_id, points, unlocked_us, heard_us, event_id, rules, evidence)
 ORDER BY player_id, achievement_id
ON CONFLICT (player_id, achievement_id) DO UPDATE
   SET uuid = excluded.uuid, points = excluded.points, unlocked_at = excluded.unlocked_at, heard_at = excluded.heard_at,
       event_id = excluded.event_id, offline = excluded.offline, rules = excluded.rules, evidence = excluded.evidence,
       state = 'open', decided_at = NULL, reason = '', actor = ''
 WHERE t.state = 'approved'
"""


def keep(rows: Sequence[New], *, offline: bool) -> None:
    """Keep unlocks apart; there is no open or rejected row of any of the pairs."""
    if not rows:
        return
    run_prepared(
        _KEEP,
        [
            array_literal(row.player_id for row in rows),
            array_literal(row.achievement_id for row in rows),
            array_literal(row.game_id for row in rows),
            array_literal(row.studio_id for row in rows),
            array_literal(row.points for row in rows),
            array_literal(microseconds(row.unlocked_at) for row in rows),
            array_literal(row.heard_us for row in rows),
            array_literal(row.event_id for row in rows),
            text_array_literal(" ".join(row.rules) for row in rows),
            text_array_literal(orjson.dumps(row.evidence).decode() for row in rows),
            offline,
        ],
    )


_TOTALS = """
SELECT w.player_id, w.game_id, coalesce(g.points, 0) + f.points, coalesce(g.unlocked, 0) + f.unlocked
  FROM unnest($1::bigint[], $2::bigint[]) AS w (player_id, game_id)
  LEFT JOIN achievements_playergame g ON g.player_id = w.player_id AND g.game_id = w.game_id
 CROSS JOIN LATERAL (
    SELECT coalesce(sum(points), 0)::bigint AS points, count(*) AS unlocked FROM achievements_flaggedunlock x
     WHERE x.player_id = w.player_id AND x.game_id = w.game_id AND x.state <> 'approved'
       AND NOT EXISTS (SELECT FROM achievements_unlock u
                        WHERE u.player_id = x.player_id AND u.achievement_id = x.achievement_id)) AS f
"""


def totals_as_told(pairs: Iterable[InGame]) -> dict[InGame, tuple[int, int]]:
    """Return points and unlocks of players in games as if nothing had been kept apart."""
    columns = [array_literal(column) for column in zip(*sorted(set(pairs)), strict=True)]
    rows = run_prepared(_TOTALS, columns) if columns else []
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


_FORGET = """
DELETE FROM achievements_flaggedunlock WHERE player_id = $1 AND achievement_id = ANY($2::bigint[])
RETURNING achievement_id, state
"""


def forget(*, player_id: int, achievement_ids: Sequence[int]) -> set[int]:
    """Drop what was kept apart of a player, decided or not; return the achievements that did not count."""
    rows = run_prepared(_FORGET, [player_id, array_literal(achievement_ids)])
    return {row[0] for row in rows if row[1] != "approved"}
