"""A person is erased: what was sent of him, or is still to be sent, goes (ADR 0047)."""

from collections.abc import Sequence
from functools import partial

import orjson

from core.db import array_literal, run_prepared
from core.persons import ERASED, Person, Taken, Takes, patterns
from webhooks import announcing
from webhooks.models import Attempt, Delivery

# His studio's endpoints know him by its ids, all others by the platform's.
_FIND = """
SELECT d.id, d.event FROM webhooks_delivery d JOIN webhooks_endpoint e ON e.id = d.endpoint_id
 WHERE (e.studio_id = $1 AND d.payload LIKE ANY($2::text[])) OR ($4 AND d.payload LIKE ANY($3::text[]))
"""
# Receivers sometimes answer with what they were sent.
_ECHOES = """
SELECT a.id, a.response_body, a.error, a.response_headers
  FROM webhooks_attempt a LEFT JOIN webhooks_delivery d ON d.id = a.delivery_id
  LEFT JOIN webhooks_endpoint e ON e.id = d.endpoint_id
 WHERE (e.studio_id = $1 OR d.id IS NULL)
   AND (a.response_body LIKE ANY($2::text[]) OR a.response_headers LIKE ANY($2::text[]) OR a.error LIKE ANY($2::text[]))
"""


def look(person: Person) -> Takes:
    """Look for messages about a person, and for what receivers answered of him."""
    found = run_prepared(
        _FIND,
        [person.studio_id, patterns(person.strings), patterns(person.uuid_strings), person.is_whole],
    )
    ended = [pk for pk, event in found if event == announcing.PERIOD_ENDED]
    gone = [pk for pk, event in found if event != announcing.PERIOD_ENDED]
    return partial(_take_out, person, ended, gone, _echoes(person))


def _echoes(person: Person) -> list[int]:
    rows = run_prepared(_ECHOES, [person.studio_id, patterns(person.marks)])
    return [pk for pk, *texts in rows if person.is_named_in("\n".join(texts))]


def _take_out(person: Person, ended: Sequence[int], gone: Sequence[int], echoes: Sequence[int]) -> Taken:
    """Delete messages about a person with their attempts; of a period's end he leaves the list of the first."""
    # Locked and read again: another erasure may take somebody else out of the same message.
    for row in Delivery.objects.select_for_update().filter(pk__in=ended).order_by("pk"):
        told = orjson.dumps(person.without_him(orjson.loads(row.payload))).decode()
        Delivery.objects.filter(pk=row.pk).update(payload=told)
    if gone:
        # Whoever notes an attempt of one of these holds it: afterwards that attempt is there to be deleted.
        list(Delivery.objects.select_for_update().filter(pk__in=gone).order_by("pk").values_list("pk"))
        run_prepared(
            "DELETE FROM webhooks_attempt WHERE delivery_id = ANY($1::bigint[])", [array_literal(gone)]
        )
        Delivery.objects.filter(pk__in=gone).delete()
    for attempt in Attempt.objects.filter(pk__in=echoes).only("error"):
        Attempt.objects.filter(pk=attempt.pk).update(
            response_body=ERASED, response_headers="{}", error=ERASED if attempt.error else ""
        )
    return Taken(len(ended) + len(gone) + len(echoes))
