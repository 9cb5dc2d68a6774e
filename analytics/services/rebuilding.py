"""Counts everything anew from the unlocks and the days that are kept, while the platform runs (docs/adr/0044).

The listener waits meanwhile, and goes on from its cursor. What the log holds ahead of that is stored but not counted
yet, and is left to it. No transaction that writes is long, since followers wait for the oldest: unlocks are read in
parts by one snapshot, new tables are filled part by part, and take the place of the old ones at the end.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import psycopg
from django.conf import settings
from django.db import connection, transaction
from psycopg import sql

from analytics.counts import REBUILDING
from analytics.selectors import freshness
from core import dead_letters

Say = Callable[[str], None]
COUNTED: Final = (
    "activeday",
    "gamehour",
    "gameday",
    "gameweek",
    "gamemonth",
    "reach",
    "retention",
    "achievementday",
)
_PART_UNLOCKS: Final = 250_000
_MOST_AHEAD: Final = 100_000
_OF_UNLOCKS = ("achievements_unlocked", "achievements_revoked", "unlocks_joined", "unlocks_erased")
_JOINS = ("unlocks_joined", "players_joined", "unlocks_erased", "players_erased")


class CannotRebuild(Exception):
    """It can't be done now; the message says why and what to do."""


@dataclass(frozen=True, slots=True)
class _Ahead:
    """What the log holds ahead of the listener.

    Attributes:
        pairs: `(player, achievement)` of unlocks that are stored and not counted, or counted and not stored.
        lost: `(game, player, achievement, points, unlocked_at µs)` of those that are counted and not stored any more.

    """

    pairs: list[tuple[int, int]]
    lost: list[tuple[int, int, int, int, int]]


def rebuild(*, now: datetime, say: Say) -> None:
    """Count everything anew, and let that take the place of what is kept. Raises CannotRebuild."""
    with _listener_waits() as reader:
        _require_no_letters()
        _build(reader, now=now, say=say)
        _swap()
    say("The new tables have taken the place of the old ones.")


def differences(*, now: datetime, say: Say) -> dict[str, int]:
    """Count everything anew, and return of each table how many rows differ from what is kept. Raises CannotRebuild."""
    with _listener_waits() as reader:
        _build(reader, now=now, say=say)
        found = {table: _compare(table, now=now) for table in COUNTED}
        _drop_new()
    return found


def _require_no_letters() -> None:
    """Refuse to count what the listener failed at, and would count once more with the letter."""
    if dead_letters.wait(freshness.FOLLOWER, kinds=_OF_UNLOCKS):
        raise CannotRebuild(
            "Unlocks wait for analytics as dead letters, and would be counted twice when they are replayed. "
            "Replay them first: manage.py deadletters --replay all."
        )


@contextmanager
def _listener_waits() -> Iterator["psycopg.Connection[Any]"]:
    """Hold the listener off; give a connection whose snapshot is that of this moment."""
    with _connect() as holder, _connect() as reader:
        holder.execute("BEGIN")
        holder.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        holder.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [REBUILDING])
        reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        reader.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        reader.execute("SET LOCAL statement_timeout = 0")
        yield reader
        reader.execute("ROLLBACK")
        holder.execute("ROLLBACK")


def _connect() -> "psycopg.Connection[Any]":
    params = connection.get_connection_params()
    for name in ("pool", "context", "cursor_factory"):
        params.pop(name, None)
    return psycopg.connect(**params, autocommit=True)


def _build(reader: "psycopg.Connection[Any]", *, now: datetime, say: Say) -> None:
    ahead = _read_ahead(reader)
    _drop_new()
    with connection.cursor() as cursor:
        for table in COUNTED:
            cursor.execute(
                f"CREATE TABLE analytics_{table}_new (LIKE analytics_{table} INCLUDING ALL) WITH ({ROOM})"
            )
    snapshot = reader.execute("SELECT pg_export_snapshot()").fetchone()
    assert snapshot is not None
    with _connect() as writer:
        parts = _parts(reader)
        for number, (low, high) in enumerate(parts, start=1):
            _in_snapshot(writer, snapshot[0], _ACTIVE, ahead, low=low, high=high)
            say(f"Days on which players were there: part {number} of {len(parts)}.")
        _in_snapshot(writer, snapshot[0], _ACHIEVEMENTS, ahead)
        _in_snapshot(writer, snapshot[0], _HOURS, ahead, since=_first_hour(now))
        say("Achievements by day, and hours.")
        with _taking_its_time(writer):
            writer.execute("ANALYZE analytics_activeday_new")
        for what, statement in _FROM_DAYS.items():
            with _taking_its_time(writer):
                writer.execute(statement)
            say(f"{what}.")


