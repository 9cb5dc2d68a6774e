"""The statements that record scores: who and what is meant, what is held already, what is held now.

All in one transaction. What a player holds is locked before it is weighed (leaderboards/rules/scores.py) and written
with the version that was weighed, so nothing comes in between. Periods are locked in share: who makes one final waits
for every submission that is on its way to it.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from core.db import LostRace, array_literal, run_prepared, text_array_literal
from leaderboards.facts import ScoresChanged

LOCK_SPACE = 0x4C42  # keeps our advisory locks apart from others'


class Who(NamedTuple):
    """A player as a studio named him."""

    player_id: int
    region: str
    banned: bool
    erased: bool
    excluded_us: int | None


# Whom a studio erased is not created again.
ERASED = Who(0, "", banned=False, erased=True, excluded_us=None)


class State(NamedTuple):
    """What a board and its period are at the moment of the submission."""

    board_version: int
    period_state: str


class Kept(NamedTuple):
    """What a player holds in a period."""

    region: str
    sort_value: int
    reached_us: int
    attempts: int
    version: int
    is_shown: bool
    metadata: str | None
    event_id: UUID


class Write(NamedTuple):
    """What a player holds in a period from now on; `expected` is the version that was weighed, 0 for none."""

    player_id: int
    period_id: int
    studio_id: int
    region: str
    sort_value: int
    reached_us: int
    attempts: int
    metadata: str | None
    event_id: UUID
    excluded_us: int | None
    version: int
    expected: int


_BEGIN = """
WITH locked AS MATERIALIZED (
    SELECT pg_advisory_xact_lock_shared($4::integer, period_id::integer)
      FROM (SELECT DISTINCT unnest($3::bigint[]) AS period_id ORDER BY 1) AS wanted
)
SELECT w.place, x.player_id, p.region, x.banned_at IS NOT NULL, p.erased_at IS NOT NULL,
       (extract(epoch FROM x.excluded_at) * 1000000)::bigint,
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
  FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS w (studio_id, external_id, place)
  CROSS JOIN (SELECT count(*) FROM locked) AS all_locked
  LEFT JOIN accounts_playeridentity x ON x.studio_id = w.studio_id AND x.external_id = w.external_id
  LEFT JOIN accounts_player p ON p.id = x.player_id
"""


def begin(names: Sequence[tuple[int, str]], period_ids: Iterable[int]) -> tuple[list[Who | None], int]:
    """Lock periods against becoming final, and look players up; return them in order, and the time in microseconds.

    `names` are `(studio_id, external_id)`; there is at least one.
    """
    studios, externals = zip(*names, strict=True)
    rows = run_prepared(
        _BEGIN,
        [array_literal(studios), text_array_literal(externals), array_literal(period_ids), LOCK_SPACE],
    )
    found: list[Who | None] = [None] * len(names)
    for place, player_id, *rest, _ in rows:
        found[place - 1] = None if player_id is None else Who(player_id, *rest)
    return found, rows[0][-1]


_STATES = """
SELECT q.id, b.version, q.state FROM leaderboards_period q JOIN leaderboards_leaderboard b ON b.id = q.leaderboard_id
 WHERE q.id = ANY($1::bigint[])
"""


def states(period_ids: Iterable[int]) -> dict[int, State]:
    """Return what periods and their boards are now, by period; of those that are gone nothing."""
    return {row[0]: State(*row[1:]) for row in run_prepared(_STATES, [array_literal(set(period_ids))])}


_HOLD = """
SELECT s.player_id, s.period_id, s.region, s.sort_value, (extract(epoch FROM s.reached_at) * 1000000)::bigint,
       s.attempts, s.version, s.hidden_at IS NULL AND s.excluded_at IS NULL, s.metadata, s.event_id
  FROM unnest($1::bigint[], $2::bigint[]) AS wanted (player_id, period_id)
  JOIN leaderboards_score s USING (player_id, period_id)
 ORDER BY s.player_id, s.period_id
   FOR UPDATE OF s
"""


def hold(pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Kept]:
    """Lock and return what players hold, by `(player, period)`; those who hold nothing are left out."""
    wanted = sorted(set(pairs))
    if not wanted:
        return {}
    rows = run_prepared(_HOLD, [array_literal(column) for column in zip(*wanted, strict=True)])
    return {(row[0], row[1]): Kept(*row[2:]) for row in rows}


_NOTE = """
INSERT INTO leaderboards_submission (leaderboard_id, event_id, player_id, heard_at)
SELECT board, event, player, now() FROM unnest($1::bigint[], $2::uuid[], $3::bigint[]) AS i (board, event, player)
 ORDER BY board, event
