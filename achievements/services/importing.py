"""The import of a file: a game's definitions all at once, with the parts that other rooms keep, all or nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from accounts.selectors import GameInfo
from achievements import formats, goals
from achievements.formats import diff
from achievements.formats.document import MAX_ERRORS, Absent, ImportedAchievement, ImportedFile, RowError
from achievements.selectors import definitions as catalogues
from achievements.selectors.definitions import Definition
from achievements.services import definitions
from achievements.services.versions import Author, Source
from core.db import retry_conflicts
from core.refusals import pointer
from core.sections import Stored, sections
from core.texts import quoted
from stats.selectors import definitions as stats


@dataclass(frozen=True)
class Imported:
    """What an import did, or would do; with any error nothing was stored.

    `parts` are what other rooms did with their parts of the file, by the part's name.
    """

    errors: Sequence[RowError]
    changes: diff.Diff
    parts: Mapping[str, Stored]

    @property
    def created(self) -> int:
        """How many definitions are new."""
        return len(self.changes.created) + sum(
            one.is_new for part in self.parts.values() for one in part.changes
        )

    @property
    def updated(self) -> int:
        """How many definitions are other than before."""
        return len(self.changes.updated) + sum(
            not one.is_new for part in self.parts.values() for one in part.changes
        )

    @property
    def unchanged(self) -> int:
        """How many definitions are as they were."""
        return len(self.changes.unchanged) + sum(len(part.unchanged) for part in self.parts.values())


def import_file(
    *, game: GameInfo, format: str, body: bytes, dry_run: bool, actor: str, at: datetime
) -> Imported:
    """Read a studio's file and store what it changes, all or nothing, with the parts that other rooms keep.

    Raises:
        achievements.formats.UnknownFormat: no reader has this name.

    """
    read = formats.parse(format, body)
    by = Author(actor, at, Source.IMPORT)
    return retry_conflicts(lambda: _import(game, read, dry_run=dry_run, by=by))


def _import(game: GameInfo, read: ImportedFile, *, dry_run: bool, by: Author) -> Imported:
    with transaction.atomic():
        definitions.next_version(game)
        current = catalogues.uncached_catalogue(game.id).by_key
        changes = diff.compare([definitions.as_values(one) for one in current.values()], read.achievements)
        # What follows from a value that can't be read is no second error.
        unread = {error.row for error in read.errors}
        parts = _store_parts(game, read.parts, at=by.at)
        found = [
            *changes.errors,
            *_unknown_references(current, read.achievements),
            *_circles(current, read.achievements),
            *_stat_problems(game, read.achievements),
        ]
        errors = [*read.errors, *(error for error in found if error.row not in unread), *_part_errors(parts)]
        result = Imported(_first(errors), changes, parts)
        if errors or dry_run or not (result.created or result.updated):
            transaction.set_rollback(True)
            return result
        definitions.insert(game, [(one.key, one.values()) for one in changes.created])
        for change in changes.updated:
            definitions.change(
                current[change.key].id, {name: new for name, (_, new) in change.fields.items()}
            )
        changed = [*(one.key for one in changes.created), *(one.key for one in changes.updated)]
        definitions.follow_up(game, current, changed, by=by)
    return result


def _store_parts(game: GameInfo, parts: Mapping[str, Sequence[object]], *, at: datetime) -> dict[str, Stored]:
    return {name: sections()[name].store(game.id, rows, at=at) for name, rows in parts.items()}


def _part_errors(stored: Mapping[str, Stored]) -> list[RowError]:
    return [
        RowError(one.row, one.detail, _pointer(name, one.row) + one.pointer)
        for name, part in stored.items()
        for one in part.wrong
    ]


def _pointer(name: str, row: int) -> str:
    return pointer(name, row - 1) if row else pointer(name)


def _unknown_references(
    current: Mapping[str, Definition], imported: Sequence[ImportedAchievement]
) -> list[RowError]:
    keys = {*current, *(one.key for one in imported)}
    return [
        RowError(one.row, f"{quoted(one.key)}: The game has no achievement {quoted(key)} to require.")
        for one in imported
        for key in one.values().get("requires", ())  # type: ignore[attr-defined]
        if key not in keys
    ]


def _circles(current: Mapping[str, Definition], imported: Sequence[ImportedAchievement]) -> list[RowError]:
    given = {one.key: one for one in imported if "requires" in one.values()}
    requires = {one.key: one.requires for one in current.values()}
    for key, one in given.items():
        assert not isinstance(one.requires, Absent)  # it is among the values
        requires[key] = one.requires
    found = goals.circle(requires) if given else []
    row = next((given[key].row for key in found if key in given), 0)
    return [RowError(row, definitions.circle_text(found))] if found else []


def _stat_problems(game: GameInfo, imported: Sequence[ImportedAchievement]) -> list[RowError]:
    named = [(one, definitions.stats_named(one.values())) for one in imported]
    if not any(wanted for _, wanted in named):
        return []
    known = stats.fresh_stats(game.id)
    problems = [(one, definitions.stat_problem(wanted, known)) for one, wanted in named]
    return [RowError(one.row, f"{quoted(one.key)}: {problem}") for one, problem in problems if problem]


def _first(errors: Sequence[RowError]) -> Sequence[RowError]:
    """Return as many errors as somebody reads."""
    if len(errors) <= MAX_ERRORS + 1:
        return errors
    return [*errors[:MAX_ERRORS], RowError(0, f"There are more errors: these are the first {MAX_ERRORS}.")]