@contextmanager
def _taking_its_time(writer: "psycopg.Connection[Any]") -> Iterator[None]:
    """Begin a transaction whose statements may take as long as they do."""
    with writer.transaction():
        writer.execute("SET LOCAL statement_timeout = 0")
        yield


# As migrations leave the tables: room for updates, and a vacuum while there is little to clean.
ROOM: Final = "fillfactor=80, autovacuum_vacuum_scale_factor=0.02, autovacuum_analyze_scale_factor=0.02"
_HEARD: Final = "SELECT coalesce(max(tx), 0) AS tx, coalesce(max(fact_id), 0) AS fact_id FROM analytics_heard"
# In the order of the log: what a pair was before the first of them is what is counted.
_AHEAD = f"""
SELECT f.kind, (f.payload ->> 'game')::bigint, row
  FROM core_fact f, ({_HEARD}) AS h, json_array_elements(f.payload -> CASE f.kind
       WHEN 'achievements_unlocked' THEN 'unlocks' WHEN 'achievements_revoked' THEN 'revokes' ELSE 'players' END) AS row
 WHERE (f.tx, f.id) > (h.tx::text::xid8, h.fact_id)
   AND f.kind IN ('achievements_unlocked', 'achievements_revoked')
 ORDER BY f.tx, f.id LIMIT %s
"""  # noqa: S608 - constants of ours
_JOINS_AHEAD = f"""
SELECT EXISTS (SELECT FROM core_fact f, ({_HEARD}) AS h
                WHERE (f.tx, f.id) > (h.tx::text::xid8, h.fact_id) AND f.kind = ANY(%s))
"""  # noqa: S608 - constants of ours


def _read_ahead(reader: "psycopg.Connection[Any]") -> _Ahead:
    joins = reader.execute(_JOINS_AHEAD, [list(_JOINS)]).fetchone()
    if joins and joins[0]:
        raise CannotRebuild("Players are being joined or erased at this moment. Try again in a minute.")
    rows = reader.execute(_AHEAD, [_MOST_AHEAD + 1]).fetchall()
    if len(rows) > _MOST_AHEAD:
        raise CannotRebuild(
            "The follower “analytics” is far behind. Let it catch up first: manage.py followers tells how far it is."
        )
    lost: dict[tuple[int, int], tuple[int, int, int, int, int] | None] = {}
    for kind, game, (player, achievement, points, unlocked_us, *_) in rows:
        is_lost = kind == "achievements_revoked"
        lost.setdefault(
            (player, achievement), (game, player, achievement, points, unlocked_us) if is_lost else None
        )
    return _Ahead(list(lost), [row for row in lost.values() if row is not None])


def _first_hour(now: datetime) -> datetime:
    since = now - timedelta(days=settings.ANALYTICS_HOURS_KEPT_DAYS)
    return since.replace(minute=0, second=0, microsecond=0)


