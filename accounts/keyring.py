"""What a studio's members do to its server keys: issue, rotate with an overlap, revoke. Every change is audited."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts import selectors, services
from accounts.models import Game, ServerKey, Studio
from core import audit
from core.refusals import Conflict, NotFound

MOST_KEYS = 100  # of a studio at a time


class AlreadyIssued(Conflict):
    """The same form came twice: the key exists, and was shown then."""


def issue(
    *,
    studio_id: int,
    name: str,
    scopes: Collection[str],
    game_id: int | None = None,
    expires_at: datetime | None = None,
    uuid: UUID | None = None,
    user_id: int,
    actor: str,
    at: datetime,
) -> tuple[ServerKey, str]:
    """Create a server key; return its row and the key itself, which can't be shown again.

    Raises:
        AlreadyIssued: there is a key with this `uuid`.
        Conflict: the game is put away, or the studio has a hundred keys.
        NotFound: the studio has no such game.
        Invalid: an unknown scope.

    """
    with transaction.atomic():
        _take_turns(studio_id)
        if uuid is not None and ServerKey.objects.filter(uuid=uuid).exists():
            raise AlreadyIssued("This form was sent before: its key was made then, and shown once.")
        _require_room(studio_id, MOST_KEYS, at=at)
        if game_id is not None:
            _require_open(studio_id, game_id)
        made = services.issue_key(
            studio_id=studio_id,
            name=name,
            scopes=scopes,
            game_id=game_id,
            expires_at=expires_at,
            uuid=uuid,
            user_id=user_id,
        )
        details = {"name": name, "hint": made[0].hint, "scopes": made[0].scopes}
        _note("key.issue", studio_id, made[0].uuid, actor=actor, at=at, details=details)
    return made


def rotate(
    *, studio_id: int, uuid: UUID, overlap: timedelta, user_id: int, actor: str, at: datetime
) -> tuple[ServerKey, str]:
    """Issue a key that may what another may, which ends after `overlap` or when it would have; return as `issue` does.

    A key that was to end some time after it was issued is followed by one that lasts as long.

    Raises:
        NotFound: the studio has no such key.
        Conflict: it was rotated before, revoked, or has expired; or the studio has two hundred keys.

    """
    with transaction.atomic():
        _take_turns(studio_id)
        _require_room(studio_id, 2 * MOST_KEYS, at=at)  # whoever has the most may rotate them all
        old = _locked(studio_id, uuid)
        _require_rotatable(old, at=at)
        new, key = services.issue_key(
            studio_id=studio_id,
            name=old.name,
            scopes=old.scopes,
            game_id=old.game_id,
            expires_at=at + (old.expires_at - old.created_at) if old.expires_at else None,
            user_id=user_id,
            writes_per_s=old.writes_per_s,
            reads_per_s=old.reads_per_s,
        )
        old.expires_at = min(at + overlap, old.expires_at or at + overlap)
        old.rotated_at, old.replaced_by = at, new
        old.save(update_fields=["expires_at", "rotated_at", "replaced_by"])
        details = {"name": old.name, "new_key": str(new.uuid), "ends_at": old.expires_at.isoformat()}
        _note("key.rotate", studio_id, old.uuid, actor=actor, at=at, details=details)
    selectors.forget_keys()
    return new, key


def revoke(*, studio_id: int, uuid: UUID, reason: str, actor: str, at: datetime) -> bool:
    """End a key at once, everywhere within KEY_SECONDS; say whether that changed anything. Raises NotFound."""
    with transaction.atomic():
        key = _locked(studio_id, uuid)
        if key.revoked_at is not None:
            return False
        key.revoked_at = at
        key.save(update_fields=["revoked_at"])
        details = {"name": key.name, "hint": key.hint}
        _note("key.revoke", studio_id, key.uuid, reason=reason, actor=actor, at=at, details=details)
    selectors.forget_keys()
    return True


def set_limits(
    *, studio_id: int, uuid: UUID, writes_per_s: int | None, reads_per_s: int | None, actor: str, at: datetime
) -> bool:
    """Limit a key below what the instance allows, or no more (None); say whether that changed anything.

    It holds everywhere within KEY_SECONDS. Raises NotFound.
    """
    with transaction.atomic():
        key = _locked(studio_id, uuid)
        before = {"writes_per_s": key.writes_per_s, "reads_per_s": key.reads_per_s}
        after = {"writes_per_s": writes_per_s, "reads_per_s": reads_per_s}
        if before == after:
            return False
        key.writes_per_s, key.reads_per_s = writes_per_s, reads_per_s
        key.save(update_fields=["writes_per_s", "reads_per_s"])
        details = {"name": key.name, "hint": key.hint, "before": before, "after": after}
        _note("key.limits", studio_id, key.uuid, actor=actor, at=at, details=details)
    selectors.forget_keys()
    return True


def _take_turns(studio_id: int) -> None:
    """Let a studio's keys be made one at a time: so they are counted without a gap, and a form counts once."""
    Studio.objects.select_for_update(no_key=True).get(pk=studio_id)


def _locked(studio_id: int, uuid: UUID) -> ServerKey:
    """Lock a key, its game first: as whoever puts the game away does."""
    game_id = (
        ServerKey.objects.filter(studio_id=studio_id, uuid=uuid).values_list("game_id", flat=True).first()
    )
    if game_id is not None:
        Game.objects.select_for_update(no_key=True).get(pk=game_id)
    key = ServerKey.objects.select_for_update().filter(studio_id=studio_id, uuid=uuid).first()
    if key is None:
        raise NotFound("There is no such key.")
    return key


def _require_room(studio_id: int, most: int, *, at: datetime) -> None:
    live = Q(revoked_at=None) & (Q(expires_at=None) | Q(expires_at__gt=at))
    if ServerKey.objects.filter(live, studio_id=studio_id).count() >= most:
        raise Conflict(f"The studio has {most} keys. Revoke those that nobody uses, then make a new one.")


def _require_open(studio_id: int, game_id: int) -> None:
    """Refuse a game that is put away; while the caller makes its key nobody does that."""
    game = Game.objects.select_for_update(no_key=True).filter(pk=game_id, studio_id=studio_id).first()
    if game is None:
        raise NotFound("There is no such game.")
    if game.archived_at is not None:
        raise Conflict("The game is put away. Bring it back before you make a key for it.")


def _require_rotatable(key: ServerKey, *, at: datetime) -> None:
    if key.rotated_at is not None:
        raise Conflict("This key was rotated before: its new key was made then, and shown once.")
    if key.revoked_at is not None or (key.expires_at is not None and key.expires_at <= at):
        raise Conflict("This key has ended. Make a new one.")


def _note(
    action: str,
    studio_id: int,
    uuid: UUID,
    *,
    actor: str,
    at: datetime,
    reason: str = "",
    details: Mapping[str, Any],
) -> None:
    audit.record(
        studio_id=studio_id,
        actor=actor,
        action=action,
        kind="key",
        object_id=uuid,
        reason=reason,
        at=at,
        details=details,
    )
