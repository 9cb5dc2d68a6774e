"""The tables of rollups by time: made ahead, listed with their sizes, and when one is over."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Final, Literal

import structlog
from django.db import connection, transaction

from core.patience import TRIES, patiently, wait_a_moment_only
from history import buckets, rollups
from history.buckets import Level

log = structlog.get_logger(__name__)

Step = Literal["day", "month", "year"]
# What one table holds of a level, and how many are made ahead of the present one.
STEPS: Final[Mapping[Level, tuple[Step, int]]] = {
    "hour": ("day", 3),
    "day": ("month", 2),
    "week": ("year", 1),
    "month": ("year", 1),
}

# A row that is added to stays in its page where there is room, and its index as it is: half the work and half the WAL.
ROOM_TO_UPDATE: Final = 70

_LIST = """
    SELECT p.relname, c.relname,
           substring(bound FROM 'FROM \\(''(.{10})')::date, substring(bound FROM 'TO \\(''(.{10})')::date,
           c.reltuples::bigint, coalesce(pg_total_relation_size(c.oid), 0)
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent,
           pg_get_expr(c.relpartbound, c.oid) AS bound
     WHERE p.relnamespace = current_schema()::regnamespace AND p.relname = ANY(%s)
       AND bound IS NOT NULL  -- as it is of what is being dropped
     ORDER BY array_position(%s, p.relname::text), c.relname
"""


@dataclass(frozen=True, slots=True)
class Partition:
    """A table: of which level, from and up to which date, and how large.

    The one for everything that no other was made for has neither date. Rows are PostgreSQL's estimate, -1 before it
    made one.
    """

    family: str
    level: Level
    name: str
    begin: date | None
    end: date | None
    rows: int
    bytes: int


def ensure(*, now: datetime, tries: int = TRIES) -> list[str]:
    """Make the tables of the present and the time to come; return the names of the new ones.

    Where the table for everything else has rows of such a time already, they stay there, and no table is made. Nor is
    one where something is in the way: they are made long before they are needed.
    """
    made: list[str] = []
    for family in rollups.FAMILIES:
        for level, (step, ahead) in STEPS.items():
            begin = _begin(step, now.astimezone(UTC).date())
            for _ in range(ahead + 1):
                end = end_of(level, begin)
                parent = rollups.table(family, level)
                new = patiently(partial(_make, parent, begin, end), tries=tries)
                if new is None:
                    log.warning("history table not made", parent=parent, begin=str(begin))
                made += new or []
                begin = end
    return made


def end_of(level: Level, begin: date) -> date:
    """Return the end of a level's table that begins at a date."""
    step = STEPS[level][0]
    return _begin(step, begin + timedelta(days={"day": 1, "month": 32, "year": 366}[step]))


def limit(level: Level, *, now: datetime) -> date | None:
    """Return the date up to which a level's tables are over: all that they could hold is kept no longer.

    None where everything is kept.
    """
    since = rollups.first_kept(level, now=now)
    return None if since is None else _begin(STEPS[level][0], since)


def over_at(partition: Partition) -> date | None:
    """Return the day on which a table will be over, None for never."""
    days = rollups.days_kept(partition.level)
    return None if days is None or partition.end is None else partition.end + timedelta(days=days)


def _begin(step: Step, day: date) -> date:
    if step == "day":
        return day
    return day.replace(day=1) if step == "month" else day.replace(month=1, day=1)


def _make(parent: str, begin: date, end: date) -> list[str]:
    name = f"{parent}_{begin:%Y%m%d}"
    with transaction.atomic(), connection.cursor() as cursor:
        wait_a_moment_only()
        cursor.execute(
            f"SELECT to_regclass(%s) IS NULL AND NOT EXISTS (SELECT FROM {parent}_other"  # noqa: S608 - a name of ours
            " WHERE at >= %s AND at < %s)",
            [name, f"{begin} 00:00Z", f"{end} 00:00Z"],
        )
        if not cursor.fetchone()[0]:
            return []
        cursor.execute(
            f"CREATE TABLE {name} PARTITION OF {parent} FOR VALUES FROM ('{begin} 00:00Z') TO ('{end} 00:00Z')"
            f" WITH (fillfactor = {ROOM_TO_UPDATE})"
        )
    return [name]


def listed() -> list[Partition]:
    """Return every table of rollups, by level and time."""
    parents = {
        rollups.table(family, level): (family, level)
        for family in rollups.FAMILIES
        for level in buckets.LEVELS
    }
    with connection.cursor() as cursor:
        cursor.execute(_LIST, [list(parents), list(parents)])
        return [Partition(*parents[parent], *row) for parent, *row in cursor.fetchall()]