def _parts(reader: "psycopg.Connection[Any]") -> list[tuple[int, int]]:
    """Return spans of players' ids, both ends included, that hold about as many unlocks each."""
    row = reader.execute(
        "SELECT coalesce(min(id), 0), coalesce(max(id), 0), (SELECT count(*) FROM achievements_unlock)"
        "  FROM accounts_player"
    ).fetchone()
    assert row is not None
    low, high, unlocks = row
    step = max(1, (high - low + 1) // max(1, unlocks // _PART_UNLOCKS))
    return [(at, at + step - 1) for at in range(low, high + 1, step)]


def _in_snapshot(
    writer: "psycopg.Connection[Any]", snapshot: str, statement: str, ahead: _Ahead, **params: Any
) -> None:
    """Run a statement that reads unlocks as they are counted: without what is ahead, with what is lost by it."""
    columns = list(zip(*ahead.lost, strict=True)) or [()] * 5
    given = {
        "ahead_players": [pair[0] for pair in ahead.pairs],
        "ahead_achievements": [pair[1] for pair in ahead.pairs],
        **{name: list(column) for name, column in zip(_LOST, columns, strict=True)},
        **params,
    }
    with writer.transaction():
        writer.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        writer.execute(sql.SQL("SET TRANSACTION SNAPSHOT {}").format(snapshot))
        writer.execute("SET LOCAL statement_timeout = 0")
        writer.execute(statement, given)


_LOST = ("lost_games", "lost_players", "lost_achievements", "lost_points", "lost_us")
_COUNTED_UNLOCKS = """
    SELECT u.game_id, u.player_id, u.achievement_id, u.points, u.unlocked_at
      FROM achievements_unlock u
      LEFT JOIN unnest(%(ahead_players)s::bigint[], %(ahead_achievements)s::bigint[]) AS a (player_id, achievement_id)
             ON a.player_id = u.player_id AND a.achievement_id = u.achievement_id
     WHERE a.player_id IS NULL {of_players}
    UNION ALL
    SELECT u.game_id, u.player_id, u.achievement_id, u.points,
           'epoch'::timestamptz + u.us * interval '1 microsecond'
      FROM unnest(%(lost_games)s::bigint[], %(lost_players)s::bigint[], %(lost_achievements)s::bigint[],
                  %(lost_points)s::bigint[], %(lost_us)s::bigint[])
           AS u (game_id, player_id, achievement_id, points, us)
     WHERE true {of_players}
"""
_OF_PART = "AND u.player_id BETWEEN %(low)s AND %(high)s"
_DAY = "({} AT TIME ZONE 'UTC')::date"
# Whoever had an unlock taken back was there all the same. What else is known of a day stays as it is.
_ACTIVE = f"""
INSERT INTO analytics_activeday_new (game_id, player_id, day, region, first_at, unlocks, points, playtime_ms, came_by)
SELECT game_id, player_id, day, coalesce(k.region, p.region, ''),
       CASE WHEN k.region IS NULL THEN n.first_at ELSE k.first_at END,
       coalesce(n.unlocks, 0), coalesce(n.points, 0), coalesce(k.playtime_ms, 0), coalesce(k.came_by, 0)
  FROM (SELECT game_id, player_id, {_DAY.format("unlocked_at")} AS day, min(unlocked_at) AS first_at,
               sum(n) AS unlocks, sum(points) AS points
          FROM (SELECT game_id, player_id, unlocked_at, points, 1 AS n
                  FROM ({_COUNTED_UNLOCKS.format(of_players=_OF_PART)}) AS counted
                UNION ALL
                SELECT u.game_id, u.player_id, u.unlocked_at, 0, 0 FROM achievements_revokedunlock u
                 WHERE true {_OF_PART}) AS there
         GROUP BY 1, 2, 3) AS n
  FULL JOIN (SELECT * FROM analytics_activeday u WHERE true {_OF_PART}) AS k USING (game_id, player_id, day)
  LEFT JOIN accounts_player p ON p.id = player_id
 ORDER BY 1, 2, 3
"""  # noqa: S608 - constants of ours
_ACHIEVEMENTS = f"""
INSERT INTO analytics_achievementday_new (game_id, achievement_id, day, unlocks)
SELECT game_id, achievement_id, {_DAY.format("unlocked_at")}, count(*)
  FROM ({_COUNTED_UNLOCKS.format(of_players="")}) AS counted GROUP BY 1, 2, 3
"""  # noqa: S608 - constants of ours
_HOURS = f"""
INSERT INTO analytics_gamehour_new (game_id, at, unlocks, points)
SELECT game_id, date_trunc('hour', unlocked_at, 'UTC'), count(*), sum(points)
  FROM ({_COUNTED_UNLOCKS.format(of_players="")}) AS counted WHERE unlocked_at >= %(since)s GROUP BY 1, 2
"""  # noqa: S608 - constants of ours
_THERE = """
    SELECT *, first_value(day) OVER player AS first_day, lead(day) OVER player AS after
      FROM analytics_activeday_new WHERE first_at IS NOT NULL
    WINDOW player AS (PARTITION BY game_id, player_id ORDER BY day)
"""
# Unlocks that were given count; to be there is something else.
_ALL = """
    SELECT *, first_at IS NOT NULL AS there,
           min(day) FILTER (WHERE first_at IS NOT NULL) OVER (PARTITION BY game_id, player_id) AS first_day
      FROM analytics_activeday_new
"""
_NEW = "count(*) FILTER (WHERE there AND day = first_day)"
_SUMS = "sum(unlocks), sum(points), sum(playtime_ms)"
_PERIODS = """
INSERT INTO analytics_game{level}_new (game_id, at, active, new, unlocks, points, playtime_ms)
SELECT game_id, date_trunc('{level}', day)::date, count(DISTINCT player_id) FILTER (WHERE there), {new}, {sums}
  FROM ({days}) AS days GROUP BY 1, 2
"""
_FROM_DAYS: Final = {
    "Days": f"""
        INSERT INTO analytics_gameday_new (game_id, at, region, active, new, unlocks, points, playtime_ms)
        SELECT game_id, day, region, count(*) FILTER (WHERE there), {_NEW}, {_SUMS}
          FROM ({_ALL}) AS days GROUP BY 1, 2, 3
    """,  # noqa: S608 - constants of ours
    "Weeks": _PERIODS.format(level="week", days=_ALL, new=_NEW, sums=_SUMS),
    "Months": _PERIODS.format(level="month", days=_ALL, new=_NEW, sums=_SUMS),
    "Weekly and monthly players": f"""
        INSERT INTO analytics_reach_new (game_id, day, weekly, monthly)
        SELECT game_id, day, sum(weekly), sum(monthly)
          FROM (SELECT game_id, day, 1 AS weekly, 1 AS monthly FROM ({_THERE}) AS days
                UNION ALL SELECT game_id, least(day + 7, after), -1, 0 FROM ({_THERE}) AS days
                UNION ALL SELECT game_id, least(day + 30, after), 0, -1 FROM ({_THERE}) AS days) AS changes
         GROUP BY 1, 2
    """,  # noqa: S608 - constants of ours
    "Retention": f"""
        INSERT INTO analytics_retention_new (game_id, cohort, age, players)
        SELECT game_id, first_day, day - first_day, count(*) FROM ({_THERE}) AS days
         WHERE day <= first_day + 30 GROUP BY 1, 2, 3
    """,  # noqa: S608 - constants of ours
}


def _swap() -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        for table in COUNTED:
            cursor.execute(f"DROP TABLE analytics_{table}")
            cursor.execute(f"ALTER TABLE analytics_{table}_new RENAME TO analytics_{table}")


def _drop_new() -> None:
    with connection.cursor() as cursor:
        for table in COUNTED:
            cursor.execute(f"DROP TABLE IF EXISTS analytics_{table}_new")


_SAYS_SOMETHING: Final = {
    "activeday": "true",
    "gamehour": "(unlocks <> 0 OR points <> 0) AND at >= %(since)s",
    "achievementday": "unlocks <> 0",
    "reach": "weekly <> 0 OR monthly <> 0",
    "retention": "players <> 0",
}


def _compare(table: str, *, now: datetime) -> int:
    """Return how many rows are in one of a table's two and not in the other; such as say nothing are in neither."""
    says = _SAYS_SOMETHING.get(table, "active <> 0 OR unlocks <> 0")
    columns = (
        "game_id, player_id, day, region, first_at, unlocks, points, playtime_ms"
        if table == "activeday"
        else "*"
    )
    kept, new = (f"SELECT {columns} FROM analytics_{table}{suffix} WHERE {says}" for suffix in ("", "_new"))  # noqa: S608 - constants of ours
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT count(*) FROM (({kept} EXCEPT {new}) UNION ALL ({new} EXCEPT {kept})) AS differing",  # noqa: S608
            {"since": _first_hour(now)},
        )
        differing: int = cursor.fetchone()[0]
    return differing
