"""The parts of a game's file of definitions that rooms downstream read and write.

The room that takes such files knows none of the others: a setting names each by its part of the file (ADR 0013).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string


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
