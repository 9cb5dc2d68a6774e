"""The statements that keep what is counted of games, each inside the caller's transaction."""

import secrets
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from core.db import array_literal, run_prepared, text_array_literal
from core.refusals import Unavailable

_EPOCH = "'1970-01-01'::date"


class Place(NamedTuple):
    """A player's day in a game; days are numbers since 1970."""

    game_id: int
    player_id: int
    day: int


@dataclass(slots=True)
class Deeds:
    """What somebody did on a day.

    Attributes:
        first_us: the earliest of it, in microseconds since 1970; None if he was not there.
        is_given: then, that he was given an unlock, and that none was taken back only.

    """

    unlocks: int = 0
    points: int = 0
    playtime_ms: int = 0
    first_us: int | None = None
    is_given: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """A day as it is kept; `is_new` if nobody knew before that the player was there."""

    place: Place
    region: str
    is_new: bool


# Who becomes known to be there is told by the number of the call: of a row that was updated, nothing else can tell.
_ATTEND = f"""
INSERT INTO analytics_activeday AS t (game_id, player_id, day, region, first_at, unlocks, points, playtime_ms, came_by)
SELECT i.game_id, i.player_id, {_EPOCH} + i.day, p.region, 'epoch'::timestamptz + i.first_us * interval '1 microsecond',
       i.unlocks, i.points, i.playtime_ms, CASE WHEN i.first_us IS NULL THEN 0 ELSE $8::bigint END
  FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::bigint[], $5::integer[], $6::bigint[], $7::bigint[])
       AS i (game_id, player_id, day, first_us, unlocks, points, playtime_ms)
  JOIN accounts_player p ON p.id = i.player_id
 ORDER BY i.game_id, i.player_id, i.day
ON CONFLICT (game_id, player_id, day) DO UPDATE SET
    first_at = least(t.first_at, excluded.first_at), unlocks = t.unlocks + excluded.unlocks,
    points = t.points + excluded.points, playtime_ms = t.playtime_ms + excluded.playtime_ms,
    came_by = CASE WHEN t.first_at IS NULL THEN excluded.came_by ELSE t.came_by END
RETURNING game_id, player_id, day - {_EPOCH}, region, came_by = $8::bigint
"""  # noqa: S608 - constants of ours
_CORRECT = f"""
UPDATE analytics_activeday t SET unlocks = t.unlocks + i.unlocks, points = t.points + i.points
  FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::integer[], $5::bigint[])
       AS i (game_id, player_id, day, unlocks, points)
 WHERE t.game_id = i.game_id AND t.player_id = i.player_id AND t.day = {_EPOCH} + i.day
RETURNING t.game_id, t.player_id, t.day - {_EPOCH}, t.region, false
"""  # noqa: S608 - constants of ours


def attend(deeds: Mapping[Place, Deeds]) -> list[Kept]:
    """Add what players did on their days; one on which something was only taken back must be known, else it is left.

    Returns:
        The days that were written.

    """
    there, taken = [], []
    for place, one in deeds.items():
        if one.first_us is not None or one.is_given:
            first_us = "NULL" if one.first_us is None else one.first_us
            there.append((*place, first_us, one.unlocks, one.points, one.playtime_ms))
        else:
            taken.append((*place, one.unlocks, one.points))
    rows = _run(_ATTEND, there, secrets.randbits(62) + 1) + _run(_CORRECT, taken)
    return [Kept(Place(*row[:3]), row[3], row[4]) for row in rows]


Player = tuple[int, int]  # game and player
_FIRST = f"""
SELECT i.game_id, i.player_id, f.day - {_EPOCH}
  FROM unnest($1::bigint[], $2::bigint[], $3::integer[]) AS i (game_id, player_id, most)
 CROSS JOIN LATERAL (SELECT t.day FROM analytics_activeday t
                      WHERE t.game_id = i.game_id AND t.player_id = i.player_id AND t.first_at IS NOT NULL
                      ORDER BY t.day LIMIT i.most) AS f
"""  # noqa: S608 - constants of ours


