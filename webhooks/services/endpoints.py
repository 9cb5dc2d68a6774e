"""Every write of a studio's endpoints."""

from collections.abc import Collection
from datetime import datetime, timedelta
from threading import BoundedSemaphore
from typing import Any
from uuid import UUID

from django.db import transaction

from core import audit
from core.ids import new_id
from core.refusals import Conflict, Invalid, NotFound, Unavailable
from webhooks import resolving
from webhooks.models import Disabled, Endpoint
from webhooks.rules import signing, targets
from webhooks.rules.targets import Address, NotAllowed
from webhooks.selectors import EndpointInfo, info_of
from webhooks.services import deliveries

MOST = 50  # endpoints of a studio
LONGEST_OVERLAP = timedelta(days=7)
_LOOKED_UP_WITHIN_S = 1.0  # of the 2.2 s that a request may take
# A studio may run its own name server, one that never answers: it shall not hold all of a process's threads.
_look_ups = BoundedSemaphore(4)


class MadeBefore(Conflict):
    """There is a webhook with this id: whoever asks has asked before."""

    def __init__(self) -> None:
        """Say so."""
        super().__init__("This webhook was made before.")


class UrlRefused(Invalid):
    """A webhook may not go to that address."""

    slug = "webhook-url-not-allowed"

    def __init__(self, reason: str) -> None:
        """Say why."""
        errors = [{"pointer": "/url", "detail": reason}]
        super().__init__(f"The address is not allowed. {reason}", errors=errors)


def check_url(url: str) -> str:
    """Return an address in its one form, if messages may go there now; it is checked again at every connection.

    A name that leads nowhere yet is taken: its attempts fail until it does.

    Raises:
        UrlRefused: it is no address that is allowed, or leads to one that is not.
        Unavailable: too many names are looked up already.

    """
    policy = resolving.policy()
    try:
        target = targets.read(url, policy)
        if target.address is None:
            targets.check(_addresses(target.host), policy)
    except NotAllowed as refused:
        raise UrlRefused(str(refused)) from None
    except resolving.NoAddress:
        pass
    return target.url


def _addresses(host: str) -> list[Address]:
    if not _look_ups.acquire(blocking=False):
        raise Unavailable("Too many host names are looked up at this moment. Send it again.")
    try:
        return resolving.addresses_now(host, within_s=_LOOKED_UP_WITHIN_S)
    finally:
        _look_ups.release()


def create(
    *,
    studio_id: int,
    game_id: int | None,
    url: str,
    events: Collection[str],
    description: str,
    actor: str,
    at: datetime,
    uuid: UUID | None = None,
) -> tuple[EndpointInfo, str]:
    """Create an endpoint; return it and its secret, which is not shown again.

    Raises:
        MadeBefore: there is one with this `uuid`.
        UrlRefused, Unavailable: as `check_url` does.
        Conflict: the studio has too many.

    """
    url, secret = check_url(url), signing.new_secret()
    with transaction.atomic():
        _lock_studio(studio_id)
        if Endpoint.objects.filter(studio_id=studio_id, deleted_at=None).count() >= MOST:
            raise Conflict(f"A studio has at most {MOST} webhooks: delete one that is not used.")
        values = {
            "studio_id": studio_id,
            "game_id": game_id,
            "url": url,
            "description": description,
            "events": sorted(events),
            "secret": secret,
            "created_at": at,
            "updated_at": at,
        }
        row, is_new = Endpoint.objects.get_or_create(uuid=uuid or new_id(), defaults=values)
        if not is_new:
            raise MadeBefore
        _note("webhook.create", row, actor=actor, at=at, details={"url": url, "events": row.events})
    return info_of(row), signing.written(secret)


def change(info: EndpointInfo, *, changes: dict[str, Any], actor: str, at: datetime) -> EndpointInfo:
    """Change an endpoint's address, events or description, disable or enable it.

    Enabling begins anew: what has waited is parked, and delivered if it is asked for.

    Raises:
        UrlRefused, Unavailable: as `check_url` does.
        NotFound: it was deleted meanwhile.

    """
    changes = dict(changes)
    if "url" in changes:
        changes["url"] = check_url(changes["url"])
    if "events" in changes:
        changes["events"] = sorted(changes["events"])
    enabled = changes.pop("enabled", None)
    if enabled and info.disabled:
        deliveries.park_waiting(info.id)
    with transaction.atomic():
        row = _locked(info)
        if enabled is not None and enabled == bool(row.disabled):
            row.disabled = Disabled.NO if enabled else Disabled.BY_HAND
            row.disabled_at = None if enabled else at
            row.failing_since = None
        if changes.get("url", row.url) != row.url:
            row.failing_since = None  # the days of failures were those of the address before
        for name, value in changes.items():
            setattr(row, name, value)
        row.updated_at = at
        row.save()
        noted = changes if enabled is None else {**changes, "enabled": enabled}
        _note("webhook.change", row, actor=actor, at=at, details=noted)
    return info_of(row)


def delete(info: EndpointInfo, *, actor: str, at: datetime) -> None:
    """Delete an endpoint: nothing is sent from now on; its deliveries go in the background. Raises NotFound."""
    with transaction.atomic():
        row = _locked(info)
        row.deleted_at = row.updated_at = at
        row.save(update_fields=["deleted_at", "updated_at"])
        _note("webhook.delete", row, actor=actor, at=at, details={"url": row.url})


def rotate_secret(
    info: EndpointInfo, *, overlap: timedelta, actor: str, at: datetime
) -> tuple[EndpointInfo, str]:
    """Make a new secret; until the overlap ends, the old one signs as well. Return the new one, shown this once.

    Raises:
        NotFound: it was deleted meanwhile.

    """
    secret = signing.new_secret()
    with transaction.atomic():
        row = _locked(info)
        row.previous_secret, row.previous_until = row.secret, at + overlap
        row.secret, row.updated_at = secret, at
        row.save(update_fields=["secret", "previous_secret", "previous_until", "updated_at"])
        _note(
            "webhook.rotate_secret",
            row,
            actor=actor,
            at=at,
            details={"until": row.previous_until.isoformat()},
        )
    return info_of(row), signing.written(secret)


def _locked(info: EndpointInfo) -> Endpoint:
    row = Endpoint.objects.select_for_update(of=("self",)).select_related("game")
    found = row.filter(pk=info.id, deleted_at=None).first()
    if found is None:
        raise NotFound("There is no such webhook.")
    return found


def _lock_studio(studio_id: int) -> None:
    """Let everybody else who counts a studio's endpoints wait until commit."""
    list(Endpoint.objects.select_for_update().filter(studio_id=studio_id, deleted_at=None).order_by("pk"))


def _note(action: str, row: Endpoint, *, actor: str, at: datetime, details: dict[str, Any]) -> None:
    audit.record(
        studio_id=row.studio_id,
        actor=actor,
        action=action,
        kind="webhook",
        object_id=row.uuid,
        reason="",
        at=at,
        details=details,
    )