ON CONFLICT (leaderboard_id, event_id) DO NOTHING
RETURNING leaderboard_id, event_id
"""


def note_events(events: Iterable[tuple[int, UUID, int]]) -> set[tuple[int, UUID]]:
    """Note `(board, event, player)` each; return which `(board, event)` are heard of for the first time."""
    listed = list(events)
    if not listed:
        return set()
    columns = [array_literal(column) for column in zip(*listed, strict=True)]
    return {(row[0], row[1]) for row in run_prepared(_NOTE, columns)}


_PLAYERS_OF = """
SELECT s.leaderboard_id, s.event_id, s.player_id FROM unnest($1::bigint[], $2::uuid[]) AS i (board, event)
  JOIN leaderboards_submission s ON s.leaderboard_id = i.board AND s.event_id = i.event
"""


def players_of(events: Iterable[tuple[int, UUID]]) -> dict[tuple[int, UUID], int]:
    """Return whose the submissions are that were noted before, by `(board, event)`."""
    listed = list(events)
    if not listed:
        return {}
    columns = [array_literal(column) for column in zip(*listed, strict=True)]
    return {(row[0], row[1]): row[2] for row in run_prepared(_PLAYERS_OF, columns)}


_FORGET = """
DELETE FROM leaderboards_submission s USING unnest($1::bigint[], $2::uuid[]) AS i (board, event)
 WHERE s.leaderboard_id = i.board AND s.event_id = i.event
"""


def forget_events(events: Iterable[tuple[int, UUID]]) -> None:
    """Take back what was noted of submissions that turned out to be refused."""
    listed = list(events)
    if listed:
        run_prepared(_FORGET, [array_literal(column) for column in zip(*listed, strict=True)])


# Rows that were there are locked since they were weighed; one that was not may be somebody else's by now.
_WRITE = """
WITH i AS MATERIALIZED (
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[],
                         $8::text[], $9::uuid[], $10::bigint[], $11::bigint[], $12::bigint[])
        AS i (player_id, period_id, studio_id, region, sort_value, reached_us, attempts, metadata, event_id,
              excluded_us, version, expected)
), updated AS (
    UPDATE leaderboards_score t
       SET sort_value = i.sort_value, reached_at = 'epoch'::timestamptz + i.reached_us * interval '1 microsecond',
           attempts = i.attempts, metadata = i.metadata, event_id = i.event_id, version = i.version
      FROM i WHERE t.player_id = i.player_id AND t.period_id = i.period_id AND t.version = i.expected
    RETURNING 1
), inserted AS (
    INSERT INTO leaderboards_score (player_id, period_id, studio_id, region, sort_value, reached_at, attempts, metadata,
                                    event_id, excluded_at, version)
    SELECT player_id, period_id, studio_id, region, sort_value,
           'epoch'::timestamptz + reached_us * interval '1 microsecond', attempts, metadata, event_id,
           'epoch'::timestamptz + excluded_us * interval '1 microsecond', version
      FROM i WHERE expected = 0 ORDER BY player_id, period_id
    ON CONFLICT (player_id, period_id) DO NOTHING
    RETURNING 1
), announced AS (
    INSERT INTO core_fact (kind, studio_id, size, payload)
    SELECT kind, studio_id, size, payload::json
      FROM unnest($13::text[], $14::bigint[], $15::integer[], $16::text[]) AS f (kind, studio_id, size, payload)
)
SELECT (SELECT count(*) FROM updated) + (SELECT count(*) FROM inserted)
"""


def write(writes: Sequence[Write], announcements: Sequence[tuple[int, int, ScoresChanged]]) -> None:
    """Write what players hold, each `(player, period)` once, and publish `(studio_id, size, fact)` each.

    Raises:
        LostRace: a row that was not there when it was weighed is there now; the transaction is to be rolled back.

    """
    if not writes:
        return
    ordered = sorted(writes)
    columns: list[Any] = [list(column) for column in zip(*ordered, strict=True)]
    studios = [studio_id for studio_id, _, _ in announcements]
    sizes = [size for _, size, _ in announcements]
    payloads = [orjson.dumps(asdict(fact)).decode() for _, _, fact in announcements]
    params = [
        *(array_literal(column) for column in columns[:3]),
        text_array_literal(columns[3]),
        *(array_literal(column) for column in columns[4:7]),
        columns[7],
        array_literal(columns[8]),
        array_literal("NULL" if value is None else value for value in columns[9]),
        *(array_literal(column) for column in columns[10:]),
        array_literal(ScoresChanged.kind for _ in announcements),
        array_literal(studios),
        array_literal(sizes),
        text_array_literal(payloads),
    ]
    if run_prepared(_WRITE, params)[0][0] != len(ordered):
        raise LostRace("another submission was the first of a player in a period")
