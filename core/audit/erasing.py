"""Taking personal data out of the audit log: that something was done stays, and the chain holds (ADR 0035).

A text gives way to its digest. With the salt gone, nobody can try out what the text was.
"""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from core.audit import entries, seals
from core.audit.entries import Entry
from core.models import AuditEntry

ERASED_AT_ONCE = 500
Changes = dict[str, Any]


def erase_content(*, studio_id: int, object_id: str) -> int:
    """Take out what it was done to, reason and details, of all entries about something; return how many there were.

    Repeating it finds what is left: it commits a part at a time, unless the caller's transaction holds all.
    """
    return _erase(_without_content, studio_id=studio_id, object_id=object_id)


def erase_entry(*, studio_id: int, entry_id: int) -> int:
    """Take the same out of one entry, which is about something else and says something of somebody."""
    return _erase(_without_content, studio_id=studio_id, pk=entry_id)


def erase_actor(*, studio_id: int, actor: str) -> int:
    """Take out who did it, from all that somebody did; return how much that was. As `erase_content` otherwise."""
    return _erase(_without_actor, studio_id=studio_id, actor=actor)


def _erase(change: Callable[[bytes, Entry], Changes], **about: Any) -> int:
    count = after_id = 0
    while True:
        with transaction.atomic():
            rows = (
                AuditEntry.objects.select_for_update().filter(pk__gt=after_id).filter(**about).order_by("pk")
            )
            part = [entries.as_entry(row) for row in rows[:ERASED_AT_ONCE]]
            for entry in part:
                key = seals.marking_key(entry, entry.mark)
                changes = change(key, entry) if key is not None else {}
                count += AuditEntry.objects.filter(pk=entry.id).update(**changes) if changes else 0
        if len(part) < ERASED_AT_ONCE:
            return count
        after_id = part[-1].id


def _without_content(key: bytes, entry: Entry) -> Changes:
    if len(entry.content_proof) != seals.SALT_BYTES:
        return {}
    return {
        "object_id": seals.ERASED,
        "reason": "",
        "details": {},
        "content_proof": seals.content_digest(key, entry),
    }


def _without_actor(key: bytes, entry: Entry) -> Changes:
    if len(entry.actor_proof) != seals.SALT_BYTES:
        return {}
    return {"actor": seals.ERASED, "actor_proof": seals.actor_digest(key, entry)}
