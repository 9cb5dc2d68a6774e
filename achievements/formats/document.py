"""What a reader makes of a studio's file: definitions with some fields unsaid, and what is wrong by row."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import Enum
from typing import Final

from achievements import rules
from core.texts import clean_key, quoted

# Four times the largest game known (5,982 achievements); a file beyond it is a mistake or an attack.
MAX_ACHIEVEMENTS: Final = 20_000
# A person reads a few errors, corrects, and tries again: more would only make the answer large and slow.
MAX_ERRORS: Final = 100


class Absent(Enum):
    """The type of UNSET: the file says nothing about a field, so an existing definition keeps its value."""

    UNSET = "unset"

    def __repr__(self) -> str:
        return "UNSET"


UNSET: Final = Absent.UNSET


class Unreadable(ValueError):
    """The file as a whole can't be read; the message says why and what to do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportedAchievement:
    """A definition as a file gives it: clean values, or UNSET. `row` is where it stands, from 1."""

    row: int = field(compare=False)
    key: str
    name: str | Absent = UNSET
    description: str | Absent = UNSET
    points: int | Absent = UNSET
    type: str | Absent = UNSET
    target: int | Absent | None = UNSET
    stat: str | Absent | None = UNSET
    goal: Mapping[str, object] | Absent | None = UNSET
    requires: tuple[str, ...] | Absent = UNSET
    requires_count: int | Absent | None = UNSET
    hidden: bool | Absent = UNSET
    authority: str | Absent = UNSET
    state: str | Absent = UNSET
    group: str | Absent = UNSET
    sort_order: int | Absent = UNSET
    icon_url: str | Absent = UNSET
    icon_locked_url: str | Absent = UNSET
    available_from: datetime | Absent | None = UNSET
    available_until: datetime | Absent | None = UNSET
    translations: Mapping[str, Mapping[str, str]] | Absent = UNSET

    def values(self) -> dict[str, object]:
        """Return the fields that the file says something about, without the key."""
        said = ((name, getattr(self, name)) for name in FIELDS)
        return {name: value for name, value in said if value is not UNSET}


FIELDS: Final = tuple(f.name for f in fields(ImportedAchievement) if f.name not in ("row", "key"))
"""Every field of a definition but its key, in the order in which files list them."""


@dataclass(frozen=True, slots=True)
class RowError:
    """What is wrong in one row of a file, counted from 1; row 0 is the file as a whole.

    In a part of the file that another room keeps, rows are counted anew, and `pointer` (RFC 6901) says where it is.
    """

    row: int
    detail: str
    pointer: str = ""


@dataclass(frozen=True, slots=True)
class ImportedFile:
    """What a file holds. With any error nothing of it may be stored.

    `parts` are what other rooms read (core/sections.py): their rows by the part's name, as JSON gives them.
    """

    achievements: tuple[ImportedAchievement, ...] = ()
    errors: tuple[RowError, ...] = ()
    parts: Mapping[str, Sequence[object]] = field(default_factory=dict)


class TooManyErrors(Unreadable):
    """Reading stopped after MAX_ERRORS errors, which are in `found`."""

    def __init__(self, found: ImportedFile) -> None:
        super().__init__(f"There are more errors: these are the first {MAX_ERRORS}.")
        self.found = found


class Collector:
    """Gathers definitions row by row, cleans each value once, and remembers what is wrong."""

    def __init__(self) -> None:
        self._achievements: dict[str, ImportedAchievement] = {}
        self._errors: list[RowError] = []

    def error(self, row: int, detail: str) -> None:
        """Remember what is wrong in a row; the file will be refused.

        Raises: TooManyErrors for the first one too many.
        """
        if len(self._errors) == MAX_ERRORS:
            raise TooManyErrors(self.result())
        self._errors.append(RowError(row, detail))

    def add(self, row: int, key: object, values: Mapping[str, object]) -> None:
        """Clean and keep one definition; values that are UNSET stay unsaid.

        Raises: Unreadable when the file holds more definitions than any game has, TooManyErrors.
        """
        if len(self._achievements) >= MAX_ACHIEVEMENTS:
            raise Unreadable(f"The file holds more than {MAX_ACHIEVEMENTS:,} achievements: split it.")
        try:
            cleaned = clean_key(key)
        except ValueError as problem:
            self.error(row, str(problem))
            return
        if cleaned in self._achievements:
            first = self._achievements[cleaned].row
            self.error(row, f"The key {quoted(cleaned)} stands in row {first} too: give each key once.")
            return
        clean = self._clean(row, cleaned, values)
        self._achievements[cleaned] = ImportedAchievement(row=row, key=cleaned, **clean)  # type: ignore[arg-type]

    def result(self) -> ImportedFile:
        """Return the definitions, and what is wrong in the order of the rows."""
        errors = sorted(self._errors, key=lambda error: error.row)
        return ImportedFile(tuple(self._achievements.values()), tuple(errors))

    def _clean(self, row: int, key: str, values: Mapping[str, object]) -> dict[str, object]:
        clean: dict[str, object] = {}
        for name, value in values.items():
            if value is UNSET:
                continue
            try:
                clean[name] = rules.CLEAN[name](value)
            except ValueError as problem:
                self.error(row, f"{quoted(key)}: {problem}")
        return clean
