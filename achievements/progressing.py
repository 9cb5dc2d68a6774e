"""The statements that record progress: who is meant, what was reported before, how far everybody is from now on.

All in one transaction. Each locks its rows in the order of their keys, and they run one after the other in one order:
players, events, progress, unlocks. So groups that meet wait for each other and don't deadlock.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

import orjson

from achievements.facts import ProgressChanged
from core.db import LostRace, array_literal, run_prepared, text_array_literal

Event = tuple[int, UUID]  # game and event
Pair = tuple[int, int]  # player and achievement
_DELETED_AT_ONCE = 5_000


class Who(NamedTuple):
    """A player as a studio named him, and the version of the game's definitions; None for those unknown."""

    player_id: int | None
    banned: bool
    erased: bool
    version: int | None


class Kept(NamedTuple):
    """How far a player is with an achievement."""

    current: int
    version: int


class Write(NamedTuple):
    """How far a player is from now on; `expected` is the version that it was reckoned from, 0 for none."""

    player_id: int
    achievement_id: int
    current: int
    version: int
    expected: int


_KEEP = """
SELECT FROM achievements_catalogue WHERE game_id = ANY($1::bigint[]) ORDER BY game_id FOR KEY SHARE
"""


def keep_achievements(game_ids: Iterable[int]) -> None:
    """Let no achievement of the games be deleted until commit: who does locks the catalogue alone (ADR 0008).

    Which version the catalogue has is to be asked afterwards: this lock waits, and yet sees what was there before.
    """
    run_prepared(_KEEP, [array_literal(set(game_ids))])


_LOOK_UP = """
SELECT w.place, x.player_id, x.banned_at IS NOT NULL, p.erased_at IS NOT NULL, c.version,
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
  FROM unnest($1::bigint[], $2::text[], $3::bigint[]) WITH ORDINALITY AS w (studio_id, external_id, game_id, place)
  JOIN achievements_catalogue c ON c.game_id = w.game_id
  LEFT JOIN accounts_playeridentity x ON x.studio_id = w.studio_id AND x.external_id = w.external_id
  LEFT JOIN accounts_player p ON p.id = x.player_id
"""


def look_up(names: Sequence[tuple[int, str, int]]) -> tuple[list[Who], int]:
    """Look up `(studio, external_id, game)` each; return them in order, and the time in microseconds."""
    studios, externals, games = zip(*names, strict=True)
    rows = run_prepared(
        _LOOK_UP, [array_literal(studios), text_array_literal(externals), array_literal(games)]
    )
    found = [Who(None, False, False, None)] * len(names)
    for place, *who, _ in rows:
        found[place - 1] = Who(*who)
    return found, max((row[-1] for row in rows), default=0)


_NOTE = """
INSERT INTO achievements_progressevent (game_id, event_id, player_id, achievement_id, heard_at)
SELECT game, event, player, achievement, now()
  FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::bigint[]) AS i (game, event, player, achievement)
 ORDER BY game, event
ON CONFLICT (game_id, event_id) DO NOTHING
RETURNING game_id, event_id
"""


def note_events(events: Iterable[tuple[Event, Pair]]) -> set[Event]:
    """Note whose events are; return those that are heard of for the first time."""
    listed = [(*event, *pair) for event, pair in events]
    if not listed:
        return set()
    columns = [array_literal(column) for column in zip(*listed, strict=True)]
    return {(row[0], row[1]) for row in run_prepared(_NOTE, columns)}


_PAIRS_OF = """
SELECT e.game_id, e.event_id, e.player_id, e.achievement_id
  FROM unnest($1::bigint[], $2::uuid[]) AS i (game, event)
  JOIN achievements_progressevent e ON e.game_id = i.game AND e.event_id = i.event
"""


