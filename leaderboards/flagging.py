"""The statements that keep implausible scores apart, inside the transaction that weighs them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from core.db import LostRace, array_literal, run_prepared, text_array_literal
from leaderboards.rules.scores import Held

Place = tuple[int, int, str]  # player, board and main period


@dataclass(frozen=True, slots=True)
class Flag:
    """What waits for a player in a period: what is claimed, and by which submission; `row` is None for a new one."""

    row: int | None
    held: Held
    metadata: str | None
    event_id: UUID
    broken: Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Write:
    """What waits from now on."""

    flag: Flag
    game_id: int
    studio_id: int
    heard_us: int
    decimals: int


_HOLD = """
SELECT f.player_id, f.leaderboard_id, f.period, f.id, f.sort_value,
       (extract(epoch FROM f.reached_at) * 1000000)::bigint, f.submissions, f.metadata, f.event_id,
       f.evidence->'broken'
  FROM unnest($1::bigint[], $2::bigint[], $3::text[]) AS w (player_id, leaderboard_id, period)
  JOIN leaderboards_flaggedscore f USING (player_id, leaderboard_id, period)
 WHERE f.state = 'open' ORDER BY f.player_id, f.leaderboard_id, f.period FOR UPDATE OF f
"""


def hold(places: Iterable[Place]) -> dict[Place, Flag]:
    """Lock and return what waits at places; those where nothing does are left out."""
    wanted = sorted(set(places))
    if not wanted:
        return {}
    players, boards, periods = zip(*wanted, strict=True)
    rows = run_prepared(_HOLD, [array_literal(players), array_literal(boards), text_array_literal(periods)])
    return {(row[0], row[1], row[2]): Flag(row[3], Held(*row[4:7]), *row[7:]) for row in rows}


_COLUMNS = """
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[],
                         $8::bigint[], $9::bigint[], $10::text[], $11::uuid[], $12::text[], $13::text[], $14::bigint[])
        AS i (player_id, leaderboard_id, period, game_id, studio_id, sort_value, reached_us, submissions, heard_us,
              metadata, event_id, rules, evidence, row)
"""
_WRITE = f"""
WITH i AS MATERIALIZED ({_COLUMNS}), updated AS (
    UPDATE leaderboards_flaggedscore t
       SET sort_value = i.sort_value, reached_at = 'epoch'::timestamptz + i.reached_us * interval '1 microsecond',
           heard_at = 'epoch'::timestamptz + i.heard_us * interval '1 microsecond', submissions = i.submissions,
           metadata = i.metadata, event_id = i.event_id, rules = string_to_array(i.rules, ' '),
           evidence = i.evidence::jsonb
      FROM i WHERE t.id = i.row
    RETURNING 1
), inserted AS (
    INSERT INTO leaderboards_flaggedscore
           (uuid, player_id, leaderboard_id, period, game_id, studio_id, sort_value, reached_at, heard_at, submissions,
            metadata, event_id, rules, evidence, state, reason, actor)
    SELECT uuidv7(), player_id, leaderboard_id, period, game_id, studio_id, sort_value,
           'epoch'::timestamptz + reached_us * interval '1 microsecond',
           'epoch'::timestamptz + heard_us * interval '1 microsecond', submissions, metadata, event_id,
           string_to_array(rules, ' '), evidence::jsonb, 'open', '', ''
      FROM i WHERE row IS NULL ORDER BY player_id, leaderboard_id, period
    ON CONFLICT (player_id, leaderboard_id, period) WHERE state = 'open' DO NOTHING
    RETURNING 1
)
SELECT (SELECT count(*) FROM updated) + (SELECT count(*) FROM inserted)
"""  # noqa: S608 - constants of ours


def write(writes: Mapping[Place, Write]) -> None:
    """Keep what waits at places.

    Raises:
        LostRace: something waits by now where nothing did; the transaction is to be rolled back.

    """
    if not writes:
        return
    ordered = sorted(writes.items())
    players, boards, periods = zip(*(place for place, _ in ordered), strict=True)
    rows = [row for _, row in ordered]
    params = [
        array_literal(players),
        array_literal(boards),
        text_array_literal(periods),
        array_literal(row.game_id for row in rows),
        array_literal(row.studio_id for row in rows),
        array_literal(row.flag.held.sort_value for row in rows),
        array_literal(row.flag.held.reached_us for row in rows),
        array_literal(row.flag.held.attempts for row in rows),
        array_literal(row.heard_us for row in rows),
        [row.flag.metadata for row in rows],
        array_literal(row.flag.event_id for row in rows),
        text_array_literal(" ".join(str(one["rule"]) for one in row.flag.broken) for row in rows),
        text_array_literal(orjson.dumps(_evidence(row)).decode() for row in rows),
        array_literal("NULL" if row.flag.row is None else row.flag.row for row in rows),
    ]
    if run_prepared(_WRITE, params)[0][0] != len(ordered):
        raise LostRace("another submission of the player waits since a moment ago")


def _evidence(row: Write) -> dict[str, Any]:
    return {"broken": list(row.flag.broken), "decimals": row.decimals}
