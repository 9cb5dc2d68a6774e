"""What accounts keeps as text, and finding a person in it: the request log, ids in the fact log, the admin's log."""

from django.contrib.admin.models import LogEntry
from django.db.models import Q

from accounts.calls.models import Call
from accounts.erasure.asking import take_access
from core.db import array_literal, run_prepared
from core.persons import Person, Taken, patterns

_IDS_MOVED = """
WITH said AS (
    UPDATE core_fact
       SET payload = jsonb_build_object('gone', NULL, 'player', payload -> 'player', 'ids', '[]'::jsonb)::json
     WHERE studio_id = $2 AND kind = 'ids_moved' AND (payload ->> 'player')::bigint = ANY($1::bigint[])
       AND json_array_length(payload -> 'ids') > 0 RETURNING 1
) SELECT count(*) FROM said
"""
_AT_ONCE = 500


def finish(person: Person) -> Taken:
    """Take a person out of what accounts notes, inside the caller's transaction."""
    return Taken(take_access(person) + _leave_log(person) + _leave_calls(person) + _leave_admin(person))


def _leave_log(person: Person) -> int:
    found: int = run_prepared(_IDS_MOVED, [array_literal(person.player_ids), person.studio_id])[0][0]
    return found


def _leave_calls(person: Person) -> int:
    """Delete the calls that name him: he is a part of a path, or a string in a body or in what was answered."""
    listed = patterns({*person.marks, *(f"/{name}" for name in person.ids)})
    calls = Call.objects.filter(studio_id=person.studio_id).extra(
        where=["concat_ws(' ', path, body, errors, detail) LIKE ANY(%s::text[])"], params=[listed]
    )
    found = [
        pk
        for pk, path, *rest in calls.values_list("pk", "path", "body", "errors", "detail").iterator(_AT_ONCE)
        if _is_in_path(person, path) or person.is_meant_by("\n".join(rest))
    ]
    return Call.objects.filter(pk__in=found).delete()[0] if found else 0


def _is_in_path(person: Person, path: str) -> bool:
    return any(name in path.split("/") for one in person.ids for name in (one, f"id:{one}"))


def _leave_admin(person: Person) -> int:
    """Delete what the admin noted of him: it calls him by his name."""
    ours = LogEntry.objects.filter(content_type__app_label="accounts")
    if not person.is_whole:
        return ours.filter(object_repr__in=person.external_ids).delete()[0]
    ids = [str(pk) for pk in person.player_ids]
    of_him = Q(content_type__model="player", object_id__in=ids) | Q(object_repr__in=person.names)
    return ours.filter(of_him).delete()[0]
