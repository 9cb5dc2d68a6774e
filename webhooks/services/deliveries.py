"""Every write of deliveries but for attempts: tests, redelivery, and what is kept how long."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from core import shifts
from core.clock import rfc3339
from core.db import array_literal, run_prepared
from core.ids import new_id
from core.refusals import Conflict, NotFound
from webhooks import announcing, queue
from webhooks.models import Delivery, Endpoint
from webhooks.queue import Message
from webhooks.selectors import DeliveryInfo, EndpointInfo

SUCCEEDED_KEPT = timedelta(days=3)
OTHERS_KEPT = timedelta(days=30)
MOST_REDELIVERED = 100_000
_AT_ONCE = 5_000  # rows: a long transaction would hold every follower back


def send_test(info: EndpointInfo, *, at: datetime) -> UUID:
    """Queue a test message, and return its id. Raises Conflict for an endpoint that is disabled."""
    _require_enabled(info)
    uuid = new_id()
    data = {"webhook_id": str(info.uuid), "message": "This is a test of your webhook."}
    payload = announcing.envelope(announcing.TEST, at=rfc3339(at), data=data)
    with transaction.atomic():
        queue.add([Message(info.id, uuid, announcing.TEST, payload, at)])
    return uuid


def redeliver(info: EndpointInfo, delivery: DeliveryInfo) -> None:
    """Send a delivery again, under the same id, at once and with the whole schedule before it.

    Raises:
        Conflict: the endpoint is disabled.
        NotFound: the delivery is kept no more.

    """
    _require_enabled(info)
    if not _requeue(info.id, [delivery.id]):
        raise NotFound("There is no such delivery.")


def redeliver_range(info: EndpointInfo, *, since: datetime, until: datetime, states: Sequence[str]) -> int:
    """Send again what was recorded in a time (its end not included); return how many deliveries.

    Raises:
        Conflict: the endpoint is disabled, or they are more than MOST_REDELIVERED.

    """
    _require_enabled(info)
    found = Delivery.objects.filter(
        endpoint_id=info.id, created_at__gte=since, created_at__lt=until, state__in=states
    )
    if found[: MOST_REDELIVERED + 1].count() > MOST_REDELIVERED:
        raise Conflict(f"More than {MOST_REDELIVERED:,} deliveries lie in that time: choose a shorter one.")
    done = after = 0
    while batch := list(found.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:_AT_ONCE]):
        done += _requeue(info.id, batch)
        after = batch[-1]
    return done


_AGAIN = """
WITH again AS (
    UPDATE webhooks_delivery SET state = 'pending', failures = 0, next_attempt_at = now()
     WHERE endpoint_id = $1 AND id = ANY($2::bigint[]) RETURNING 1
) SELECT count(*) FROM again
"""


def _requeue(endpoint_id: int, ids: Sequence[int]) -> int:
    """Let deliveries be due now; return how many are still there."""
    count: int = run_prepared(_AGAIN, [endpoint_id, array_literal(ids)])[0][0]
    return count


def _require_enabled(info: EndpointInfo) -> None:
    if info.disabled:
        raise Conflict("This webhook is disabled: enable it first.")


_PARK = """
WITH waiting AS (
    SELECT id FROM webhooks_delivery WHERE endpoint_id = $1 AND state = 'pending'
       AND ($3 OR EXISTS (SELECT FROM webhooks_endpoint WHERE id = $1 AND disabled <> ''))
     ORDER BY next_attempt_at LIMIT $2 FOR UPDATE SKIP LOCKED
), parked AS (
    UPDATE webhooks_delivery d SET state = 'parked', next_attempt_at = NULL FROM waiting WHERE d.id = waiting.id
    RETURNING 1
) SELECT count(*) FROM parked
"""


def park_waiting(endpoint_id: int, *, of_any: bool = False) -> int:
    """Park what waits for an endpoint, for as long as it is disabled or `of_any`; return how many deliveries.

    In short transactions: it may be enabled, and asked for what it missed, between two of them.
    """
    parked = 0
    while not shifts.is_over() and (count := run_prepared(_PARK, [endpoint_id, _AT_ONCE, of_any])[0][0]):
        parked += count
    return parked


def park_everything() -> int:
    """Park all that waits; return how many deliveries. Studios ask for it by a range of time, if they want it."""
    every = Endpoint.objects.order_by("pk").values_list("pk", flat=True)
    return sum(park_waiting(pk, of_any=True) for pk in every)


# Attempts go with their delivery.
_FORGET = """
WITH old AS (
    SELECT id FROM webhooks_delivery WHERE {which} LIMIT $2
), tried AS (
    DELETE FROM webhooks_attempt WHERE delivery_id IN (SELECT id FROM old)
), gone AS (
    DELETE FROM webhooks_delivery WHERE id IN (SELECT id FROM old) RETURNING 1
) SELECT count(*) FROM gone
"""
_OLD_SUCCEEDED = "created_at < $1 AND state = 'succeeded'"
_OLD_PARKED = "created_at < $1 AND state = 'parked'"


def keep(*, now: datetime) -> int:
    """Delete what is kept no longer, in short transactions; return how many deliveries."""
    deleted = 0
    for which, kept in ((_OLD_SUCCEEDED, SUCCEEDED_KEPT), (_OLD_PARKED, OTHERS_KEPT)):
        while not shifts.is_over() and (
            count := run_prepared(_FORGET.format(which=which), [now - kept, _AT_ONCE])[0][0]
        ):
            deleted += count
    return deleted


_OF_DELETED = """
WITH old AS (
    SELECT d.id FROM webhooks_endpoint e
     CROSS JOIN LATERAL (SELECT id FROM webhooks_delivery WHERE endpoint_id = e.id ORDER BY id DESC LIMIT $1) AS d
     WHERE e.deleted_at IS NOT NULL LIMIT $1
), tried AS (
    DELETE FROM webhooks_attempt WHERE delivery_id IN (SELECT id FROM old)
), gone AS (
    DELETE FROM webhooks_delivery WHERE id IN (SELECT id FROM old) RETURNING 1
) SELECT count(*) FROM gone
"""
_DISABLED = "SELECT id FROM webhooks_endpoint WHERE disabled <> '' AND deleted_at IS NULL"
_DELETE_EMPTY = """
DELETE FROM webhooks_endpoint e WHERE deleted_at < $1
   AND NOT EXISTS (SELECT FROM webhooks_delivery d WHERE d.endpoint_id = e.id)
"""
_LONGER_THAN_A_READ = timedelta(minutes=10)  # a follower may have looked the endpoint up just before


def tidy(*, now: datetime) -> None:
    """Park what waits for disabled endpoints, and remove deleted ones with all that was theirs."""
    for (endpoint_id,) in run_prepared(_DISABLED, []):
        park_waiting(endpoint_id)
    while not shifts.is_over() and run_prepared(_OF_DELETED, [_AT_ONCE])[0][0]:
        pass
    run_prepared(_DELETE_EMPTY, [now - _LONGER_THAN_A_READ])
