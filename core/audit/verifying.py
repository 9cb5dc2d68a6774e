"""Verifying: reads a studio's chain from its first entry to its last, and names the first fault."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from django.db import connection

from core.audit import entries, seals
from core.audit.entries import Entry, Seal

READ_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of verifying a studio's log.

    Attributes:
        fault: the first thing that is wrong, as a sentence; empty if nothing is.
        end: the newest sealed entry; None if none is.
        waiting: how many are not sealed yet.
        erased: of how many somebody's personal data was taken out.

    """

    studio_id: int
    fault: str
    end: Seal | None
    waiting: int
    erased: int


class _Faulty(Exception):
    """The first thing that is wrong."""


@dataclass(slots=True)
class _Walk:
    number: int = 0
    hash: bytes = seals.FIRST
    waiting: int = 0
    erased: int = 0


def studio_ids() -> list[int]:
    """Return every studio that has entries, or had some, by internal id."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH RECURSIVE known AS (
                SELECT min(studio_id) AS id FROM core_auditentry
                UNION ALL
                SELECT (SELECT min(studio_id) FROM core_auditentry WHERE studio_id > known.id)
                  FROM known WHERE known.id IS NOT NULL)
            SELECT id FROM known WHERE id IS NOT NULL UNION SELECT studio_id FROM core_audithead ORDER BY 1
            """
        )
        return [row[0] for row in cursor.fetchall()]


def verify(studio_id: int, *, expected: Mapping[int, bytes] | None = None) -> Verdict:
    """Verify a studio's log; `expected` are hashes by number that somebody noted earlier.

    What is sealed meanwhile is left to the next time.
    """
    walk = _Walk()
    fault, end = "", None
    try:
        end, numbered, last = _ends(studio_id)
        _walk(studio_id, last, walk, dict(expected or {}))
        _check_end(end, numbered, walk)
        _check_waiting(studio_id, walk)
    except _Faulty as found:
        fault = str(found)
    return Verdict(studio_id, fault, end, walk.waiting, walk.erased)


def _ends(studio_id: int) -> tuple[Seal | None, int, int]:
    """Return a chain's end, and of the numbered entries the count and the last number, all as of one moment."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT h.number, h.hash, h.mark, n.counted, n.last FROM"
            " (SELECT count(*) AS counted, coalesce(max(number), 0) AS last FROM core_auditentry"
            "   WHERE studio_id = %s AND number IS NOT NULL) AS n"
            " LEFT JOIN core_audithead h ON h.studio_id = %s",
            [studio_id, studio_id],
        )
        number, hashed, marked, numbered, last = cursor.fetchone()
    if number is None:
        return None, numbered, last
    if not seals.is_head(bytes(marked), studio_id, number, bytes(hashed)):
        raise _Faulty("The note of where the log ends was changed: entries at its end may be missing.")
    return Seal(number, bytes(hashed)), numbered, last


def _walk(studio_id: int, last: int, walk: _Walk, expected: dict[int, bytes]) -> None:
    while walk.number < last:
        read = entries.sealed(studio_id, after=walk.number, until=last, limit=READ_AT_ONCE)
        if not read:  # removed while we read
            raise _Faulty(f"Entry {walk.number + 1:,} is missing.")
        for entry in read:
            _check(entry, walk)
            if expected.pop(walk.number, walk.hash) != walk.hash:
                raise _Faulty(f"Entry {walk.number:,} is not the one whose hash was noted.")
    if expected:
        raise _Faulty(f"Entry {min(expected):,}, whose hash was noted, is missing.")


def _check(entry: Entry, walk: _Walk) -> None:
    """Check the entry after the last one of a walk, and step on to it."""
    number, due = entry.number or 0, walk.number + 1
    if number != due:
        raise _Faulty(
            f"Entry {due:,} is missing." if number > due else f"Entry {number:,} stands there twice."
        )
    if seals.marking_key(entry, entry.mark) is None:
        raise _Faulty(f"Entry {due:,} was changed, or was not written by Laurel.")
    if not seals.is_link(entry.hash or b"", walk.hash, due, entry.mark):
        raise _Faulty(f"Entry {due:,} does not follow the one before: entries were moved, put in or removed.")
    walk.number, walk.hash = due, entry.hash or b""
    walk.erased += is_erased(entry)


def is_erased(entry: Entry) -> bool:
    """Say whether somebody's personal data was taken out of an entry."""
    return len(entry.actor_proof) != seals.SALT_BYTES or len(entry.content_proof) != seals.SALT_BYTES


def _check_end(end: Seal | None, numbered: int, walk: _Walk) -> None:
    noted = end.number if end is not None else 0
    if walk.number < noted:
        gone = (
            f"Entry {noted:,} is"
            if noted == walk.number + 1
            else f"Entries {walk.number + 1:,} to {noted:,} are"
        )
        raise _Faulty(f"{gone} missing at the end.")
    if walk.number > noted or (end is not None and end.hash != walk.hash):
        raise _Faulty(f"The note of where the log ends is missing or old: it says {noted:,}.")
    if numbered != walk.number:
        raise _Faulty(f"{numbered:,} entries have numbers up to {walk.number:,}: some stand there twice.")


def _check_waiting(studio_id: int, walk: _Walk) -> None:
    for entry in _waiting(studio_id):
        if seals.marking_key(entry, entry.mark) is None:
            raise _Faulty(f"The entry with the id {entry.id}, not sealed yet, was not written by Laurel.")
        walk.waiting += 1


def _waiting(studio_id: int) -> Iterator[Entry]:
    after_id = 0
    while rows := entries.waiting(studio_id, after_id=after_id, limit=READ_AT_ONCE):
        yield from rows
        after_id = rows[-1].id
