"""The parts of a game's file of definitions that rooms downstream read and write.

The room that takes such files knows none of the others: a setting names each by its part of the file (ADR 0013).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Generic, Protocol, TypeVar

from django.conf import settings
from django.utils.module_loading import import_string

from core.refusals import Refused, pointer
from core.texts import KEY_LENGTH, quoted

Info = TypeVar("Info")


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong in a part: the row from 1 (0: the part itself), the place in it (RFC 6901), and what to do."""

    row: int
    pointer: str
    detail: str


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one definition: field → (what it was, what it is); a new one was None."""

    key: str
    is_new: bool
    fields: Mapping[str, tuple[object, object]]


@dataclass(frozen=True, slots=True)
class Stored:
    """What storing a part did; with anything wrong the caller takes it back."""

    changes: tuple[Change, ...] = ()
    unchanged: tuple[str, ...] = ()
    wrong: tuple[Wrong, ...] = ()


class Store(Protocol):
    """Stores the rows of a part, as JSON gives them (numbers exact), inside the caller's transaction.

    What is wrong in any of them is returned, all of it, never raised.
    """

    def __call__(self, game_id: int, rows: Sequence[object], *, at: datetime) -> Stored:
        """Store them."""


@dataclass(frozen=True)
class Section:
    """A part of the file: how its rows are stored, and how a game's are read so that they store again unchanged."""

    store: Store
    rows: Callable[[int], list[dict[str, Any]]]


@cache
def sections() -> dict[str, Section]:
    """Return every part by its name in the file."""
    return {name: import_string(path) for name, path in settings.DEFINITION_SECTIONS.items()}


@dataclass(frozen=True)
class Kind(Generic[Info]):
    """What a room tells of its definitions, so that the rows of its part are stored as all are.

    Attributes:
        noun: what one is called.
        most: how many a game may have.
        fields: the names that can be set, but for the key.
        told: the names that the API tells and nobody sets.
        clean_key: returns the key; raises ValueError.
        values: what can be set, as the API shows it.

    """

    noun: str
    most: int
    fields: Iterable[str]
    told: Sequence[str]
    clean_key: Callable[[object], str]
    values: Callable[[Info], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class _Row:
    """A row whose key can be: where it stands, and the fields that are known, as they were sent."""

    number: int
    key: str
    values: Mapping[str, object]


def store_rows(
    kind: Kind[Info],
    rows: Sequence[object],
    *,
    present: Callable[[Iterable[str]], Mapping[str, Info]],
    create: Callable[[Mapping[str, Any]], Info],
    update: Callable[[str, Mapping[str, Any]], Info],
) -> Stored:
    """Create and change definitions by the services of the API, inside the caller's transaction.

    What a row leaves unsaid stays, and so does what has no row. `present` locks and returns those that are there.
    """
    if len(rows) > kind.most:
        return Stored(wrong=(Wrong(0, "", f"A game has at most {kind.most} {kind.noun}s."),))
    read, wrong = _read(kind, rows)
    before = present(row.key for row in read)
    changes: list[Change] = []
    unchanged: list[str] = []
    for row in read:
        old = before.get(row.key)
        try:
            new = create({**row.values, "key": row.key}) if old is None else update(row.key, row.values)
        except Refused as refused:
            wrong += _refusals(row, refused)
            continue
        fields = _changed(kind, old, new, said=row.values)
        if old is None or fields:
            changes.append(Change(row.key, old is None, fields))
        else:
            unchanged.append(row.key)
    return Stored(tuple(changes), tuple(unchanged), tuple(sorted(wrong, key=lambda one: one.row)))


def _read(kind: Kind[Any], rows: Sequence[object]) -> tuple[list[_Row], list[Wrong]]:
    read: dict[str, _Row] = {}
    wrong: list[Wrong] = []
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping):
            wrong.append(Wrong(number, "", f"The row is not an object: give each {kind.noun} as {{…}}."))
            continue
        wrong += _unknown(kind, number, row)
        try:
            key = kind.clean_key(row.get("key"))
        except ValueError as error:
            wrong.append(Wrong(number, "/key", str(error)))
            continue
        if key in read:
            first = read[key].number
            detail = f"The key {quoted(key)} stands in row {first} too: give each key once."
            wrong.append(Wrong(number, "/key", detail))
            continue
        read[key] = _Row(number, key, {name: row[name] for name in kind.fields if name in row})
    return list(read.values()), wrong


def _unknown(kind: Kind[Any], number: int, row: Mapping[str, object]) -> Iterator[Wrong]:
    for name in sorted(row.keys() - {*kind.fields, "key"}):
        why = "is told, not set" if name in kind.told else "is not known"
        # Half a character, say, has no place in an answer.
        at = pointer(name) if name.isprintable() and len(name) <= KEY_LENGTH else ""
        yield Wrong(number, at, f"The field {quoted(name)} {why}: take it out.")


def _refusals(row: _Row, refused: Refused) -> Iterator[Wrong]:
    # What is refused without naming a value is refused for the key: taken, the platform's own, one too many.
    for error in refused.errors or [{"pointer": "/key", "detail": refused.detail}]:
        yield Wrong(row.number, error["pointer"], f"{quoted(row.key)}: {error['detail']}")


def _changed(
    kind: Kind[Info], old: Info | None, new: Info, *, said: Iterable[str]
) -> dict[str, tuple[object, object]]:
    after = kind.values(new)
    if old is None:
        return {name: (None, after[name]) for name in said}
    before = kind.values(old)
    return {name: (before[name], value) for name, value in after.items() if before[name] != value}
