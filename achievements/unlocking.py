"""The one statement that records unlocks (docs/adr/0002-truth-and-the-fact-log.md).

It takes a batch, writes the unlocks that are new, adds their points to the players' totals, appends one fact per game,
and says what became of each item: all or nothing, one round trip, one commit. Points come only from rows that the
INSERT returned, so no race and no retry can count twice. Rows are written in the order of their keys, so batches that
meet wait for each other and don't deadlock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from core.clock import microseconds
from core.db import array_literal, run_prepared, text_array_literal

# An item is passed by (and reported) when its player is unknown, banned or erased, or the catalogue has moved on.
# heard_at rises by a microsecond from item to item: of equal scores, who was sent first is ranked first.
# The rows of `known` and `new` are put together in Python: the planner takes the CTEs for small and would compare each
# with each (500 rows cost twice as much per row as 100).
_RECORD = """
WITH clock AS MATERIALIZED (
    SELECT clock_timestamp() AS now
), input AS MATERIALIZED (
    SELECT * FROM unnest(
        $1::bigint[], $2::text[], $3::bigint[], $4::bigint[],
        $5::bigint[], $6::bigint[], $7::bigint[], $8::uuid[], $10::bigint[]
    ) WITH ORDINALITY AS i (studio_id, external_id, game_id, version, achievement_id, points, told_us, event_id,
                            first_heard_us, ord)
), known AS MATERIALIZED (
    SELECT i.*, p.id AS player_id,
           coalesce('epoch'::timestamptz + i.first_heard_us * interval '1 microsecond',
                    clock.now + i.ord * interval '1 microsecond') AS heard_at,
           x.banned_at IS NOT NULL AS banned, p.erased_at IS NOT NULL AS erased, c.version <> i.version AS outdated
      FROM clock CROSS JOIN input i
      JOIN accounts_playeridentity x ON x.studio_id = i.studio_id AND x.external_id = i.external_id
      JOIN accounts_player p ON p.id = x.player_id
      JOIN achievements_catalogue c ON c.game_id = i.game_id
), new AS (
    INSERT INTO achievements_unlock
           (player_id, achievement_id, game_id, studio_id, points, unlocked_at, heard_at, event_id)
    SELECT player_id, achievement_id, game_id, studio_id, points,
           coalesce('epoch'::timestamptz + told_us * interval '1 microsecond', heard_at),
           heard_at, event_id
      FROM known WHERE NOT (banned OR erased OR outdated)
     ORDER BY player_id, achievement_id, ord
    ON CONFLICT (player_id, achievement_id) DO NOTHING
    RETURNING player_id, achievement_id, game_id, studio_id, points, unlocked_at, heard_at, event_id,
              CASE WHEN $9::boolean AND unlocked_at BETWEEN heard_at - interval '14 days' AND heard_at
                   THEN unlocked_at ELSE heard_at END AS reached_at
), in_game AS (
    INSERT INTO achievements_playergame AS t
           (player_id, game_id, studio_id, region, points, unlocked, points_reached_at, first_unlock_at,
            last_unlock_at, ranked, version)
    SELECT n.player_id, n.game_id, n.studio_id, p.region, n.points, n.unlocked, n.reached_at, n.first_at, n.last_at,
           NOT EXISTS (SELECT FROM accounts_playeridentity x WHERE x.player_id = n.player_id
                          AND x.studio_id = n.studio_id AND x.excluded_at IS NOT NULL), 1
      FROM (SELECT player_id, game_id, min(studio_id) AS studio_id, sum(points) AS points, count(*) AS unlocked,
                   {last_reached} AS reached_at, min(unlocked_at) AS first_at, max(unlocked_at) AS last_at
              FROM new GROUP BY player_id, game_id) AS n
      JOIN accounts_player p ON p.id = n.player_id
     ORDER BY n.player_id, n.game_id
    ON CONFLICT (player_id, game_id) DO UPDATE SET
        points = t.points + excluded.points, unlocked = t.unlocked + excluded.unlocked,
        points_reached_at = CASE WHEN excluded.points = 0 THEN t.points_reached_at
                                 ELSE greatest(t.points_reached_at, excluded.points_reached_at) END,
        -- Who had everything taken back begins anew.
        first_unlock_at = least(CASE WHEN t.unlocked > 0 THEN t.first_unlock_at END, excluded.first_unlock_at),
        last_unlock_at = greatest(CASE WHEN t.unlocked > 0 THEN t.last_unlock_at END, excluded.last_unlock_at),
        version = t.version + 1
    RETURNING player_id, game_id, region, points, unlocked, points_reached_at, version
), overall AS (
    INSERT INTO achievements_playertotal AS t (player_id, region, points, unlocked, points_reached_at, version)
    SELECT n.player_id, p.region, n.points, n.unlocked, n.reached_at, 1
      FROM (SELECT player_id, sum(points) AS points, count(*) AS unlocked, {last_reached} AS reached_at
              FROM new GROUP BY player_id) AS n
      JOIN accounts_player p ON p.id = n.player_id
     ORDER BY n.player_id
    ON CONFLICT (player_id) DO UPDATE SET
        points = t.points + excluded.points, unlocked = t.unlocked + excluded.unlocked,
        points_reached_at = CASE WHEN excluded.points = 0 THEN t.points_reached_at
                                 ELSE greatest(t.points_reached_at, excluded.points_reached_at) END,
        version = t.version + 1
    RETURNING player_id, region, points, unlocked, points_reached_at, version
), announced AS (
    INSERT INTO core_fact (kind, studio_id, size, payload)
    SELECT 'achievements_unlocked', studio_id, items,
           json_build_object('game', game_id, 'unlocks', unlocks, 'totals', totals, 'silent', $11::boolean)
      FROM (SELECT game_id, min(studio_id) AS studio_id, count(*) AS items,
                   json_agg(json_build_array(player_id, achievement_id, points, {unlocked_us}, {heard_us}, event_id)
                             ORDER BY heard_at) AS unlocks
              FROM new GROUP BY game_id) AS u
      JOIN (SELECT game_id, json_agg(json_build_array(player_id, region, points, unlocked, {reached_us}, version))
                   AS totals FROM in_game GROUP BY game_id) AS t USING (game_id)
    UNION ALL
    SELECT 'overall_changed', NULL, count(*), json_build_object('totals',
           json_agg(json_build_array(player_id, region, points, unlocked, {reached_us}, version)))
      FROM overall HAVING count(*) > 0
)
SELECT 'known', ord::bigint, player_id, NULL::bigint, banned, erased, outdated, NULL::timestamptz, NULL::uuid,
       NULL::integer
  FROM known
