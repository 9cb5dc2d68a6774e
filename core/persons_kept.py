"""Taking a person out of what the ground floor keeps as text: dead letters, errors, answers, files, the audit log."""

import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from typing import TypeVar

import orjson
from django.db.models import Model, Q, QuerySet

from core import followers
from core.audit import erasing
from core.db import run_prepared, text_array_literal
from core.models import AuditEntry, DeadLetter, ExportJob, ExportPiece, Follower
from core.persons import ERASED, Person, Taken, Takes, as_words, patterns

_AT_ONCE = 500
_Row = TypeVar("_Row", bound=Model)
_Keys = Sequence[tuple[str, str]]  # callers and what they called their requests


def look(person: Person) -> Takes:
    """Look for a person in answers, dead letters, exports and the audit log; and in errors, which are few."""
    return partial(
        _take_out,
        person,
        answers=_answers(person),
        letters=_letters(person),
        exports=_exports(person),
        entries=_entries(person),
    )


def _take_out(
    person: Person, *, answers: _Keys, letters: Sequence[int], exports: Sequence[int], entries: Sequence[int]
) -> Taken:
    return Taken(
        _leave_answers(answers)
        + _leave_letters(person, letters)
        + _leave_errors(person)
        + _leave_exports(exports)
        + _leave_audit(person, entries)
    )


def _by_pages(rows: QuerySet[_Row]) -> Iterator[_Row]:
    """Yield rows in the order of their ids, some at a time in memory: without a cursor Django would load them all."""
    last = 0
    while page := list(rows.filter(pk__gt=last).order_by("pk")[:_AT_ONCE]):
        yield from page
        last = page[-1].pk


# Of a studio's own calls its ids name him; other callers know the platform's alone, which stays while he does. An
# answer that is gone is worked out anew if it is asked for again, which events that count once allow.
_ANSWERS = """
SELECT k.caller, k.key FROM core_idempotencykey k
 WHERE EXISTS (SELECT FROM unnest($1::text[]) AS w (name) WHERE position(convert_to(w.name, 'UTF8') IN k.body) > 0)
    OR k.caller LIKE ANY($4::text[])
    OR (k.caller = $3 AND EXISTS (SELECT FROM unnest($2::text[]) AS w (name)
                                   WHERE position(convert_to(w.name, 'UTF8') IN k.body) > 0))
"""
_KEYS = """
SELECT caller, key FROM core_idempotencykey
 WHERE (caller = $1 AND key ILIKE ANY($2::text[])) OR key ILIKE ANY($3::text[])
"""
_LEAVE_ANSWERS = """
DELETE FROM core_idempotencykey k USING unnest($1::text[], $2::text[]) AS w (caller, key)
 WHERE k.caller = w.caller AND k.key = w.key
"""


def _answers(person: Person) -> _Keys:
    """Return answers that name him, and those under keys that callers made of his ids, as `unlock-p-1-first-blood`."""
    naming = [
        text_array_literal(person.uuid_strings if person.is_whole else []),
        text_array_literal([*person.strings, *person.told]),
        f"studio:{person.studio_id}",
        text_array_literal(f"player:{pk}:%" for pk in person.player_ids if person.is_whole),
    ]
    everywhere = person.uuids if person.is_whole else ()
    sent = [f"studio:{person.studio_id}", patterns(person.telling), patterns(everywhere)]
    under = ((caller, key) for caller, key in run_prepared(_KEYS, sent) if person.is_named_in(key))
    return sorted({*((caller, key) for caller, key in run_prepared(_ANSWERS, naming)), *under})


def _leave_answers(answers: _Keys) -> int:
    if answers:
        run_prepared(_LEAVE_ANSWERS, [text_array_literal(column) for column in zip(*answers, strict=True)])
    return len(answers)


def _letters(person: Person) -> list[int]:
    """Return facts that nobody could take which name him, or where that is said of why not."""
    rows = DeadLetter.objects.filter(Q(studio_id=person.studio_id) | Q(studio_id=None))
    return [row.pk for row in _by_pages(rows) if _without(person, row) != (row.payload, row.error)]


def _leave_letters(person: Person, letters: Sequence[int]) -> int:
    # Locked and read again: another erasure may take somebody else out of the same letter.
    for row in DeadLetter.objects.select_for_update().filter(pk__in=letters).order_by("pk"):
        payload, error = _without(person, row)
        DeadLetter.objects.filter(pk=row.pk).update(payload=payload, error=error)
    return len(letters)


def _without(person: Person, letter: DeadLetter) -> tuple[object, str]:
    error = ERASED if person.is_named_in(letter.error) else letter.error
    return person.without_him(letter.payload), error


def _leave_errors(person: Person) -> int:
    """Take him out of what listeners said when they failed; that they failed stays."""
    named = [row.name for row in Follower.objects.exclude(error="") if person.is_named_in(row.error)]
    for name in named:
        followers.forget_error(name, instead=ERASED)
    return len(named)


def _exports(person: Person) -> list[int]:
    """Return the studio's files that name him."""
    if not person.ids:  # who was erased before: nothing is known any more that could be found
        return []
    jobs = ExportJob.objects.filter(studio_id=person.studio_id).values_list("pk", flat=True)
    return [pk for pk in jobs if _names_him(person, _pieces(pk))]


def _leave_exports(exports: Sequence[int]) -> int:
    """Delete files; other ones can be made at once."""
    ExportPiece.objects.filter(job_id__in=exports).delete()
    ExportJob.objects.filter(pk__in=exports).delete()
    return len(exports)


def _pieces(job_id: int) -> Iterator[bytes]:
    """Yield the pieces of a file, one at a time in memory."""
    pieces = ExportPiece.objects.filter(job_id=job_id)
    for number in list(pieces.order_by("number").values_list("number", flat=True)):
        packed = pieces.filter(number=number).values_list("packed", flat=True).first()
        if packed is not None:  # it was over meanwhile
            yield bytes(packed)


def _names_him(person: Person, pieces: Iterable[bytes]) -> bool:
    texts = (zlib.decompress(packed).decode(errors="replace") for packed in pieces)
    short = as_words(person.ids)
    return any(short.search(text) is not None or person.is_named_in(text) for text in texts)


def _entries(person: Person) -> list[int]:
    """Return entries of the studio's audit log that are about something else and name him."""
    rows = AuditEntry.objects.filter(studio_id=person.studio_id).exclude(object_id=ERASED)
    # By his ids alone: a player who calls himself by an everyday word must not blank what others did.
    return [
        entry.pk
        for entry in _by_pages(rows.only("pk", "reason", "details", "object_id"))
        if person.is_meant_by(f"{entry.object_id} {entry.reason} {orjson.dumps(entry.details).decode()}")
    ]


def _leave_audit(person: Person, entries: Iterable[int]) -> int:
    """Take out of the studio's audit log whom and what it was about, where that names him; the chain holds."""
    of_studio = person.studio_id
    count = sum(erasing.erase_content(studio_id=of_studio, object_id=uuid) for uuid in person.uuids)
    count += sum(erasing.erase_actor(studio_id=of_studio, actor=f"player:{uuid}") for uuid in person.uuids)
    return count + sum(erasing.erase_entry(studio_id=of_studio, entry_id=pk) for pk in entries)
