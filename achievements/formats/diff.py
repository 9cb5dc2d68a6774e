"""What an import would change: pure comparison of a game's definitions with a file's."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from achievements import rules
from achievements.formats.document import UNSET, ImportedAchievement, RowError
from core.texts import quoted

Definition = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Change:
    """One existing definition that the file changes: field → (what it is, what it becomes)."""

    row: int
    key: str
    fields: Mapping[str, tuple[object, object]]


@dataclass(frozen=True, slots=True)
class Diff:
    """What storing a file would do; with any error nothing of it may be stored."""

    created: tuple[ImportedAchievement, ...]
    updated: tuple[Change, ...]
    unchanged: tuple[str, ...]
    errors: tuple[RowError, ...]


def compare(current: Iterable[Definition], imported: Iterable[ImportedAchievement]) -> Diff:
    """Compare a game's definitions (field → value, with `key`) with those of a file.

    Fields that the file leaves unsaid keep their values, and so do languages, and texts of a language, which
    its translations leave out. A new definition without a name takes its first translated one. Empty and null
    are the same; times are datetimes.
    """
    existing = {str(definition["key"]): definition for definition in current}
    created, updated, unchanged, errors = [], [], [], []
    for given in imported:
        before = existing.get(given.key)
        achievement = _named(given) if before is None else given
        changes = _changes(before or {}, achievement)
        problems = _problems(before, changes, achievement)
        errors += [RowError(achievement.row, f"{quoted(achievement.key)}: {p}") for p in problems]
        if before is None:
            created.append(achievement)
        elif changes:
            updated.append(Change(achievement.row, achievement.key, changes))
        else:
            unchanged.append(achievement.key)
    return Diff(tuple(created), tuple(updated), tuple(unchanged), tuple(errors))


def _changes(before: Definition, achievement: ImportedAchievement) -> dict[str, tuple[object, object]]:
    changes = {}
    for name, value in achievement.values().items():
        old = before.get(name)
        new = _merged(old, value) if name == "translations" else value
        if _comparable(old) != _comparable(new):
            changes[name] = old, new
    return changes


def _problems(
    before: Definition | None, changes: Mapping[str, tuple[object, object]], achievement: ImportedAchievement
) -> list[str]:
    after = {**(before or {}), **{name: new for name, (_, new) in changes.items()}, "key": achievement.key}
    found = [] if after.get("name") else ["It is new and has no name: give it one."]
    if "state" in changes and before is not None and after["state"] == "draft":
        found.append(rules.NEVER_A_DRAFT_AGAIN)
    return found + rules.contradictions({name: value for name, value in after.items() if value is not None})


def _named(achievement: ImportedAchievement) -> ImportedAchievement:
    if achievement.name is not UNSET or achievement.translations is UNSET:
        return achievement
    names = (texts["name"] for texts in achievement.translations.values() if "name" in texts)
    return replace(achievement, name=next(names, UNSET))


def _merged(old: object, new: object) -> dict[str, dict[str, str]]:
    merged = {str(tag): dict(texts) for tag, texts in old.items()} if isinstance(old, Mapping) else {}
    if isinstance(new, Mapping):
        for tag, texts in new.items():
            merged[tag] = merged.get(tag, {}) | dict(texts)
    return merged


def _comparable(value: object) -> object:
    if isinstance(value, bool | int):
        return value
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, list | tuple):
        return tuple(value) or None
    return value or None