UNION ALL
SELECT 'new', achievement_id, player_id, game_id, NULL, NULL, NULL, unlocked_at, event_id, NULL FROM new
UNION ALL
SELECT 'total', points, player_id, game_id, NULL, NULL, NULL, NULL, NULL, unlocked FROM in_game
UNION ALL
SELECT 'clock', {now_us}, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL FROM clock
"""

# What was there before, seen by a snapshot of its own: also what another transaction committed a moment ago.
_FIND = """
SELECT u.player_id, u.achievement_id, u.unlocked_at, u.event_id
  FROM unnest($1::bigint[], $2::bigint[]) AS wanted (player_id, achievement_id)
  JOIN achievements_unlock u USING (player_id, achievement_id)
"""


def _microseconds(column: str) -> str:
    # A double, exact to the microsecond until 2242; `extract` is numeric, and takes three times as long.
    return f"(date_part('epoch', {column}) * 1000000)::bigint"


RECORD = _RECORD.format(
    # An unlock without points changes no order: it must not make its player later among equals.
    last_reached="coalesce(max(reached_at) FILTER (WHERE points > 0), max(reached_at))",
    unlocked_us=_microseconds("unlocked_at"),
    heard_us=_microseconds("heard_at"),
    now_us=_microseconds("now"),
    reached_us=_microseconds("points_reached_at"),
)


@dataclass(frozen=True, slots=True)
class Item:
    """One unlock that passed the catalogue's checks, as the statement takes it.

    Attributes:
        first_heard_us: when the platform heard of it, if that was before this statement: its player was unknown then.
        is_of_device: a player's own device says so; its clock proves nothing.

    """

    studio_id: int
    external_id: str
    game_id: int
    version: int
    achievement_id: int
    points: int
    unlocked_at: datetime | None
    event_id: UUID
    first_heard_us: int | None = None
    is_of_device: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an item.

    Attributes:
        player_id: None when the studio has not named this player yet.
        heard_us: then, when the platform heard of it.
        outdated: the catalogue changed since the check; nothing was written.
        recorded: this very item was written by this statement.
        unlocked_at: of the unlock now stored; None when there is none.
        points, unlocked: the player's totals in the game after the batch, when they changed.
        is_apart: it broke a rule of plausibility, and counts once somebody approves it; nobody who asks is told.

    """

    player_id: int | None = None
    banned: bool = False
    erased: bool = False
    outdated: bool = False
    recorded: bool = False
    unlocked_at: datetime | None = None
    event_id: UUID | None = None
    points: int = 0
    unlocked: int = 0
    heard_us: int | None = None
    is_apart: bool = False