def first_days(most: Mapping[Player, int]) -> dict[Player, list[int]]:
    """Return the first days on which each player was there, as many as are asked for, in order; of nobody nothing."""
    found: dict[Player, list[int]] = defaultdict(list)
    for game_id, player_id, day in _run(_FIRST, [(*player, n) for player, n in most.items()]):
        found[game_id, player_id].append(day)
    return {player: sorted(days) for player, days in found.items()}


_WITHIN = f"""
SELECT t.game_id, t.player_id, t.day - {_EPOCH}, t.region
  FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::integer[]) AS i (game_id, player_id, since, until)
  JOIN analytics_activeday t ON t.game_id = i.game_id AND t.player_id = i.player_id
   AND t.day BETWEEN {_EPOCH} + i.since AND {_EPOCH} + i.until AND t.first_at IS NOT NULL
"""  # noqa: S608 - constants of ours


def days_within(spans: Iterable[tuple[int, int, int, int]]) -> dict[Player, dict[int, str]]:
    """Return the days with their regions that lie in spans `(game, player, since, until)`, both ends included."""
    found: dict[Player, dict[int, str]] = defaultdict(dict)
    for game_id, player_id, day, region in _run(_WITHIN, sorted(set(spans))):
        found[game_id, player_id][day] = region
    return found


# By player alone there is no index: each game is asked for him by the key, so that it costs the same however many days
# are kept.
_GAMES_OF = """
SELECT g.id FROM accounts_game g
 CROSS JOIN LATERAL (SELECT FROM analytics_activeday d
                      WHERE d.game_id = g.id AND d.player_id = ANY($1::bigint[]) LIMIT 1) AS there
 WHERE $2::bigint IS NULL OR g.studio_id = $2
"""


def games_of(player_ids: Iterable[int], *, studio_id: int | None = None) -> list[int]:
    """Return the games, of one studio or (None) of all, in which days of players are kept."""
    return [row[0] for row in run_prepared(_GAMES_OF, [array_literal(player_ids), studio_id])]


_FORGET = """
DELETE FROM analytics_activeday WHERE player_id = ANY($1::bigint[]) AND game_id = ANY($2::bigint[])
RETURNING game_id, player_id, day - '1970-01-01'::date, region, (extract(epoch FROM first_at) * 1000000)::bigint,
          unlocks, points, playtime_ms
"""


def take_out(player_ids: Iterable[int], *, game_ids: Iterable[int]) -> dict[Place, tuple[str, Deeds]]:
    """Remove all days of players in some games; return them with their regions."""
    rows = run_prepared(_FORGET, [array_literal(player_ids), array_literal(game_ids)])
    return {
        Place(game, player, day): (region, Deeds(unlocks, points, playtime_ms, first_us, is_given=True))
        for game, player, day, region, first_us, unlocks, points, playtime_ms in rows
    }


@dataclass(frozen=True, slots=True)
class Table:
    """Where a count is kept: the columns that name a row with their types, and those that are added to.

    A `date` is told as a number of days since 1970, an hour (`timestamptz`) as one of hours.
    """

    name: str
    keys: Mapping[str, str]
    counted: tuple[str, ...]


_ROLLUP = ("active", "new", "unlocks", "points", "playtime_ms")
HOURS: Final = Table("analytics_gamehour", {"game_id": "bigint", "at": "timestamptz"}, ("unlocks", "points"))
DAYS: Final = Table("analytics_gameday", {"game_id": "bigint", "at": "date", "region": "text"}, _ROLLUP)
WEEKS: Final = Table("analytics_gameweek", {"game_id": "bigint", "at": "date"}, _ROLLUP)
MONTHS: Final = Table("analytics_gamemonth", {"game_id": "bigint", "at": "date"}, _ROLLUP)
REACH: Final = Table("analytics_reach", {"game_id": "bigint", "day": "date"}, ("weekly", "monthly"))
RETENTION: Final = Table(
    "analytics_retention", {"game_id": "bigint", "cohort": "date", "age": "smallint"}, ("players",)
)
ACHIEVEMENTS: Final = Table(
    "analytics_achievementday",
    {"game_id": "bigint", "achievement_id": "bigint", "day": "date"},
    ("unlocks",),
)
BOARDS: Final = Table(
    "analytics_boardday", {"game_id": "bigint", "board_id": "bigint", "day": "date"}, ("scores",)
)
_TOLD = {"date": "integer", "timestamptz": "bigint"}
_MEANT = {
    "date": f"{_EPOCH} + i.{{}}",
    "timestamptz": "'epoch'::timestamptz + i.{} * interval '1 hour'",
}


