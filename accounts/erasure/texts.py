"""What accounts keeps, and finding a person in it: the request log, ids in the fact log, the admin's log, pictures."""

from collections.abc import Sequence
from functools import partial

from django.contrib.admin.models import LogEntry
from django.db.models import Q

from accounts import avatars
from accounts.calls.models import Call
from accounts.erasure.asking import take_access
from accounts.models import Avatar
from core.db import array_literal, run_prepared
from core.persons import Person, Taken, Takes, patterns

Facts = Sequence[tuple[str, int]]  # their transactions and ids
_IDS_MOVED = """
SELECT tx::text, id FROM core_fact
 WHERE studio_id = $2 AND kind = 'ids_moved' AND (payload ->> 'player')::bigint = ANY($1::bigint[])
   AND json_array_length(payload -> 'ids') > 0
"""
_LEAVE_IDS = """
UPDATE core_fact f
   SET payload = jsonb_build_object('gone', NULL, 'player', payload -> 'player', 'ids', '[]'::jsonb)::json
  FROM unnest($1::xid8[], $2::bigint[]) AS w (tx, id) WHERE f.tx = w.tx AND f.id = w.id
"""
_AT_ONCE = 500


def look(person: Person) -> Takes:
    """Look for a person in what accounts notes."""
    pictures = avatars.of(person.player_ids) if person.is_whole else []
    return partial(_take_out, person, pictures, _in_log(person), _calls(person), _in_admin(person))


def _take_out(
    person: Person, pictures: Sequence[Avatar], facts: Facts, calls: Sequence[int], noted: Sequence[int]
) -> Taken:
    """Take out what was found; files first, while the transaction holds no listener back. Raises Unavailable."""
    rows = avatars.remove(pictures) + take_access(person)
    if facts:
        transactions, ids = zip(*facts, strict=True)
        run_prepared(_LEAVE_IDS, [array_literal(transactions), array_literal(ids)])
    if calls:
        Call.objects.filter(studio_id=person.studio_id, pk__in=calls).delete()
    LogEntry.objects.filter(pk__in=noted).delete()
    return Taken(rows + len(facts) + len(calls) + len(noted))


def _in_log(person: Person) -> Facts:
    """Return the facts that tell what he was called."""
    return run_prepared(_IDS_MOVED, [array_literal(person.player_ids), person.studio_id])


def _calls(person: Person) -> list[int]:
    """Return the calls that name him: he is a part of a path, or a string in a body or in what was answered."""
    listed = patterns({*person.marks, *(f"/{name}" for name in person.ids)})
    calls = Call.objects.filter(studio_id=person.studio_id).extra(
        where=["concat_ws(' ', path, body, errors, detail) LIKE ANY(%s::text[])"], params=[listed]
    )
    return [
        pk
        for pk, path, *rest in calls.values_list("pk", "path", "body", "errors", "detail").iterator(_AT_ONCE)
        if _is_in_path(person, path) or person.is_meant_by("\n".join(rest))
    ]


def _is_in_path(person: Person, path: str) -> bool:
    return any(name in path.split("/") for one in person.ids for name in (one, f"id:{one}"))


def _in_admin(person: Person) -> list[int]:
    """Return what the admin noted of him: it calls him by his name."""
    of_him = Q(object_repr__in=person.names if person.is_whole else person.external_ids)
    if person.is_whole:
        ids = [str(pk) for pk in person.player_ids]
        of_him |= Q(content_type__model="player", object_id__in=ids)
    ours = LogEntry.objects.filter(of_him, content_type__app_label="accounts")
    return list(ours.values_list("pk", flat=True))
