"""The statements that keep who plays: locked in the order of (player, game), written together with their facts."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict

import orjson

from core.db import array_literal, run_prepared, text_array_literal
from stats.facts import PlaytimeAdded
from stats.rules.sessions import Playing

Pair = tuple[int, int]  # player and game

_HOLD = """
SELECT t.player_id, t.game_id, t.session_id, (extract(epoch FROM t.started_at) * 1000000)::bigint,
       (extract(epoch FROM t.seen_at) * 1000000)::bigint, t.has_ended, t.session_ms, t.total_ms, t.sessions
  FROM unnest($1::bigint[], $2::bigint[]) AS w (player_id, game_id) JOIN stats_playtime t USING (player_id, game_id)
 ORDER BY t.player_id, t.game_id
   FOR UPDATE OF t
"""


def hold(pairs: Iterable[Pair]) -> dict[Pair, Playing]:
    """Lock and return what is known of players; those who never played are left out."""
    wanted = sorted(set(pairs))
    if not wanted:
        return {}
    rows = run_prepared(_HOLD, [array_literal(column) for column in zip(*wanted, strict=True)])
    return {(row[0], row[1]): Playing(*row[2:]) for row in rows}


_WRITE = """
WITH i AS MATERIALIZED (
    SELECT player_id, game_id, studio_id, session_id,
           'epoch'::timestamptz + started_us * interval '1 microsecond' AS started_at,
           'epoch'::timestamptz + seen_us * interval '1 microsecond' AS seen_at, has_ended, session_ms, total_ms,
           sessions, is_new
      FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::uuid[], $5::bigint[], $6::bigint[], $7::boolean[],
                  $8::bigint[], $9::bigint[], $10::bigint[], $11::boolean[])
        AS i (player_id, game_id, studio_id, session_id, started_us, seen_us, has_ended, session_ms, total_ms, sessions,
              is_new)
), updated AS (
    UPDATE stats_playtime t
       SET session_id = i.session_id, started_at = i.started_at, seen_at = i.seen_at, has_ended = i.has_ended,
           session_ms = i.session_ms, total_ms = i.total_ms, sessions = i.sessions
      FROM i WHERE t.player_id = i.player_id AND t.game_id = i.game_id AND NOT i.is_new
    RETURNING 1
), inserted AS (
    INSERT INTO stats_playtime (player_id, game_id, studio_id, session_id, first_at, started_at, seen_at, has_ended,
                                session_ms, total_ms, sessions)
    SELECT player_id, game_id, studio_id, session_id, started_at, started_at, seen_at, has_ended, session_ms, total_ms,
           sessions
      FROM i WHERE is_new ORDER BY player_id, game_id
    ON CONFLICT (player_id, game_id) DO NOTHING
    RETURNING 1
), announced AS (
    INSERT INTO core_fact (kind, studio_id, size, payload)
    SELECT $12::text, studio_id, size, payload::json
      FROM unnest($13::bigint[], $14::integer[], $15::text[]) AS f (studio_id, size, payload)
)
SELECT (SELECT count(*) FROM updated) + (SELECT count(*) FROM inserted)
"""


def write(
    rows: Sequence[tuple[Pair, int, Playing, bool]], announcements: Sequence[tuple[int, PlaytimeAdded]]
) -> bool:
    """Write `((player, game), studio, playing, is new)` each, and publish `(studio, fact)` each.

    Returns:
        False if somebody else was first about one who was new; the transaction is to be rolled back.

    """
    listed = [
        (*pair, studio_id, *_columns(playing), is_new)
        for pair, studio_id, playing, is_new in sorted(rows, key=lambda row: row[0])
    ]
    params = [
        *(array_literal(column) for column in zip(*listed, strict=True)),
        PlaytimeAdded.kind,
        array_literal(studio_id for studio_id, _ in announcements),
        array_literal(len(fact.played) for _, fact in announcements),
        text_array_literal(orjson.dumps(asdict(fact)).decode() for _, fact in announcements),
    ]
    done: int = run_prepared(_WRITE, params)[0][0]
    return done == len(listed)


def _columns(one: Playing) -> tuple[object, ...]:
    return (
        one.session_id,
        one.started_us,
        one.seen_us,
        one.has_ended,
        one.session_ms,
        one.total_ms,
        one.sessions,
    )
