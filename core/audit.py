"""Who did what to whom and why: kept for ever, in the transaction in which it was done."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.models import AuditEntry

LONGEST_REASON = 500


def record(
    *,
    studio_id: int,
    actor: str,
    action: str,
    kind: str,
    object_id: object,
    reason: str,
    at: datetime,
    details: Mapping[str, Any] | None = None,
) -> None:
    """Note what is done, inside the caller's transaction; nobody changes or removes it afterwards.

    `actor` is `key:<uuid>` or `user:<e-mail address>`; `kind` and `object_id` name what it was done to; `details` are
    JSON values.
    """
    AuditEntry.objects.create(
        studio_id=studio_id,
        at=at,
        actor=actor,
        action=action,
        object_kind=kind,
        object_id=str(object_id),
        reason=reason,
        details=dict(details or {}),
    )