def _statement(table: Table) -> str:
    columns = [*table.keys, *table.counted]
    told = [_TOLD.get(type_, type_) for type_ in table.keys.values()] + ["bigint"] * len(table.counted)
    arrays = ", ".join(f"${n}::{type_}[]" for n, type_ in enumerate(told, start=1))
    meant = [_MEANT.get(type_, "i.{}").format(name) for name, type_ in table.keys.items()]
    added = ", ".join(f"{name} = t.{name} + excluded.{name}" for name in table.counted)
    return (
        f"INSERT INTO {table.name} AS t ({', '.join(columns)})"  # noqa: S608 - constants of ours
        f" SELECT {', '.join(meant + [f'i.{name}' for name in table.counted])}"
        f" FROM unnest({arrays}) AS i ({', '.join(columns)}) ORDER BY {', '.join(f'i.{key}' for key in table.keys)}"
        f" ON CONFLICT ({', '.join(table.keys)}) DO UPDATE SET {added}"
    )


TABLES: Final = (HOURS, DAYS, WEEKS, MONTHS, REACH, RETENTION, ACHIEVEMENTS, BOARDS)
_ADD: Final = {table.name: _statement(table) for table in TABLES}


def add(table: Table, rows: Mapping[tuple[Any, ...], Sequence[int]]) -> None:
    """Add to what is counted: by the row's keys, a number for each counted column. Rows of zeros are left out."""
    _run(_ADD[table.name], [(*keys, *counted) for keys, counted in rows.items() if any(counted)])


_CHANGED = """
INSERT INTO analytics_distributions AS t (game_id, changed_at, took_ms)
SELECT game_id, clock_timestamp(), 0 FROM unnest($1::bigint[]) AS i (game_id) ORDER BY game_id
ON CONFLICT (game_id) DO UPDATE SET changed_at = excluded.changed_at
"""


def note_changed(game_ids: Iterable[int]) -> None:
    """Note that something was counted of games."""
    run_prepared(_CHANGED, [array_literal(game_ids)])


_HEARD = """
SELECT tx, fact_id, pg_try_advisory_xact_lock_shared(hashtextextended($1, 0)) FROM analytics_heard FOR UPDATE
"""
REBUILDING: Final = "analytics.rebuilding"


def heard() -> tuple[int, int]:
    """Lock and return the last fact that is counted, as `(tx, id)`; (0, 0) before the first.

    Raises:
        Unavailable: everything is counted anew at this moment; what is heard waits.

    """
    rows = run_prepared(_HEARD, [REBUILDING])
    if not rows:
        run_prepared(
            "INSERT INTO analytics_heard (id, tx, fact_id) VALUES (true, 0, 0) ON CONFLICT DO NOTHING", []
        )
        rows = run_prepared(_HEARD, [REBUILDING])
    tx, fact_id, may_go_on = rows[0]
    if not may_go_on:
        raise Unavailable("Analytics is being rebuilt.")
    return tx, fact_id


def hear(tx: int, fact_id: int) -> None:
    """Keep the last fact that is counted."""
    run_prepared("UPDATE analytics_heard SET tx = $1, fact_id = $2", [tx, fact_id])


def _run(statement: str, rows: Sequence[tuple[Any, ...]], *more: object) -> list[tuple[Any, ...]]:
    """Run a statement over rows as one array a column, and more parameters; nothing is asked about no rows.

    Texts are those of regions, and NULL.
    """
    if not rows:
        return []
    columns = list(zip(*rows, strict=True))
    return run_prepared(statement, [*(_array(column) for column in columns), *more])


def _array(column: Sequence[Any]) -> str:
    is_text = isinstance(column[0], str) and column[0] != "NULL"
    return text_array_literal(column) if is_text else array_literal(column)
