"""Reads of the audit log. Newest first by `(at, id)`, always of one studio; every filter has its index."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection
from django.db.models import Q, QuerySet

from core.audit.seals import Written
from core.db import lend_back
from core.models import AuditEntry, AuditHead

READ_AT_ONCE = 1000
MOST_ACTIONS = 200


@dataclass(frozen=True, slots=True)
class Entry(Written):
    """An entry as it is stored; without `number` and `hash` until it is sealed."""

    id: int
    mark: bytes
    number: int | None
    hash: bytes | None

    @property
    def position(self) -> tuple[datetime, int]:
        """Where it stands in a list."""
        return self.at, self.id


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are asked for; what is empty is not asked for. `until` and what is `without` are left out."""

    actor: str = ""
    action: str = ""
    object_id: str = ""
    since: datetime | None = None
    until: datetime | None = None
    without: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seal:
    """A chain's end: the newest sealed entry."""

    number: int
    hash: bytes


def page(
    studio_id: int, wanted: Wanted, *, after: tuple[datetime, int] | None = None, limit: int
) -> list[Entry]:
    """Return a studio's entries behind a position, newest first."""
    rows = _of(studio_id, wanted)
    if after is not None:
        at, pk = after
        rows = rows.filter(Q(at__lt=at) | Q(id__lt=pk), at__lte=at)
    return [as_entry(row) for row in rows.order_by("-at", "-id")[:limit]]


def stream(studio_id: int, wanted: Wanted, *, limit: int) -> Iterator[Entry]:
    """Yield a studio's entries, newest first; no connection is held while the reader takes its time."""
    after, left = None, limit
    while left > 0:
        rows = page(studio_id, wanted, after=after, limit=min(READ_AT_ONCE, left))
        lend_back()
        yield from rows
        if len(rows) < READ_AT_ONCE:
            return
        after, left = rows[-1].position, left - len(rows)


def _of(studio_id: int, wanted: Wanted) -> QuerySet[AuditEntry]:
    asked: dict[str, Any] = {
        "actor": wanted.actor,
        "action": wanted.action,
        "object_id": wanted.object_id,
        "at__gte": wanted.since,
        "at__lt": wanted.until,
    }
    rows = AuditEntry.objects.filter(
        studio_id=studio_id, **{name: value for name, value in asked.items() if value}
    )
    return rows.exclude(action__in=wanted.without) if wanted.without else rows


# The next action behind the last one, again and again: as many looks into the index as there are actions.
_ACTIONS = """
    WITH RECURSIVE known AS (
        (SELECT action FROM core_auditentry WHERE studio_id = %(studio)s ORDER BY action LIMIT 1)
        UNION ALL
        SELECT (SELECT e.action FROM core_auditentry e WHERE e.studio_id = %(studio)s AND e.action > known.action
                 ORDER BY e.action LIMIT 1)
          FROM known WHERE known.action IS NOT NULL)
    SELECT action FROM known WHERE action IS NOT NULL LIMIT %(limit)s
"""


def actions_of(studio_id: int) -> list[str]:
    """Return what was ever done in a studio, by name."""
    with connection.cursor() as cursor:
        cursor.execute(_ACTIONS, {"studio": studio_id, "limit": MOST_ACTIONS})
        return [row[0] for row in cursor.fetchall()]


_ABOUT = """
    SELECT e.* FROM unnest(%(objects)s::text[]) AS w (object_id)
     CROSS JOIN LATERAL (SELECT * FROM core_auditentry
                          WHERE studio_id = %(studio)s AND object_id = w.object_id AND action = ANY(%(actions)s)
                          ORDER BY at DESC, id DESC LIMIT %(each)s) AS e
     ORDER BY e.at DESC, e.id DESC
"""


def newest_about(
    studio_id: int, objects: Iterable[object], *, actions: Iterable[str], each: int = 20
) -> list[Entry]:
    """Return what was done to several things of a studio, newest first, `each` of one at most; in one query."""
    wanted = sorted({str(one) for one in objects})
    if not wanted:
        return []
    asked = {"studio": studio_id, "objects": wanted, "actions": list(actions), "each": each}
    return [as_entry(row) for row in AuditEntry.objects.raw(_ABOUT, asked)]


_LATEST = """
    SELECT e.* FROM unnest(%(actions)s::text[]) AS w (action)
     CROSS JOIN LATERAL (SELECT * FROM core_auditentry
                          WHERE studio_id = %(studio)s AND action = w.action AND at > %(since)s AND actor <> %(but)s
                          ORDER BY at DESC, id DESC LIMIT %(each)s) AS e
     ORDER BY e.at DESC, e.id DESC
"""


def latest(studio_id: int, actions: Iterable[str], *, since: datetime, but_by: str, each: int) -> list[Entry]:
    """Return what others than `but_by` did in a studio of late, newest first, `each` of an action; in one query."""
    asked = {"studio": studio_id, "actions": list(actions), "since": since, "but": but_by, "each": each}
    return [as_entry(row) for row in AuditEntry.objects.raw(_LATEST, asked)] if asked["actions"] else []


def newest_seal(studio_id: int) -> Seal | None:
    """Return where a studio's chain ends, or None before the first seal."""
    row = AuditHead.objects.filter(pk=studio_id).first()
    return None if row is None else Seal(row.number, bytes(row.hash))


def waiting(studio_id: int | None = None, *, after_id: int = 0, limit: int) -> list[Entry]:
    """Return entries that are not sealed yet, oldest first; of all studios if none is named."""
    rows = AuditEntry.objects.filter(number=None, pk__gt=after_id)
    if studio_id is not None:
        rows = rows.filter(studio_id=studio_id)
    return [as_entry(row) for row in rows.order_by("id")[:limit]]


def sealed(studio_id: int, *, after: int, until: int, limit: int) -> list[Entry]:
    """Return entries by number: behind `after`, up to `until`."""
    rows = AuditEntry.objects.filter(studio_id=studio_id, number__gt=after, number__lte=until)
    return [as_entry(row) for row in rows.order_by("number")[:limit]]


def as_entry(row: AuditEntry) -> Entry:
    """Return a row as a plain value."""
    return Entry(
        studio_id=row.studio_id,
        at=row.at,
        actor=row.actor,
        action=row.action,
        kind=row.object_kind,
        object_id=row.object_id,
        reason=row.reason,
        details=row.details,
        actor_proof=bytes(row.actor_proof),
        content_proof=bytes(row.content_proof),
        id=row.pk,
        mark=bytes(row.mark),
        number=row.number,
        hash=None if row.hash is None else bytes(row.hash),
    )
