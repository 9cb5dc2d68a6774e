"""The statements that keep rollups: each level is the sum of what the log said, in the tables of its own."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import lru_cache
from typing import Final

from django.conf import settings
from django.db import connection

from core.db import array_literal, run_prepared
from history.buckets import LEVELS, Bucket, Level

FAMILIES: Final = ("activity", "stat")
COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "activity": ("player_id", "game_id", "at", "unlocks", "points", "playtime_ms"),
    "stat": ("player_id", "stat_id", "at", "change"),
}
_TYPES: Final[Mapping[Level, str]] = {"hour": "timestamptz", "day": "date", "week": "date", "month": "date"}


def table(family: str, level: Level) -> str:
    """Return the table of a level."""
    return f"history_{family}_{level}"


@dataclass(slots=True)
class Activity:
    """What somebody did in a game within a bucket; a revoke takes away."""

    unlocks: int = 0
    points: int = 0
    playtime_ms: int = 0


@dataclass
class Changes:
    """What is to be added, by level: `(player, game, bucket)` and `(player, stat, bucket)`."""

    activity: dict[Level, dict[tuple[int, int, Bucket], Activity]] = field(
        default_factory=lambda: {level: defaultdict(Activity) for level in LEVELS}
    )
    stats: dict[Level, dict[tuple[int, int, Bucket], Decimal]] = field(
        default_factory=lambda: {level: defaultdict(Decimal) for level in LEVELS}
    )

    def give(self, joined: Mapping[int, int]) -> None:
        """Let what is to be added for the players be others', who they were found to be."""
        for level in LEVELS if joined else ():
            activity, stats = self.activity[level], self.stats[level]
            for key in [key for key in activity if key[0] in joined]:
                one, other = activity.pop(key), activity[joined[key[0]], *key[1:]]
                other.unlocks += one.unlocks
                other.points += one.points
                other.playtime_ms += one.playtime_ms
            for key in [key for key in stats if key[0] in joined]:
                change = stats.pop(key)
                stats[joined[key[0]], *key[1:]] += change


_ADD_ACTIVITY = """
INSERT INTO {table} AS t (player_id, game_id, at, unlocks, points, playtime_ms)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::{type}[], $4::integer[], $5::bigint[], $6::bigint[])
    AS i (player_id, game_id, at, unlocks, points, playtime_ms) ORDER BY player_id, game_id, at
ON CONFLICT (player_id, game_id, at) DO UPDATE SET
    unlocks = t.unlocks + excluded.unlocks, points = t.points + excluded.points,
    playtime_ms = t.playtime_ms + excluded.playtime_ms
"""
_ADD_STATS = """
INSERT INTO {table} AS t (player_id, stat_id, at, change)
SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::{type}[], $4::numeric[]) AS i (player_id, stat_id, at, change)
 ORDER BY player_id, stat_id, at
ON CONFLICT (player_id, stat_id, at) DO UPDATE SET change = t.change + excluded.change
"""


def add(changes: Changes) -> None:
    """Add to every level, inside the caller's transaction."""
    for level in LEVELS:
        _add(_ADD_ACTIVITY, "activity", level, _activity_rows(changes.activity[level]))
        stats = (
            (player, stat, _text(at), change) for (player, stat, at), change in changes.stats[level].items()
        )
        _add(_ADD_STATS, "stat", level, stats)


_JOIN = {
    "activity": """
        WITH gone AS (DELETE FROM {table} WHERE player_id = $1 RETURNING *)
        INSERT INTO {table} AS t (player_id, game_id, at, unlocks, points, playtime_ms)
        SELECT $2::bigint, game_id, at, unlocks, points, playtime_ms FROM gone ORDER BY game_id, at
        ON CONFLICT (player_id, game_id, at) DO UPDATE SET
            unlocks = t.unlocks + excluded.unlocks, points = t.points + excluded.points,
            playtime_ms = t.playtime_ms + excluded.playtime_ms
    """,
    "stat": """
        WITH gone AS (DELETE FROM {table} WHERE player_id = $1 RETURNING *)
        INSERT INTO {table} AS t (player_id, stat_id, at, change)
        SELECT $2::bigint, stat_id, at, change FROM gone ORDER BY stat_id, at
        ON CONFLICT (player_id, stat_id, at) DO UPDATE SET change = t.change + excluded.change
    """,
}


def join(player_id: int, into_id: int) -> None:
    """Let what levels keep of a player be another's, inside the caller's transaction; what is archived stays."""
    for family in FAMILIES:
        for level in LEVELS:
            run_prepared(_JOIN[family].format(table=table(family, level)), [player_id, into_id])


_ERASE = {
    "activity": "game_id IN (SELECT id FROM accounts_game WHERE studio_id = $2)",
    "stat": "stat_id IN (SELECT id FROM stats_stat WHERE studio_id = $2)",
}


