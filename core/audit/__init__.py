"""Who did what to whom and why: kept for ever, in the transaction in which it was done (ADR 0035).

`sealing` numbers and chains the entries a moment after their commit, `verifying` tells whether any is missing or was
changed, `entries` reads them, `erasing` takes personal data out of them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from core.audit import seals
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

    `actor` is `key:<uuid>`, `user:<e-mail address>`, or one of the words `player`, `code` (a link code) and `platform`;
    `kind` and `object_id` name what it was done to; `details` are JSON values.
    """
    fact = seals.Written(
        studio_id=studio_id,
        at=at,
        actor=actor,
        action=action,
        kind=kind,
        object_id=str(object_id),
        reason=reason,
        details=dict(details or {}),
        actor_proof=seals.new_salt(),
        content_proof=seals.new_salt(),
    )
    AuditEntry.objects.create(
        studio_id=fact.studio_id,
        at=fact.at,
        actor=fact.actor,
        action=fact.action,
        object_kind=fact.kind,
        object_id=fact.object_id,
        reason=fact.reason,
        details=fact.details,
        actor_proof=fact.actor_proof,
        content_proof=fact.content_proof,
        mark=seals.mark(seals.keys()[0], fact),
    )
