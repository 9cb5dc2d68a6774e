"""The fact log: what happened, appended in the transaction in which it happened.

A fact is about a batch of rows, is self-contained, and is never changed. Listeners read the log in the order
`(tx, id)` and never in the order of `id` alone: ids are drawn before commit, so what commits late would be skipped
(docs/adr/0002-truth-and-the-fact-log.md).
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, Protocol

import orjson
from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from core import tracing
from core.db import run_prepared

READ_FACTS = 1000
READ_ITEMS = 3000  # rows that the facts of one read are about, if a listener does not say


class Announcement(Protocol):
    """A frozen dataclass in the past tense whose fields are JSON values; `kind` names it in the log."""

    kind: ClassVar[str]
    __dataclass_fields__: ClassVar[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact as it stands in the log.

    `is_heard` says whether its reader asked for such facts; of one that is read past, the payload is empty. `trace` is
    the `traceparent` of what it came of, if that was sampled (docs/adr/0070-traces.md).
    """

    tx: int
    id: int
    at: datetime
    kind: str
    studio_id: int | None
    payload: Mapping[str, Any]
    size: int = 1
    is_heard: bool = True
    trace: str = ""


@dataclass(frozen=True)
class Subscription:
    """A listener: its name, the pool that runs it, the kinds it hears, and what it does with them.

    `listener` gets the facts of one read in order, inside the transaction that moves the cursor. What it writes to
    PostgreSQL happens exactly once; what it writes elsewhere must be absolute, since it may be repeated.

    `pause_s` lets a batch form between two reads that did not find much: reading fact by fact costs five times as much
    per unlock. It is also what a listener may be late.

    `items` bounds the rows that the facts of one read are about, and so the transaction: one that takes seconds holds
    every other listener back. A listener that writes many rows for each takes fewer.

    `studios` is SQL that lists the studios whose facts are heard, for a listener that serves few of them; empty for
    all. It is asked with each read, in one snapshot, so that whoever is listed first misses nothing that comes after.
    """

    name: str
    queue: str
    kinds: frozenset[str]
    listener: Callable[[list[Fact]], None]
    pause_s: float = 0.1
    items: int = READ_ITEMS
    studios: str = ""


def publish(announcement: Announcement, *, studio_id: int | None, size: int = 1) -> None:
    """Append a fact about `size` rows to the log, inside the caller's transaction."""
    with connection.cursor() as cursor:
        if tracing.recorder is not None and (span := tracing.here()) is not None:
            tracing.mark(connection.connection, span)
        cursor.execute(
            "INSERT INTO core_fact (kind, studio_id, size, payload) VALUES (%s, %s, %s, %s::json)",
            [announcement.kind, studio_id, size, orjson.dumps(asdict(announcement)).decode()],
        )


@cache
def subscriptions() -> dict[str, Subscription]:
    """Return every listener by name, as config/subscriptions.py lists them."""
    listed: Iterable[Subscription] = import_string(settings.SUBSCRIPTIONS)
    return {subscription.name: subscription for subscription in listed}


# The inner query walks the index; sizes are added up before the payloads of what is too much are fetched.
# Facts of transactions that may still commit earlier ones are not visible yet: `tx < xmin`.
_READ = """
    SELECT tx::text::bigint, id, at, kind, studio_id, CASE WHEN is_heard THEN payload::text ELSE '{{}}' END, size,
           is_heard, trace
      FROM (SELECT *, sum(size) FILTER (WHERE is_heard) OVER earlier AS before
              FROM (SELECT *, (kind = ANY($5::text[]){of_studios}) IS TRUE AS is_heard FROM core_fact
                     WHERE (tx, id) > ($1::bigint::text::xid8, $2)
                       AND tx < pg_snapshot_xmin(pg_current_snapshot())
                     ORDER BY tx, id LIMIT $3) AS ahead
            WINDOW earlier AS (ORDER BY tx, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS sized
     WHERE coalesce(before, 0) < $4
     ORDER BY tx, id
"""


