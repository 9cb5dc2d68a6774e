"""What becomes of deliveries and endpoints when an attempt has ended."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy

from accounts import selectors
from core import audit, clock, mail
from webhooks import queue
from webhooks.models import Disabled, Endpoint
from webhooks.queue import Done, Due
from webhooks.rules import schedule, targets

_GONE = 410
# Name servers that do not answer may be the platform's own trouble; a name that they say leads nowhere is not.
_NOT_THE_RECEIVERS = ("dns",)
# The log's words are English; a mail says the same in its reader's language.
_SAID = {
    Disabled.GONE: gettext_lazy("The endpoint answered 410: it wants nothing more."),
    Disabled.FAILING: format_lazy(
        gettext_lazy("Every attempt has failed for {days} days."), days=schedule.GIVEN_UP_AFTER.days
    ),
}
_WHY = {
    Disabled.GONE: "The endpoint answered 410: it wants nothing more.",
    Disabled.FAILING: f"Every attempt has failed for {schedule.GIVEN_UP_AFTER.days} days.",
}


def take(room: Iterable[tuple[int, int]], *, most: int) -> list[Due]:
    """Take what is due, for half a minute."""
    return queue.take(room, most=most)


def give_back(taken: Iterable[Due]) -> None:
    """Let others send what was taken and not begun."""
    queue.give_back(taken)


def note(done: Sequence[Done]) -> None:
    """Note attempts; an endpoint that answered 410, or has failed for five days, is disabled.

    What an address answers says nothing of an endpoint that has another one by now.
    """
    now = clock.now()
    with transaction.atomic():
        queue.note(done)
        addresses = dict(
            Endpoint.objects.filter(pk__in={each.due.endpoint_id for each in done}).values_list("pk", "url")
        )
        done = [each for each in done if addresses.get(each.due.endpoint_id) == each.url]
        succeeded = {each.due.endpoint_id for each in done if each.outcome.is_success}
        failed = {each.due.endpoint_id for each in done if _tells_against(each)} - succeeded
        gone = {each.due.endpoint_id for each in done if each.outcome.status == _GONE}
        living = Endpoint.objects.filter(disabled=Disabled.NO)
        living.filter(pk__in=succeeded).exclude(failing_since=None).update(failing_since=None)
        living.filter(pk__in=failed, failing_since=None).update(failing_since=now)
        _disable(gone, Disabled.GONE, at=now)
        given_up = living.filter(pk__in=failed, failing_since__lte=now - schedule.GIVEN_UP_AFTER)
        _disable(given_up.values_list("pk", flat=True), Disabled.FAILING, at=now)


def _tells_against(done: Done) -> bool:
    return not done.outcome.is_success and done.outcome.error.partition(":")[0] not in _NOT_THE_RECEIVERS


def _disable(pks: Iterable[int], why: Disabled, *, at: datetime) -> None:
    wanted = set(pks)
    if not wanted:
        return
    for endpoint in (
        Endpoint.objects.select_for_update().filter(pk__in=wanted, disabled=Disabled.NO).order_by("pk")
    ):
        endpoint.disabled, endpoint.disabled_at, endpoint.updated_at = why, at, at
        endpoint.save(update_fields=["disabled", "disabled_at", "updated_at"])
        audit.record(
            studio_id=endpoint.studio_id,
            actor="platform",
            action="webhook.disable",
            kind="webhook",
            object_id=endpoint.uuid,
            reason=_WHY[why],
            at=at,
        )
        _tell_owners(endpoint, _SAID[why])


def _tell_owners(endpoint: Endpoint, why: Promise) -> None:
    """Queue a mail to each of the studio's owners, in this transaction: a webhook is stopped once."""
    hook = {"studio": selectors.studio_uuid(endpoint.studio_id), "hook": endpoint.uuid}
    told = {
        "studio": selectors.studio_name(endpoint.studio_id),
        "address": targets.without_query(endpoint.url),
        "why": why,
        "url": settings.PUBLIC_URL + reverse("portal-webhook", kwargs=hook),
    }
    for address, language in selectors.owner_addresses(endpoint.studio_id):
        mail.send("portal/mail/webhook_stopped", to=address, language=language, told=told)
