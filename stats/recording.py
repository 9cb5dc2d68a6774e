"""The statements that record reports: who is meant, what is declared and held already, what is held now.

All in one transaction. What a player holds is locked, in the order of (player, stat), before it is weighed
(stats/rules/values.py), and written with the version that was weighed, so nothing comes in between.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from decimal import Decimal
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from core.db import LostRace, array_literal, run_prepared, text_array_literal
from stats.facts import StatsChanged
from stats.locking import SPACE


class Who(NamedTuple):
    """A player as a studio named him."""

    player_id: int
    banned: bool
    erased: bool


# Whom a studio erased is not created again.
ERASED = Who(0, banned=False, erased=True)


class Kept(NamedTuple):
    """What a player holds of a stat."""

    value: Decimal
    reached_us: int
    version: int


class Write(NamedTuple):
    """What a player holds of a stat from now on; `expected` is the version that was weighed, 0 for none."""

    player_id: int
    stat_id: int
    studio_id: int
    value: Decimal
    reached_us: int
    version: int
    expected: int


_BEGIN = """
WITH locked AS MATERIALIZED (
    SELECT pg_advisory_xact_lock_shared($4::integer, game_id::integer)
      FROM (SELECT DISTINCT unnest($3::bigint[]) AS game_id ORDER BY 1) AS wanted
)
SELECT w.place, x.player_id, x.banned_at IS NOT NULL, p.erased_at IS NOT NULL,
       (extract(epoch FROM clock_timestamp()) * 1000000)::bigint
  FROM unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS w (studio_id, external_id, place)
  CROSS JOIN (SELECT count(*) FROM locked) AS all_locked
  LEFT JOIN accounts_playeridentity x ON x.studio_id = w.studio_id AND x.external_id = w.external_id
  LEFT JOIN accounts_player p ON p.id = x.player_id
"""


def begin(names: Sequence[tuple[int, str]], game_ids: Iterable[int]) -> tuple[list[Who | None], int]:
    """Lock games' stats against being changed, and look players up; return them in order, and the time in µs.

    `names` are `(studio_id, external_id)`; there is at least one.
    """
    studios, externals = zip(*names, strict=True)
    rows = run_prepared(
        _BEGIN, [array_literal(studios), text_array_literal(externals), array_literal(game_ids), SPACE]
    )
    found: list[Who | None] = [None] * len(names)
    for place, player_id, *rest, _ in rows:
        found[place - 1] = None if player_id is None else Who(player_id, *rest)
    return found, rows[0][-1]


_VERSIONS = "SELECT id, version FROM stats_stat WHERE id = ANY($1::bigint[])"


def versions(stat_ids: Iterable[int]) -> dict[int, int]:
    """Return the versions of stats; of those that are gone nothing."""
    return dict(run_prepared(_VERSIONS, [array_literal(set(stat_ids))]))


_HOLD = """
SELECT v.player_id, v.stat_id, v.value, (extract(epoch FROM v.reached_at) * 1000000)::bigint, v.version
  FROM unnest($1::bigint[], $2::bigint[]) AS wanted (player_id, stat_id)
  JOIN stats_statvalue v USING (player_id, stat_id)
 ORDER BY v.player_id, v.stat_id
   FOR UPDATE OF v
"""


def hold(pairs: Iterable[tuple[int, int]]) -> dict[tuple[int, int], Kept]:
    """Lock and return what players hold, by `(player, stat)`; those who hold nothing are left out."""
    wanted = sorted(set(pairs))
    if not wanted:
        return {}
    rows = run_prepared(_HOLD, [array_literal(column) for column in zip(*wanted, strict=True)])
    return {(row[0], row[1]): Kept(*row[2:]) for row in rows}


_NOTE = """
INSERT INTO stats_report (game_id, event_id, player_id, heard_at)
SELECT game, event, player, now() FROM unnest($1::bigint[], $2::uuid[], $3::bigint[]) AS i (game, event, player)
 ORDER BY game, event
ON CONFLICT (game_id, event_id) DO NOTHING
RETURNING game_id, event_id
"""


def note_events(events: Iterable[tuple[int, UUID, int]]) -> set[tuple[int, UUID]]:
    """Note `(game, event, player)` each; return which `(game, event)` are heard of for the first time."""
    listed = list(events)
    if not listed:
        return set()
    columns = [array_literal(column) for column in zip(*listed, strict=True)]
    return {(row[0], row[1]) for row in run_prepared(_NOTE, columns)}


_PLAYERS_OF = """
SELECT r.game_id, r.event_id, r.player_id FROM unnest($1::bigint[], $2::uuid[]) AS i (game, event)
  JOIN stats_report r ON r.game_id = i.game AND r.event_id = i.event
