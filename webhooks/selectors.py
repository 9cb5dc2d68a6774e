"""Who hears and who is sent to, and what a studio sees of its endpoints and deliveries."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from core import clock
from core.db import array_literal, run_prepared
from webhooks.models import Attempt, Delivery, Endpoint
from webhooks.rules import signing

# What happens is kept for an endpoint that is disabled, to be asked for later: so long.
KEPT_FOR_DISABLED = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Listener:
    """An endpoint, as the follower needs it."""

    id: int
    uuid: UUID
    game_id: int | None
    events: frozenset[str]
    is_disabled: bool

    def hears(self, event: str, game_id: int | None) -> bool:
        """Say whether an event of a game (of no game: None) is for it."""
        return event in self.events and (self.game_id is None or game_id is None or self.game_id == game_id)


@dataclass(frozen=True, slots=True)
class Receiver:
    """An endpoint, as the sender needs it."""

    studio_id: int
    url: str
    secret: bytes
    previous_secret: bytes | None
    previous_until: datetime | None

    def secrets_at(self, at: datetime) -> list[bytes]:
        """Return the secrets that sign at a time, the newest first."""
        is_rotating = self.previous_secret is not None and self.previous_until is not None
        if is_rotating and self.previous_until > at:  # type: ignore[operator]
            return [self.secret, self.previous_secret]  # type: ignore[list-item]
        return [self.secret]


@dataclass(frozen=True, slots=True)
class EndpointInfo:
    """An endpoint as its studio sees it; the secret is masked."""

    id: int
    uuid: UUID
    game_uuid: UUID | None
    url: str
    description: str
    events: tuple[str, ...]
    disabled: str
    disabled_at: datetime | None
    failing_since: datetime | None
    secret_hint: str
    previous_until: datetime | None
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class DeliveryInfo:
    """A delivery as its studio sees it."""

    id: int
    uuid: UUID
    event: str
    payload: str
    created_at: datetime
    state: str
    attempts: int
    next_attempt_at: datetime | None
    last_attempt_at: datetime | None
    last_status: int | None
    last_error: str

    @property
    def reason(self) -> str:
        """Return the sentence of `last_error`, without the word for programs before it."""
        return self.last_error.partition(": ")[2]


@dataclass(frozen=True, slots=True)
class AttemptInfo:
    """An attempt as its studio sees it."""

    number: int
    at: datetime
    duration_ms: int
    status: int | None
    error: str
    url: str
    request_headers: dict[str, str]
    response_headers: dict[str, str]
    response_body: str

    @property
    def reason(self) -> str:
        """Return the sentence of `error`, without the word for programs before it."""
        return self.error.partition(": ")[2]


_HEARS = f"""
    deleted_at IS NULL AND (disabled = '' OR disabled_at > now() - interval '{KEPT_FOR_DISABLED.days} days')
"""
LISTENING_STUDIOS = f"SELECT studio_id FROM webhooks_endpoint WHERE {_HEARS}"  # noqa: S608 - constants of ours
_LISTENERS = f"""
SELECT studio_id, id, uuid, game_id, events, disabled <> '' FROM webhooks_endpoint
 WHERE studio_id = ANY($1::bigint[]) AND {_HEARS} ORDER BY id
"""  # noqa: S608 - constants of ours


def listeners(studio_ids: Iterable[int]) -> dict[int, list[Listener]]:
    """Return the endpoints of studios, by studio; with those that were disabled a short while ago."""
    found: dict[int, list[Listener]] = {}
    wanted = array_literal(set(studio_ids))
    for studio, pk, uuid, game, events, is_disabled in run_prepared(_LISTENERS, [wanted]):
        found.setdefault(studio, []).append(Listener(pk, uuid, game, frozenset(events), is_disabled))
    return found


_RECEIVERS = """
SELECT id, studio_id, url, secret, previous_secret, previous_until FROM webhooks_endpoint
 WHERE disabled = '' AND deleted_at IS NULL
"""


def receivers() -> dict[int, Receiver]:
    """Return every endpoint that is sent to, by internal id."""
    return {
        pk: Receiver(studio, url, bytes(secret), None if previous is None else bytes(previous), until)
        for pk, studio, url, secret, previous, until in run_prepared(_RECEIVERS, [])
    }


def endpoint(studio_id: int, uuid: UUID, *, game_id: int | None = None) -> EndpointInfo | None:
    """Return a studio's endpoint; with `game_id` only one of that game."""
    row = _of(studio_id, game_id).filter(uuid=uuid).first()
    return None if row is None else info_of(row)


def endpoints(
    studio_id: int, *, game_id: int | None = None, after_id: int = 0, limit: int
) -> list[EndpointInfo]:
    """Return a page of a studio's endpoints, oldest first."""
    return [info_of(row) for row in _of(studio_id, game_id).filter(pk__gt=after_id).order_by("pk")[:limit]]


def _of(studio_id: int, game_id: int | None) -> Any:
    rows = Endpoint.objects.select_related("game").filter(studio_id=studio_id, deleted_at=None)
    return rows if game_id is None else rows.filter(game_id=game_id)


def info_of(row: Endpoint) -> EndpointInfo:
    """Return an endpoint as its studio sees it."""
    is_rotating = row.previous_until is not None and row.previous_until > clock.now()
    return EndpointInfo(
        id=row.pk,
        uuid=row.uuid,
        game_uuid=row.game.uuid if row.game else None,
        url=row.url,
        description=row.description,
        events=tuple(row.events),
        disabled=row.disabled,
        disabled_at=row.disabled_at,
        failing_since=row.failing_since,
        secret_hint=signing.masked(bytes(row.secret)),
        previous_until=row.previous_until if is_rotating else None,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )


def deliveries(
    endpoint_id: int,
    *,
    state: str | None = None,
    event: str | None = None,
    before_id: int | None = None,
    limit: int,
) -> list[DeliveryInfo]:
    """Return a page of an endpoint's deliveries, newest first."""
    rows = Delivery.objects.filter(endpoint_id=endpoint_id)
    if state is not None:
        rows = rows.filter(state=state)
    if event is not None:
        rows = rows.filter(event=event)
    if before_id is not None:
        rows = rows.filter(pk__lt=before_id)
    return [_delivery(row) for row in rows.order_by("-pk")[:limit]]


def delivery(endpoint_id: int, uuid: UUID) -> DeliveryInfo | None:
    """Return one delivery of an endpoint."""
    row = Delivery.objects.filter(endpoint_id=endpoint_id, uuid=uuid).first()
    return None if row is None else _delivery(row)


def attempts(delivery_id: int, *, limit: int = 50) -> list[AttemptInfo]:
    """Return a delivery's attempts, the newest first."""
    rows = Attempt.objects.filter(delivery_id=delivery_id).order_by("-number", "-pk")[:limit]
    return [
        AttemptInfo(
            number=row.number,
            at=row.at,
            duration_ms=row.duration_ms,
            status=row.status,
            error=row.error,
            url=row.url,
            request_headers=orjson.loads(row.request_headers),
            response_headers=orjson.loads(row.response_headers),
            response_body=row.response_body,
        )
        for row in rows
    ]


def _delivery(row: Delivery) -> DeliveryInfo:
    return DeliveryInfo(
        id=row.pk,
        uuid=row.uuid,
        event=row.event,
        payload=row.payload,
        created_at=row.created_at,
        state=row.state,
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at,
        last_attempt_at=row.last_attempt_at,
        last_status=row.last_status,
        last_error=row.last_error,
    )
