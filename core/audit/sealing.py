"""Sealing: gives entries their numbers and chains them, a moment after their commit.

Whoever records something waits for nobody: chaining inside his transaction would let all that a studio does queue up
behind the slowest. The order of a chain is that of sealing; what commits late comes late.
"""

from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter

import structlog
from django.db import connection, transaction

from core.audit import entries, seals
from core.audit.entries import Entry, Seal
from core.models import AuditEntry, AuditHead

log = structlog.get_logger(__name__)

SEALED_AT_ONCE = 500


class ChainBroken(Exception):
    """A chain's end is not the one that we wrote: going on would hide what was removed."""


def seal() -> int:
    """Seal every genuine entry that waits; return how many there were. Another sealer that is at work is left alone."""
    total = after_id = 0
    while True:
        with transaction.atomic():
            if not _is_alone():
                return total
            batch = entries.waiting(after_id=after_id, limit=SEALED_AT_ONCE)
            _lock(batch)
            total += _seal(batch)
        if len(batch) < SEALED_AT_ONCE:
            return total
        after_id = batch[-1].id


def _is_alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('core.audit.seal', 0))")
        return bool(cursor.fetchone()[0])


def _lock(batch: Iterable[Entry]) -> None:
    """Wait for whoever erases something, in the order in which he locks rows too."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT FROM core_auditentry WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE",
            [[entry.id for entry in batch]],
        )


def _seal(batch: Iterable[Entry]) -> int:
    count = 0
    by_studio = attrgetter("studio_id")
    for studio_id, rows in groupby(sorted(batch, key=by_studio), key=by_studio):
        try:
            count += _extend(studio_id, _genuine(rows))
        except ChainBroken:
            log.error("audit chain broken", studio=studio_id, remedy="manage.py verify_audit")  # noqa: TRY400
    return count


def _genuine(rows: Iterable[Entry]) -> list[Entry]:
    """Return those that we wrote. Any other stays unsealed, and `verify_audit` names it."""
    found = []
    for row in rows:
        if seals.marking_key(row, row.mark) is None:
            log.error("audit entry not genuine", studio=row.studio_id, entry=row.id)
        else:
            found.append(row)
    return found


def _extend(studio_id: int, rows: list[Entry]) -> int:
    """Chain entries to a studio's last one."""
    if not rows:
        return 0
    end = _end(studio_id)
    key, number, previous = seals.keys()[0], end.number, end.hash
    links: list[tuple[int, int, bytes]] = []
    for row in rows:
        number += 1
        previous = seals.link(key, previous, number, row.mark)
        links.append((row.id, number, previous))
    _write(links)
    AuditHead.objects.update_or_create(
        studio_id=studio_id,
        defaults={
            "number": number,
            "hash": previous,
            "mark": seals.head(key, studio_id, number, previous),
        },
    )
    return len(links)


def _end(studio_id: int) -> Seal:
    """Return what the next entry follows. Raises ChainBroken if that was tampered with."""
    row = AuditHead.objects.filter(pk=studio_id).first()
    if row is None:
        if AuditEntry.objects.filter(studio_id=studio_id, number__gt=0).exists():
            raise ChainBroken
        return Seal(0, seals.FIRST)
    if not seals.is_head(bytes(row.mark), studio_id, row.number, bytes(row.hash)):
        raise ChainBroken
    return Seal(row.number, bytes(row.hash))


def _write(links: list[tuple[int, int, bytes]]) -> None:
    ids, numbers, hashes = zip(*links, strict=True)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE core_auditentry e SET number = s.number, hash = s.hash"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[]) AS s (id, number, hash) WHERE e.id = s.id",
            [list(ids), list(numbers), list(hashes)],
        )