def record(items: Sequence[Item], *, offline: bool = False, silent: bool = False) -> list[Outcome]:
    """Record a batch; return an outcome for each item, in order. An empty batch is an empty list.

    With `silent` the fact says that nobody is to be told.
    With `offline` ties are ranked by the time that the game told if it is 14 days back at most, else by hearing.
    """
    if not items:
        return []
    params = [
        array_literal(item.studio_id for item in items),
        text_array_literal(item.external_id for item in items),
        array_literal(item.game_id for item in items),
        array_literal(item.version for item in items),
        array_literal(item.achievement_id for item in items),
        array_literal(item.points for item in items),
        array_literal(
            "NULL" if item.unlocked_at is None else microseconds(item.unlocked_at) for item in items
        ),
        array_literal(item.event_id for item in items),
        offline,
        array_literal("NULL" if item.first_heard_us is None else item.first_heard_us for item in items),
        silent,
    ]
    return _outcomes(items, run_prepared(RECORD, params))


def _outcomes(items: Sequence[Item], rows: list[tuple[Any, ...]]) -> list[Outcome]:
    """Put together what the statement said of each item."""
    known: dict[int, tuple[Any, ...]] = {}
    stored: dict[tuple[int, int], tuple[datetime, UUID]] = {}
    totals: dict[tuple[int, int], tuple[int, int]] = {}
    now_us = 0
    for kind, number, player_id, game_id, *rest in rows:
        if kind == "known":
            known[number - 1] = (player_id, *rest[:3])
        elif kind == "new":
            stored[player_id, number] = (rest[3], rest[4])
        elif kind == "total":
            totals[player_id, game_id] = (number, rest[5])
        else:
            now_us = number
    new = set(stored)
    stored |= _found(items, known, without=new)
    outcomes = []
    for index, item in enumerate(items):
        if index not in known:
            outcomes.append(Outcome(heard_us=item.first_heard_us or now_us + index + 1))
            continue
        player_id, banned, erased, outdated = known[index]
        pair = (player_id, item.achievement_id)
        unlocked_at, event_id = stored.get(pair, (None, None))
        points, unlocked = totals.get((player_id, item.game_id), (0, 0))
        # Of several items about the same, the first one is the new one.
        outcomes.append(
            Outcome(player_id, banned, erased, outdated, pair in new, unlocked_at, event_id, points, unlocked)
        )
        new.discard(pair)
    return outcomes


def _found(
    items: Sequence[Item], known: dict[int, tuple[Any, ...]], *, without: set[tuple[int, int]]
) -> dict[tuple[int, int], tuple[datetime, UUID]]:
    """Return the unlocks that items met already stored."""
    pairs = {
        (row[0], items[index].achievement_id) for index, row in known.items() if not any(row[1:])
    } - without
    if not pairs:
        return {}
    players, achievements = zip(*pairs, strict=True)
    rows = run_prepared(_FIND, [array_literal(players), array_literal(achievements)])
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}
