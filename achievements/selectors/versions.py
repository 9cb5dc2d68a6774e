"""The history of definitions."""

from dataclasses import dataclass
from datetime import datetime

from achievements import documents
from achievements.documents import Document, Flat
from achievements.models import DefinitionVersion


@dataclass(frozen=True, slots=True)
class Version:
    """A definition became another one; `before` is None of a new one, `after` of one that was deleted."""

    id: int
    achievement_id: int
    before: Document | None
    after: Document | None
    source: str
    actor: str
    at: datetime


def latest(achievement_id: int) -> Version | None:
    """Return a definition's newest version; None while it is as it was before there was a history."""
    return next(iter(listed(achievement_id, limit=1)), None)


def one(achievement_id: int, pk: int) -> Version | None:
    """Return a version of this definition."""
    row = DefinitionVersion.objects.filter(achievement_id=achievement_id, pk=pk).first()
    return None if row is None else _version(row)


def listed(achievement_id: int, *, before: int | None = None, limit: int) -> list[Version]:
    """Return a definition's versions, newest first, those before a version."""
    rows = DefinitionVersion.objects.filter(achievement_id=achievement_id).order_by("-id")
    if before is not None:
        rows = rows.filter(pk__lt=before)
    return [_version(row) for row in rows[:limit]]


def since(achievement_id: int, pk: int, *, limit: int) -> list[Version]:
    """Return what became of a definition after a version, newest first."""
    rows = DefinitionVersion.objects.filter(achievement_id=achievement_id, pk__gt=pk).order_by("-id")
    return [_version(row) for row in rows[:limit]]


def count(achievement_id: int) -> int:
    """Return how many versions a definition has."""
    return DefinitionVersion.objects.filter(achievement_id=achievement_id).count()


def flat_at(achievement_id: int, pk: int) -> Flat | None:
    """Return what a definition was at a version, flat; 0: before its first. None if it has no such version."""
    rows = DefinitionVersion.objects.filter(achievement_id=achievement_id).order_by("id")
    row = rows.filter(pk=pk).first() if pk else rows.first()
    held = None if row is None else row.after if pk else row.before
    return None if held is None else documents.flat(held)


def _version(row: DefinitionVersion) -> Version:
    return Version(row.pk, row.achievement_id, row.before, row.after, row.source, row.actor, row.at)
