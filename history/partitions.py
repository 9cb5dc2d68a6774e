"""The tables of rollups by time: made ahead, and listed with their sizes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

from django.db import connection

from history import rollups
from history.buckets import Level

Step = Literal["day", "month", "year"]
# What one table holds of a level, and how many are made ahead of the present one.
STEPS: Final[Mapping[Level, tuple[Step, int]]] = {
    "hour": ("day", 3),
    "day": ("month", 2),
    "week": ("year", 1),
    "month": ("year", 1),
}


@dataclass(frozen=True, slots=True)
class Partition:
    """A table: of which level, and how large; rows are PostgreSQL's estimate, -1 before it made one."""

    parent: str
    name: str
    rows: int
    bytes: int


def ensure(*, now: datetime) -> list[str]:
    """Make the tables of the present and the time to come; return the names of the new ones.

    Where the table for everything else has rows of such a time already, they stay there, and no table is made.
    """
    made = []
    for family in rollups.FAMILIES:
        for level, (step, ahead) in STEPS.items():
            begin = _begin(step, now.date())
            for _ in range(ahead + 1):
                end = _begin(step, begin + timedelta(days={"day": 1, "month": 32, "year": 366}[step]))
                made += _make(rollups.table(family, level), begin, end)
                begin = end
    return made


def _begin(step: Step, day: date) -> date:
    if step == "day":
        return day
    return day.replace(day=1) if step == "month" else day.replace(month=1, day=1)


def _make(parent: str, begin: date, end: date) -> list[str]:
    name = f"{parent}_{begin:%Y%m%d}"
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT to_regclass(%s) IS NULL AND NOT EXISTS (SELECT FROM {parent}_other"  # noqa: S608 - a name of ours
            " WHERE at >= %s AND at < %s)",
            [name, f"{begin} 00:00Z", f"{end} 00:00Z"],
        )
        if not cursor.fetchone()[0]:
            return []
        cursor.execute(
            f"CREATE TABLE {name} PARTITION OF {parent} FOR VALUES FROM ('{begin} 00:00Z') TO ('{end} 00:00Z')"
        )
    return [name]


def listed() -> list[Partition]:
    """Return every table of rollups, by level and time."""
    parents = [rollups.table(family, level) for family in rollups.FAMILIES for level in rollups.LEVELS]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT p.relname, c.relname, c.reltuples::bigint, pg_total_relation_size(c.oid)"
            "  FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid JOIN pg_class p ON p.oid = i.inhparent"
            " WHERE p.relname = ANY(%s) ORDER BY array_position(%s, p.relname::text), c.relname",
            [parents, parents],
        )
        return [Partition(*row) for row in cursor.fetchall()]
