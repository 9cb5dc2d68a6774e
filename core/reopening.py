"""A database that was restored: whether it may be used, and what has to be made so that it may.

What others remember of the time that was lost names things by numbers that the database would give away again, and by
positions in a log that goes on differently from here.
"""

from datetime import datetime
from typing import Any

import psycopg
from django.conf import settings
from django.db import ProgrammingError, connection

from core.db import run_prepared
from core.direct import Ask

QUIET_S = 15.0  # longer than any process that runs does nothing
# Written into the settings of a server whose data was restored (config/backups/laying.py); it stays there for ever.
_MARK = "laurel.restored"
# Numbers that were given away in the time that was lost: far more than any hour makes, and too few to run out of.
_SKIPPED = 10_000_000
_SKIPPED_OF_FEW = 10_000  # where a number has 32 bits
_FEW = 2**31 - 1
# core.models.Reopening; in SQL, since processes ask before Django has loaded its models.
_IS_NOTED = "SELECT EXISTS (SELECT FROM core_reopening WHERE restored = $1)"
_NOTE = "INSERT INTO core_reopening (restored, at, tx) VALUES ($1, $2::timestamptz, $3)"


def mark() -> str:
    """Return what the server says of its restore; empty if it was never restored by `manage.py restore`."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(current_setting(%s, true), '')", [_MARK])
        return str(cursor.fetchone()[0])


def is_open(ask: Ask) -> bool:
    """Say whether the database may be used: it was never restored, or was reopened since."""
    restored = ask("SELECT coalesce(current_setting($1, true), '')", [_MARK])[0][0]
    try:
        return not restored or bool(ask(_IS_NOTED, [restored])[0][0])
    except (ProgrammingError, psycopg.ProgrammingError):  # it was restored to before there was such a table
        return False


def skip_numbers() -> int:
    """Let no number be given away that may have been before, in the time that was lost; return of how many kinds."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%I.%I', schemaname, sequencename), max_value FROM pg_sequences"
            " WHERE has_sequence_privilege(format('%I.%I', schemaname, sequencename), 'UPDATE')"
        )
        listed = cursor.fetchall()
        for name, most in listed:
            cursor.execute(
                f"SELECT setval(%s, last_value + %s) FROM {name}",  # noqa: S608 - quoted by PostgreSQL
                [name, _SKIPPED if most > _FEW else _SKIPPED_OF_FEW],
            )
    return len(listed)


def note(restored: str, *, at: datetime) -> None:
    """Note that the database may be used; the log has another number from now on."""
    tx = run_prepared("SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint", [])[0][0]
    run_prepared(_NOTE, [restored, at, tx])


def logs() -> list[tuple[Any, ...]]:
    """Return each log's number and first transaction: the first one's, 0, and one for each reopening."""
    return [(0, 0), *run_prepared("SELECT id, tx FROM core_reopening ORDER BY id", [])]


def is_recovering() -> bool:
    """Say whether the server still goes through its log, or follows another one: then it takes no writes."""
    return bool(run_prepared("SELECT pg_is_in_recovery()", [])[0][0])


def whoever_is_connected() -> list[str]:
    """Return the names of Laurel's processes that are connected to the database, this one left out.

    PgBouncer keeps sessions of processes that have ended. Who is there does something within QUIET_S.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT application_name FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND application_name LIKE 'laurel-%%'"
            " AND (state <> 'idle' OR NOT %s OR state_change > clock_timestamp() - %s * interval '1 second')"
            " ORDER BY 1",
            [bool(settings.DATABASE_POOLED_BY), QUIET_S],
        )
        return [name for (name,) in cursor.fetchall()]
