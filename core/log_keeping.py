"""The log's days: partitions made ahead, dropped when every cursor has passed and their time is over."""

from datetime import UTC, date, datetime, timedelta
from functools import partial
from typing import Any, Final

from django.conf import settings
from django.db import connection

from core import days, dead_letters, facts, idempotency, shifts
from core.patience import TRIES

TABLE = "core_fact"
_FORGOTTEN_AT_ONCE: Final = 5_000  # followers wait for the oldest transaction
_LETTERS_KEPT: Final = timedelta(days=30)


def make_partitions(*, today: date, tries: int = TRIES) -> None:
    """Make the tables of today and the next days, as `days.make` does."""
    days.make(TABLE, today=today, tries=tries)


def drop_partitions(*, today: date, tries: int = TRIES) -> list[str]:
    """Drop the days older than FACT_RETENTION_DAYS that every follower has read; return their names.

    One that is in use stays for the next time.
    """
    dropped = []
    for name, day in days.listed(TABLE):
        if day >= today - timedelta(days=settings.FACT_RETENTION_DAYS) or _is_needed(name):
            continue
        if days.drop(TABLE, name, before=partial(_note_beginnings, name, day), tries=tries):
            dropped.append(name)
    return dropped


_IF_LATER = """
    ON CONFLICT (studio_id) DO UPDATE SET at = greatest(b.at, excluded.at),
        (tx, fact_id) = (SELECT * FROM (VALUES (b.tx, b.fact_id), (excluded.tx, excluded.fact_id)) AS e (tx, fact_id)
                          ORDER BY tx DESC, fact_id DESC LIMIT 1)
"""
# One look into the day's index for each studio (a loose index scan), and one for the whole log.
_NOTE_BEGINNINGS = """
    WITH RECURSIVE newest AS (
        (SELECT d.studio_id, d.tx, d.id FROM {name} d WHERE d.studio_id IS NOT NULL
          ORDER BY d.studio_id DESC, d.tx DESC, d.id DESC LIMIT 1)
        UNION ALL
        SELECT earlier.* FROM newest CROSS JOIN LATERAL (
            SELECT d.studio_id, d.tx, d.id FROM {name} d WHERE d.studio_id < newest.studio_id
             ORDER BY d.studio_id DESC, d.tx DESC, d.id DESC LIMIT 1) AS earlier
    )
    INSERT INTO core_logbeginning AS b (studio_id, tx, fact_id, at)
    SELECT studio_id, tx::text::bigint, id, %(end)s FROM newest
    UNION ALL SELECT 0, 0, 0, %(end)s
    {if_later}
"""


def _note_beginnings(name: str, day: date) -> None:
    """Note whose facts go with a day, and up to where: readers tell a gap by that."""
    end = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    with connection.cursor() as cursor:
        cursor.execute(_NOTE_BEGINNINGS.format(name=name, if_later=_IF_LATER), {"end": end})


def _is_needed(name: str) -> bool:
    """Say whether a listener of this version has not read all of a day; cursors of others say nothing."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT EXISTS (SELECT FROM core_follower f, (SELECT tx, id FROM {name} ORDER BY tx DESC, id DESC LIMIT 1)"  # noqa: S608
            " AS newest WHERE f.name = ANY(%s) AND (f.tx::text::xid8, f.fact_id) < (newest.tx, newest.id))",
            [list(facts.subscriptions())],
        )
        return bool(cursor.fetchone()[0])


# The oldest of the table for everything else, as far as they are over and read by every listener, and whose they were.
_FORGET_OTHERS = f"""
    WITH oldest AS (
        SELECT ctid AS place, at, tx, id FROM {TABLE}_other ORDER BY tx, id LIMIT %(at_once)s
    ), gone AS (
        DELETE FROM {TABLE}_other WHERE ctid = ANY(ARRAY(
            SELECT place FROM oldest o WHERE at < %(end)s AND NOT EXISTS (
                SELECT FROM core_follower f WHERE f.name = ANY(%(listed)s)
                   AND (f.tx::text::xid8, f.fact_id) < (o.tx, o.id)))) RETURNING studio_id, tx, id
    ), noted AS (
        INSERT INTO core_logbeginning AS b (studio_id, tx, fact_id, at)
        SELECT * FROM (SELECT DISTINCT ON (studio_id) studio_id, tx::text::bigint, id, %(end)s::timestamptz
                         FROM gone WHERE studio_id IS NOT NULL ORDER BY studio_id, tx DESC, id DESC) AS newest
        UNION ALL SELECT 0, 0, 0, %(end)s WHERE EXISTS (SELECT FROM gone)
        {_IF_LATER}
    )
    SELECT count(*) FROM gone
"""  # noqa: S608 - a name of ours


def forget_others(*, today: date) -> int:
    """Delete what no day was made for, as days are dropped; return how many facts went."""
    over = today - timedelta(days=settings.FACT_RETENTION_DAYS)
    wanted: dict[str, Any] = {
        "at_once": _FORGOTTEN_AT_ONCE,
        "end": datetime(over.year, over.month, over.day, tzinfo=UTC),
        "listed": list(facts.subscriptions()),
    }
    total = 0
    with connection.cursor() as cursor:
        while not shifts.is_over():
            cursor.execute(_FORGET_OTHERS, wanted)
            gone = cursor.fetchone()[0]
            total += gone
            if gone < _FORGOTTEN_AT_ONCE:
                break
    return total


def keep(*, now: datetime, tries: int = TRIES) -> None:
    """Make coming days, drop read ones, forget old idempotency keys and dead letters. Two at once do no harm.

    What a long reader is in the way of is left for the next time; whoever writes is held up for a moment at most.
    """
    make_partitions(today=now.date(), tries=tries)
    drop_partitions(today=now.date(), tries=tries)
    forget_others(today=now.date())
    dead_letters.forget(replayed_before=now - _LETTERS_KEPT)
    _forget_keys(until=now - timedelta(days=idempotency.KEPT_DAYS))


def _forget_keys(*, until: datetime) -> None:
    with connection.cursor() as cursor:
        while not shifts.is_over():
            cursor.execute(
                "DELETE FROM core_idempotencykey WHERE ctid = ANY(ARRAY("
                "SELECT ctid FROM core_idempotencykey WHERE created_at < %s LIMIT %s))",
                [until, _FORGOTTEN_AT_ONCE],
            )
            if cursor.rowcount < _FORGOTTEN_AT_ONCE:
                return
