"""The `stats` of a game's file of definitions: stored by the rules and services of the API, and read out."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction

from accounts import selectors as accounts
from core.refusals import Refused, pointer
from core.sections import Change, Section, Stored, Wrong
from core.texts import KEY_LENGTH, quoted
from stats.models import Stat
from stats.rules import definitions as rules
from stats.rules.values import to_number
from stats.selectors import definitions
from stats.selectors.definitions import StatInfo
from stats.services import definitions as services

_TOLD: Final = ("created_at", "updated_at")  # by the API; nobody sets them


@dataclass(frozen=True, slots=True)
class _Row:
    """A row whose key can be: where it stands, and the fields that stats have, as they were sent."""

    number: int
    key: str
    values: Mapping[str, object]


def store(game_id: int, rows: Sequence[object], *, at: datetime) -> Stored:
    """Create and change a game's stats, inside the caller's transaction; the wrong rows are returned.

    What a row leaves unsaid stays, and so does a stat that has no row.
    """
    if len(rows) > services.MOST_STATS:
        return Stored(wrong=(Wrong(0, "", f"A game has at most {services.MOST_STATS} stats."),))
    game = accounts.games_by_id([game_id])[game_id]
    read, wrong = _read(rows)
    before = _locked(game_id, (row.key for row in read))
    changes: list[Change] = []
    unchanged: list[str] = []
    for row in read:
        old = before.get(row.key)
        try:
            if old is None:
                new = services.create(game=game, values={**row.values, "key": row.key}, at=at)
            else:
                new = services.update(game=game, key=row.key, values=row.values, at=at)
        except Refused as refused:
            wrong += _refusals(row, refused)
            continue
        fields = _changed(old, new, said=row.values)
        if old is None or fields:
            changes.append(Change(row.key, old is None, fields))
        else:
            unchanged.append(row.key)
    transaction.on_commit(definitions.forget)  # until then others may have kept what was before
    return Stored(tuple(changes), tuple(unchanged), tuple(sorted(wrong, key=lambda one: one.row)))


def rows(game_id: int) -> list[dict[str, Any]]:
    """Return a game's stats, oldest first, with what can be set only: they store again unchanged."""
    return [{"key": info.key, **_values(info)} for info in definitions.fresh_stats(game_id).values()]


SECTION: Final = Section(store=store, rows=rows)


def _read(rows: Sequence[object]) -> tuple[list[_Row], list[Wrong]]:
    read: dict[str, _Row] = {}
    wrong: list[Wrong] = []
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, Mapping):
            wrong.append(Wrong(number, "", "The row is not an object: give each stat as {…}."))
            continue
        wrong += _unknown(number, row)
        try:
            key = rules.clean_key(row.get("key"))
        except ValueError as error:
            wrong.append(Wrong(number, "/key", str(error)))
            continue
        if key in read:
            first = read[key].number
            detail = f"The key {quoted(key)} stands in row {first} too: give each key once."
            wrong.append(Wrong(number, "/key", detail))
            continue
        read[key] = _Row(number, key, {name: row[name] for name in rules.CLEAN if name in row})
    return list(read.values()), wrong


def _unknown(number: int, row: Mapping[str, object]) -> Iterator[Wrong]:
    for name in sorted(row.keys() - {*rules.CLEAN, "key"}):
        why = "is told, not set" if name in _TOLD else "is not known"
        # Half a character, say, has no place in an answer.
        at = pointer(name) if name.isprintable() and len(name) <= KEY_LENGTH else ""
        yield Wrong(number, at, f"The field {quoted(name)} {why}: take it out.")


def _locked(game_id: int, keys: Iterable[str]) -> dict[str, StatInfo]:
    """Return the stats that are there already, locked: what is told of them is what is changed."""
    found = Stat.objects.select_for_update(no_key=True).filter(game_id=game_id, key__in=set(keys))
    return {row.key: definitions.info_of(row) for row in found.order_by("id")}


def _refusals(row: _Row, refused: Refused) -> Iterator[Wrong]:
    # What is refused without naming a value is refused for the key: taken, the platform's own, one too many.
    for error in refused.errors or [{"pointer": "/key", "detail": refused.detail}]:
        yield Wrong(row.number, error["pointer"], f"{quoted(row.key)}: {error['detail']}")


def _changed(old: StatInfo | None, new: StatInfo, *, said: Iterable[str]) -> dict[str, tuple[object, object]]:
    after = _values(new)
    if old is None:
        return {name: (None, after[name]) for name in said}
    before = _values(old)
    return {name: (before[name], value) for name, value in after.items() if before[name] != value}


def _values(info: StatInfo) -> dict[str, Any]:
    """Return what can be set, as the API shows it."""
    return {
        name: to_number(value) if isinstance(value, Decimal) else value
        for name, value in services.as_values(info).items()
    }