def erase(player_ids: Iterable[int], *, studio_id: int | None) -> int:
    """Forget what levels keep of players, of one studio's games or (None) of all; return how many rows that were."""
    who = [array_literal(player_ids), studio_id]
    rows = 0
    for family in FAMILIES:
        for level in LEVELS:
            sql = (
                f"WITH gone AS (DELETE FROM {table(family, level)} WHERE player_id = ANY($1::bigint[])"  # noqa: S608 - ours
                f" AND ($2::bigint IS NULL OR {_ERASE[family]}) RETURNING 1) SELECT count(*) FROM gone"
            )
            rows += run_prepared(sql, who)[0][0]
    return rows


def _activity_rows(
    activity: Mapping[tuple[int, int, Bucket], Activity],
) -> Iterable[tuple[object, ...]]:
    for (player, game, at), one in activity.items():
        yield player, game, _text(at), one.unlocks, one.points, one.playtime_ms


@lru_cache(maxsize=16_384)
def _text(at: Bucket) -> str:
    return f'"{at.isoformat()}"'


def _add(statement: str, family: str, level: Level, rows: Iterable[tuple[object, ...]]) -> None:
    listed = list(rows)
    if listed:
        columns = [array_literal(column) for column in zip(*listed, strict=True)]
        run_prepared(statement.format(table=table(family, level), type=_TYPES[level]), columns)


def heard() -> tuple[int, int]:
    """Lock and return the last fact that rollups know, as `(tx, id)`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tx::text::bigint, fact_id FROM history_heard FOR UPDATE")
        tx, fact_id = cursor.fetchone()
    return tx, fact_id


def hear(tx: int, fact_id: int) -> None:
    """Keep the last fact that rollups know."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE history_heard SET tx = %s::text::xid8, fact_id = %s", [tx, fact_id])


def empty(*, now: datetime) -> None:
    """Forget everything that levels keep, inside the caller's transaction; what is older waits for the archive."""
    with connection.cursor() as cursor:
        # TRUNCATE would keep readers out until commit.
        for family in FAMILIES:
            for level in LEVELS:
                since = first_kept(level, now=now)
                cursor.execute(
                    f"DELETE FROM {table(family, level)} WHERE at >= %s",  # noqa: S608 - a name of ours
                    ["-infinity" if since is None else f"{since} 00:00Z"],
                )
    hear(0, 0)


_READ = {
    "activity": """
        SELECT at, sum({column}) FROM {table}
         WHERE player_id = $1 AND at >= $2::{type} AND (game_id = ANY($3::bigint[]) OR $3 IS NULL) GROUP BY at
    """,
    "stat": "SELECT at, change FROM {table} WHERE player_id = $1 AND at >= $2::{type} AND stat_id = $3",
}


def read_activity(
    level: Level, column: str, *, player_id: int, since: Bucket, game_ids: Iterable[int] | None
) -> dict[Bucket, int]:
    """Return a player's sums by bucket from one on, in some games or (None) in all; empty ones are left out.

    `column` is unlocks, points or playtime_ms.
    """
    sql = _READ["activity"].format(table=table("activity", level), column=column, type=_TYPES[level])
    games = None if game_ids is None else array_literal(game_ids)
    return {row[0]: int(row[1]) for row in run_prepared(sql, [player_id, since, games])}


_READ_WITHIN = """
    SELECT at, game_id, unlocks, points, playtime_ms FROM {table}
     WHERE player_id = $1 AND at >= $2::date AND at < $3::date AND (game_id = ANY($4::bigint[]) OR $4 IS NULL)
"""


def activity_within(
    level: Level, *, player_id: int, since: date, before: date, game_ids: Iterable[int] | None
) -> list[tuple[date, int, Activity]]:
    """Return what a player did by day, week or month and game, from one date until before another, in no order."""
    games = None if game_ids is None else array_literal(game_ids)
    sql = _READ_WITHIN.format(table=table("activity", level))
    rows = run_prepared(sql, [player_id, since, before, games])
    return [(at, game_id, Activity(*figures)) for at, game_id, *figures in rows]


def read_stat(level: Level, *, player_id: int, stat_id: int, since: Bucket) -> dict[Bucket, Decimal]:
    """Return by how much a player's stat changed by bucket from one on; empty ones are left out."""
    sql = _READ["stat"].format(table=table("stat", level), type=_TYPES[level])
    return dict(run_prepared(sql, [player_id, since, stat_id]))


def days_kept(level: Level) -> int | None:
    """Return for how many days a level is kept, None for ever."""
    if level == "month":
        return None
    days: int = settings.HISTORY_HOURS_KEPT_DAYS if level == "hour" else settings.HISTORY_DAYS_KEPT_DAYS
    return days


def first_kept(level: Level, *, now: datetime) -> date | None:
    """Return the first date whose buckets a level keeps, None for all; hours are kept from its midnight in UTC on."""
    days = days_kept(level)
    return None if days is None else now.astimezone(UTC).date() - timedelta(days=days)


def is_kept(level: Level, bucket: Bucket, *, now: datetime) -> bool:
    """Say whether a level keeps a bucket."""
    return is_since(bucket, first_kept(level, now=now))


def is_since(bucket: Bucket, since: date | None) -> bool:
    """Say whether a bucket begins on a date or later; None is before all."""
    return since is None or (bucket.date() if isinstance(bucket, datetime) else bucket) >= since