def read_after(
    tx: int,
    fact_id: int,
    *,
    kinds: Iterable[str],
    limit: int = READ_FACTS,
    items: int = READ_ITEMS,
    studios: str = "",
) -> list[Fact]:
    """Return the facts after the cursor `(tx, fact_id)`, in order, with those that are only read past.

    Heard are those of the kinds, and of `studios` if it is given (see Subscription). They are about `items` rows at
    most, but for the last fact.
    """
    of_studios = f" AND studio_id IN ({studios})" if studios else ""
    return [
        Fact(
            tx=row[0],
            id=row[1],
            at=row[2],
            kind=row[3],
            studio_id=row[4],
            payload=orjson.loads(row[5]),
            size=row[6],
            is_heard=row[7],
            trace=row[8] or "",
        )
        for row in run_prepared(_READ.format(of_studios=of_studios), [tx, fact_id, limit, items, list(kinds)])
    ]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A stretch of the log as it stands for one game, and what else was known at that very moment.

    Attributes:
        facts: in order, with those that are only read past; none at the end.
        horizon: of transactions below it all facts are there, of others none was read.
        dropped_tx, dropped_id: up to where the studio's facts are gone; 0 and 0 if none is.
        kept_from: since when everybody's are kept; None if that was never noted.

    """

    facts: list[Fact]
    horizon: int
    dropped_tx: int
    dropped_id: int
    kept_from: datetime | None


# Facts of one studio have an index, but for those that are no studio's. One statement, so one snapshot: a day that was
# dropped is noted as gone where its facts are not found any more.
_READ_GAME = """
    SELECT log.horizon::text::bigint, coalesce(b.tx, 0), coalesce(b.fact_id, 0), whole.at,
           f.tx::text::bigint, f.id, f.at, f.kind,
           CASE WHEN f.is_heard THEN f.payload::text ELSE '{}' END, f.size, f.is_heard
      FROM (SELECT pg_snapshot_xmin(pg_current_snapshot()) AS horizon) AS log
      LEFT JOIN core_logbeginning b ON b.studio_id = $1
      LEFT JOIN core_logbeginning whole ON whole.studio_id = 0
      LEFT JOIN (
           SELECT *, sum(size) FILTER (WHERE is_heard) OVER earlier AS before
             FROM (SELECT *, (kind = ANY($4::text[])
                              AND coalesce((payload->>'game')::bigint, $5) = $5) IS TRUE AS is_heard
                     FROM core_fact
                    WHERE studio_id = $1 AND (tx, id) > ($2::bigint::text::xid8, $3)
                      AND tx < pg_snapshot_xmin(pg_current_snapshot())
                    ORDER BY tx, id LIMIT $6) AS ahead
           WINDOW earlier AS (ORDER BY tx, id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)) AS f
        ON coalesce(f.before, 0) < $7
     ORDER BY f.tx, f.id
"""


def read_game(
    studio_id: int,
    game_id: int,
    *,
    after: tuple[int, int],
    kinds: Iterable[str],
    limit: int = READ_FACTS,
    items: int = READ_ITEMS,
) -> Stretch:
    """Return what the log holds of a game after the cursor `(tx, id)`; in its own transaction, one query.

    Heard are facts of the kinds that are about this game or, as those about players, about no game. They are about
    `items` rows at most, but for the last fact; `limit` facts of the studio are walked.
    """
    rows = run_prepared(_READ_GAME, [studio_id, *after, list(kinds), game_id, limit, items])
    horizon, dropped_tx, dropped_id, kept_from = rows[0][:4]
    found = [
        Fact(row[4], row[5], row[6], row[7], studio_id, orjson.loads(row[8]), row[9], row[10])
        for row in rows
        if row[4] is not None
    ]
    return Stretch(found, horizon, dropped_tx, dropped_id, kept_from)


def horizon() -> int:
    """Return the transaction id below which every transaction has ended, so that its facts may be read."""
    return int(run_prepared("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint", [])[0][0])


def next_transaction() -> int:
    """Return the transaction id that none had yet: once it is the horizon, all is to be read that is committed now."""
    return int(run_prepared("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint", [])[0][0])


_HEAD = """
    SELECT tx::text::bigint, id FROM core_fact WHERE tx < pg_snapshot_xmin(pg_current_snapshot())
     ORDER BY tx DESC, id DESC LIMIT 1
"""


def head() -> tuple[int, int]:
    """Return the cursor of the newest fact that may be read; (0, 0) when there is none."""
    rows = run_prepared(_HEAD, [])
    return (rows[0][0], rows[0][1]) if rows else (0, 0)