"""


def players_of(events: Iterable[tuple[int, UUID]]) -> dict[tuple[int, UUID], int]:
    """Return whose the reports are that were noted before, by `(game, event)`."""
    listed = list(events)
    if not listed:
        return {}
    columns = [array_literal(column) for column in zip(*listed, strict=True)]
    return {(row[0], row[1]): row[2] for row in run_prepared(_PLAYERS_OF, columns)}


_FORGET = """
DELETE FROM stats_report r USING unnest($1::bigint[], $2::uuid[]) AS i (game, event)
 WHERE r.game_id = i.game AND r.event_id = i.event
"""


def forget_events(events: Iterable[tuple[int, UUID]]) -> None:
    """Take back what was noted of reports of which nothing was taken."""
    listed = list(events)
    if listed:
        run_prepared(_FORGET, [array_literal(column) for column in zip(*listed, strict=True)])


# Rows that were there are locked since they were weighed; one that was not may be somebody else's by now.
_WRITE = """
WITH i AS MATERIALIZED (
    SELECT player_id, stat_id, studio_id, value,
           'epoch'::timestamptz + reached_us * interval '1 microsecond' AS reached_at, version, expected
      FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::numeric[], $5::bigint[], $6::bigint[], $7::bigint[])
        AS i (player_id, stat_id, studio_id, value, reached_us, version, expected)
), updated AS (
    UPDATE stats_statvalue t SET value = i.value, reached_at = i.reached_at, version = i.version
      FROM i WHERE t.player_id = i.player_id AND t.stat_id = i.stat_id AND t.version = i.expected
    RETURNING 1
), inserted AS (
    INSERT INTO stats_statvalue (player_id, stat_id, studio_id, value, reached_at, version)
    SELECT player_id, stat_id, studio_id, value, reached_at, version FROM i WHERE expected = 0
     ORDER BY player_id, stat_id
    ON CONFLICT (player_id, stat_id) DO NOTHING
    RETURNING 1
), announced AS (
    INSERT INTO core_fact (kind, studio_id, size, payload)
    SELECT kind, studio_id, size, payload::json
      FROM unnest($8::text[], $9::bigint[], $10::integer[], $11::text[]) AS f (kind, studio_id, size, payload)
)
SELECT (SELECT count(*) FROM updated) + (SELECT count(*) FROM inserted)
"""


def write(writes: Sequence[Write], announcements: Sequence[tuple[int, int, StatsChanged]]) -> None:
    """Write what players hold, each `(player, stat)` once, and publish `(studio_id, size, fact)` each.

    Raises:
        LostRace: a row that was not there when it was weighed is there now; the transaction is to be rolled back.

    """
    if not writes:
        return
    ordered = sorted(writes)
    payloads = [orjson.dumps(asdict(fact)).decode() for _, _, fact in announcements]
    params: list[Any] = [
        *(array_literal(column) for column in zip(*ordered, strict=True)),
        array_literal(StatsChanged.kind for _ in announcements),
        array_literal(studio_id for studio_id, _, _ in announcements),
        array_literal(size for _, size, _ in announcements),
        text_array_literal(payloads),
    ]
    if run_prepared(_WRITE, params)[0][0] != len(ordered):
        raise LostRace("another report was the first about a stat of a player")


# By the clock, as where reports are weighed: whoever reports next has waited for us, and looks at it later.
_TAKE_AWAY = """
WITH clock AS MATERIALIZED (
    SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint AS now_us
), gone AS (
    DELETE FROM stats_statvalue WHERE player_id = $1 AND stat_id = ANY($2::bigint[])
    RETURNING stat_id, value, version
)
SELECT g.stat_id, g.value, c.now_us, greatest(g.version + 1, c.now_us)
  FROM gone g CROSS JOIN clock c ORDER BY g.stat_id
"""


def take_away(player_id: int, stat_ids: Iterable[int]) -> dict[int, Kept]:
    """Delete what a player holds of stats; return it by stat, with when it was deleted, and the version of that.

    The caller holds the game's stats alone (stats/locking.py).
    """
    rows = run_prepared(_TAKE_AWAY, [player_id, array_literal(stat_ids)])
    return {row[0]: Kept(*row[1:]) for row in rows}
