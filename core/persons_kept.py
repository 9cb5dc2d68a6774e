"""Taking a person out of what the ground floor keeps as text: the log, its letters, answers, files, the audit log."""

import re
import zlib
from collections.abc import Iterable

import orjson
from django.db.models import Q

from core import followers
from core.audit import erasing
from core.db import run_prepared, text_array_literal
from core.models import AuditEntry, DeadLetter, ExportJob, ExportPiece, Follower
from core.persons import ERASED, Person, Taken, patterns

_AT_ONCE = 500


def finish(person: Person) -> Taken:
    """Take a person out of answers, dead letters, errors, exports and the audit log, in the caller's transaction."""
    return Taken(
        _leave_answers(person)
        + _leave_letters(person)
        + _leave_errors(person)
        + _leave_exports(person)
        + _leave_audit(person)
    )


# Of a studio's own calls its ids name him; other callers know the platform's alone, which stays while he does. An
# answer that is gone is worked out anew if it is asked for again, which events that count once allow.
_ANSWERS = """
WITH gone AS (
    DELETE FROM core_idempotencykey k
     WHERE EXISTS (SELECT FROM unnest($1::text[]) AS w (name) WHERE position(convert_to(w.name, 'UTF8') IN k.body) > 0)
        OR k.caller LIKE ANY($4::text[])
        OR (k.caller = $3 AND EXISTS (SELECT FROM unnest($2::text[]) AS w (name)
                                       WHERE position(convert_to(w.name, 'UTF8') IN k.body) > 0)) RETURNING 1
) SELECT count(*) FROM gone
"""


def _leave_answers(person: Person) -> int:
    found: int = run_prepared(
        _ANSWERS,
        [
            text_array_literal(person.uuid_strings if person.is_whole else []),
            text_array_literal([*person.strings, *person.told]),
            f"studio:{person.studio_id}",
            text_array_literal(f"player:{pk}:%" for pk in person.player_ids if person.is_whole),
        ],
    )[0][0]
    return found + _leave_keys_of_answers(person)


_KEYS = """
SELECT caller, key FROM core_idempotencykey
 WHERE (caller = $1 AND key ILIKE ANY($2::text[])) OR key ILIKE ANY($3::text[])
"""
_LEAVE_KEY = """
WITH gone AS (DELETE FROM core_idempotencykey WHERE caller = $1 AND key = $2 RETURNING 1) SELECT count(*) FROM gone
"""


def _leave_keys_of_answers(person: Person) -> int:
    """Take away answers under keys that callers made of his ids, as `unlock-p-1-first-blood`; of others' ids none."""
    everywhere = person.uuids if person.is_whole else ()
    sent = [f"studio:{person.studio_id}", patterns(person.telling), patterns(everywhere)]
    named = [(caller, key) for caller, key in run_prepared(_KEYS, sent) if person.is_named_in(key)]
    return sum(run_prepared(_LEAVE_KEY, [caller, key])[0][0] for caller, key in named)


def _leave_letters(person: Person) -> int:
    """Take him out of facts that nobody could take, and of what was said when they were not."""
    count = 0
    for letter in DeadLetter.objects.filter(Q(studio_id=person.studio_id) | Q(studio_id=None)):
        payload = person.without_him(letter.payload)
        error = ERASED if person.is_named_in(letter.error) else letter.error
        if (payload, error) != (letter.payload, letter.error):
            count += DeadLetter.objects.filter(pk=letter.pk).update(payload=payload, error=error)
    return count


def _leave_errors(person: Person) -> int:
    """Take him out of what listeners said when they failed; that they failed stays."""
    named = [row.name for row in Follower.objects.exclude(error="") if person.is_named_in(row.error)]
    for name in named:
        followers.forget_error(name, instead=ERASED)
    return len(named)


def _leave_exports(person: Person) -> int:
    """Delete the studio's files that name him; another one can be made at once."""
    if not person.ids:  # who was erased before: nothing is known any more that could be found
        return 0
    count = 0
    for job in ExportJob.objects.filter(studio_id=person.studio_id):
        pieces = ExportPiece.objects.filter(job_id=job.pk).order_by("number").iterator(chunk_size=1)
        if not _names_him(person, (bytes(piece.packed) for piece in pieces)):
            continue
        ExportPiece.objects.filter(job_id=job.pk).delete()
        count += ExportJob.objects.filter(pk=job.pk).delete()[0]
    return count


def _names_him(person: Person, pieces: Iterable[bytes]) -> bool:
    texts = (zlib.decompress(packed).decode(errors="replace") for packed in pieces)
    short = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in person.ids))
    return any(short.search(text) is not None or person.is_named_in(text) for text in texts)


def _leave_audit(person: Person) -> int:
    """Take out of the studio's audit log whom and what it was about, where that names him; the chain holds."""
    count = sum(erasing.erase_content(studio_id=person.studio_id, object_id=uuid) for uuid in person.uuids)
    for uuid in person.uuids:
        count += erasing.erase_actor(studio_id=person.studio_id, actor=f"player:{uuid}")
    entries = AuditEntry.objects.filter(studio_id=person.studio_id).exclude(object_id=ERASED)
    for entry in entries.only("pk", "reason", "details", "object_id").iterator(chunk_size=_AT_ONCE):
        # By his ids alone: a player who calls himself by an everyday word must not blank what others did.
        if person.is_meant_by(f"{entry.object_id} {entry.reason} {orjson.dumps(entry.details).decode()}"):
            count += erasing.erase_entry(studio_id=person.studio_id, entry_id=entry.pk)
    return count