def pairs_of(events: Iterable[Event]) -> dict[Event, Pair]:
    """Return whose events are that were noted before; others are left out."""
    listed = list(events)
    if not listed:
        return {}
    columns = [array_literal(column) for column in zip(*listed, strict=True)]
    return {(row[0], row[1]): (row[2], row[3]) for row in run_prepared(_PAIRS_OF, columns)}


_HOLD = """
SELECT t.player_id, t.achievement_id, t.current, t.version
  FROM unnest($1::bigint[], $2::bigint[]) AS wanted (player_id, achievement_id)
  JOIN achievements_progress t USING (player_id, achievement_id)
 ORDER BY t.player_id, t.achievement_id
   FOR UPDATE OF t
"""
_UNLOCKED = """
SELECT u.player_id, u.achievement_id FROM unnest($1::bigint[], $2::bigint[]) AS wanted (player_id, achievement_id)
  JOIN achievements_unlock u USING (player_id, achievement_id)
"""


def hold(pairs: Iterable[Pair]) -> tuple[dict[Pair, Kept], set[Pair]]:
    """Lock and return how far players are, and who has unlocked it; those of no progress are left out."""
    wanted = sorted(set(pairs))
    if not wanted:
        return {}, set()
    columns = [array_literal(column) for column in zip(*wanted, strict=True)]
    kept = {(row[0], row[1]): Kept(*row[2:]) for row in run_prepared(_HOLD, columns)}
    return kept, {(row[0], row[1]) for row in run_prepared(_UNLOCKED, columns)}


# Rows that were there are locked since they were looked up; one that was not may be somebody else's by now.
_WRITE = """
WITH i AS MATERIALIZED (
    SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[])
        AS i (player_id, achievement_id, current, version, expected)
), updated AS (
    UPDATE achievements_progress t SET current = i.current, version = i.version, updated_at = clock_timestamp()
      FROM i WHERE t.player_id = i.player_id AND t.achievement_id = i.achievement_id AND t.version = i.expected
    RETURNING 1
), inserted AS (
    INSERT INTO achievements_progress (player_id, achievement_id, current, version, updated_at)
    SELECT player_id, achievement_id, current, version, clock_timestamp()
      FROM i WHERE expected = 0 ORDER BY player_id, achievement_id
    ON CONFLICT (player_id, achievement_id) DO NOTHING
    RETURNING 1
), announced AS (
    INSERT INTO core_fact (kind, studio_id, size, payload)
    SELECT $6::text, studio_id, size, payload::json
      FROM unnest($7::bigint[], $8::integer[], $9::text[]) AS f (studio_id, size, payload)
)
SELECT (SELECT count(*) FROM updated) + (SELECT count(*) FROM inserted)
"""


def write(writes: Iterable[Write], announcements: Sequence[tuple[int, ProgressChanged]]) -> None:
    """Write how far players are, each pair once, and publish `(studio_id, fact)` each.

    Raises:
        LostRace: a row that was not there when it was looked up is there now.

    """
    ordered = sorted(writes)
    if not ordered:
        return
    params = [
        *(array_literal(column) for column in zip(*ordered, strict=True)),
        ProgressChanged.kind,
        array_literal(studio_id for studio_id, _ in announcements),
        array_literal(len(fact.changes) for _, fact in announcements),
        text_array_literal(orjson.dumps(asdict(fact)).decode() for _, fact in announcements),
    ]
    if run_prepared(_WRITE, params)[0][0] != len(ordered):
        raise LostRace("another report was a player's first of an achievement")


_FORGET = """
    WITH gone AS (
        DELETE FROM achievements_progressevent WHERE ctid = ANY(ARRAY(
            SELECT ctid FROM achievements_progressevent WHERE heard_at < $1::timestamptz ORDER BY heard_at LIMIT $2))
        RETURNING 1
    ) SELECT count(*) FROM gone
"""


def forget_some(before: datetime) -> int:
    """Delete some of the events that are older; return how many, 0 when none is left."""
    deleted: int = run_prepared(_FORGET, [before, _DELETED_AT_ONCE])[0][0]
    return deleted
