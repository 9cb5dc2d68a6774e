"""The statements by which rows leave: read for the archive, compared with it, and let go in the same transaction.

The transaction must stay without a number of its own until rows go: with one it would hold every listener back
(`core.facts` reads only up to the oldest transaction that may still write).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db import connection, transaction

from core.patience import wait_a_moment_only
from history import partitions, rollups
from history.buckets import Level
from history.figures import Figures, Rows

SLICE = 50_000  # rows of the table for everything else that leave at once: their DELETE holds listeners back
_READ_AT_ONCE = 20_000
# While a file is written the transaction says nothing.
_IDLE_MINUTES = 30


class Busy(Exception):
    """Somebody else is at it."""


class Changed(Exception):
    """The rows are not those that were archived."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """Rows that are kept no longer: a whole table, or what the table for everything else has of such a time."""

    family: str
    level: Level
    table: str
    begin: date
    end: date
    is_whole: bool

    @property
    def folder(self) -> str:
        """Return where its files are."""
        return f"history/{self.family}/{self.level}"

    def key(self, part: int) -> str:
        """Return a file's key: the first holds the table, further ones what came late."""
        return f"{self.folder}/{self.begin}{f'.{part}' if part else ''}.parquet"


def due(*, now: datetime) -> list[Outgoing]:
    """Return what is kept no longer: tables first, oldest first."""
    found, others = [], []
    for one in partitions.listed():
        limit = partitions.limit(one.level, now=now)
        if limit is None:
            continue
        if one.begin is None or one.end is None:
            others += _late(one, limit)
        elif one.end <= limit:
            found.append(Outgoing(one.family, one.level, one.name, one.begin, one.end, is_whole=True))
    return found + others


def _late(other: partitions.Partition, limit: date) -> list[Outgoing]:
    step = partitions.STEPS[other.level][0]
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT date_trunc(%s, at::timestamptz AT TIME ZONE 'UTC')::date FROM {other.name}"
            " WHERE at < %s ORDER BY 1",
            [step, f"{limit} 00:00Z"],
        )
        begins = [row[0] for row in cursor.fetchall()]
    return [
        Outgoing(
            other.family,
            other.level,
            other.name,
            begin,
            partitions.end_of(other.level, begin),
            is_whole=False,
        )
        for begin in begins
    ]


@contextmanager
def alone() -> Iterator[None]:
    """Do this in a transaction while nobody else does; raises Busy. It waits for no lock for long."""
    with transaction.atomic(), connection.cursor() as cursor:
        wait_a_moment_only()
        cursor.execute(
            "SET LOCAL statement_timeout = 0;"
            f" SET LOCAL idle_in_transaction_session_timeout = '{_IDLE_MINUTES}min'"
        )
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('history.retention', 0))")
        if not cursor.fetchone()[0]:
            raise Busy
        yield


def exists(one: Outgoing) -> bool:
    """Say whether the table is still there."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s) IS NOT NULL", [one.table])
        return bool(cursor.fetchone()[0])


def next_part(one: Outgoing) -> int:
    """Return the number of the file to write: what has been archived of that time stays as it is."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT coalesce(max(part) + 1, 0) FROM history_archive WHERE family = %s AND level = %s AND begin = %s",
            [one.family, one.level, one.begin],
        )
        return int(cursor.fetchone()[0])


def batches(one: Outgoing) -> Iterator[Rows]:
    """Yield the rows in batches, each with its hash as the last value."""
    columns = ", ".join(rollups.COLUMNS[one.family])
    # Django's own are switched off: outside a transaction they would be somebody else's behind PgBouncer.
    with connection.wrap_database_errors, connection.connection.cursor(name="history_outgoing") as cursor:
        cursor.execute(
            f"SELECT {columns}, hashtextextended(t::text, 0) FROM ({_rows(one)}) AS t ORDER BY 1, 2, 3"
        )
        while rows := cursor.fetchmany(_READ_AT_ONCE):
            yield rows


def figures(one: Outgoing) -> Figures:
    """Return the figures of the rows as they are now."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {_figures(one)} FROM ({_rows(one)}) AS t")
        return _as_figures(cursor.fetchone())


def let_go(one: Outgoing, *, archived: Figures) -> None:
    """Drop or delete the rows if they are exactly those that were archived, inside the caller's transaction.

    Raises:
        Changed: they are not; nothing may be committed.
        django.db.OperationalError: somebody uses the table, or the one that it is part of.

    """
    with connection.cursor() as cursor:
        if one.is_whole:
            # Readers may go on; who would write here waits for the sums, and writes elsewhere undisturbed.
            cursor.execute(f"LOCK TABLE {one.table} IN SHARE MODE")
            now_there = figures(one)
        else:
            cursor.execute(
                f"WITH t AS (DELETE FROM {one.table} WHERE ctid = ANY(ARRAY({_rows(one, 'ctid')})) RETURNING *)"
                f" SELECT {_figures(one)} FROM t"
            )
            now_there = _as_figures(cursor.fetchone())
        if now_there != archived:
            raise Changed
        if one.is_whole:
            # Takes the whole level for a moment. DETACH … CONCURRENTLY would not, but is refused beside a default
            # partition.
            cursor.execute(f"DROP TABLE {one.table}")


def note(one: Outgoing, *, part: int, rows: int, size: int, at: datetime) -> None:
    """Keep that a file is archived for good."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO history_archive (family, level, begin, part, rows, bytes, archived_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s)",
            [one.family, one.level, one.begin, part, rows, size, at],
        )


def noted() -> dict[tuple[str, str], tuple[int, int, int]]:
    """Return how many files, rows and bytes are archived, by family and level."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT family, level, count(*), sum(rows)::bigint, sum(bytes)::bigint FROM history_archive"
            " GROUP BY family, level"
        )
        return {(row[0], row[1]): (row[2], row[3], row[4]) for row in cursor.fetchall()}


def _rows(one: Outgoing, columns: str = "*") -> str:
    """Return the query of the rows; of a slice it finds the same ones each time."""
    if one.is_whole:
        return f"SELECT {columns} FROM {one.table}"
    first, second, *_ = rollups.COLUMNS[one.family]
    return (
        f"SELECT {columns} FROM {one.table} WHERE at >= '{one.begin} 00:00Z' AND at < '{one.end} 00:00Z'"
        f" ORDER BY {first}, {second}, at LIMIT {SLICE}"
    )


def _figures(one: Outgoing) -> str:
    summed = (
        f"coalesce(sum({'extract(epoch FROM at) * 1000000' if name == 'at' else name}), 0)"
        for name in rollups.COLUMNS[one.family]
    )
    return f"count(*), {', '.join(summed)}, coalesce(sum(hashtextextended(t::text, 0)), 0)"


def _as_figures(row: tuple[int | Decimal, ...]) -> Figures:
    rows, *sums, digest = row
    return Figures(int(rows), tuple(Decimal(one) for one in sums), Decimal(digest))
