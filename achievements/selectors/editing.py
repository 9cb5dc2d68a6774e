"""Where a definition stands for whoever edits it: what is published, and what waits to be."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from achievements import documents
from achievements.documents import Flat
from achievements.models import DefinitionDraft
from achievements.selectors import versions
from achievements.selectors.definitions import Definition
from achievements.selectors.versions import Version
from core import media

_TOKEN = re.compile(r"(\d{1,18})\.(0|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")


@dataclass(frozen=True, slots=True)
class Draft:
    """Changes that wait to be published; `changes` is field → what it becomes, None empties."""

    changes: dict[str, Any]
    base: int
    revision: str
    actor: str
    saved_at: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """A definition with what waits to be published of it.

    Attributes:
        published: what players have, flat.
        draft: what waits, if anything does.
        last: the newest version; None while there is no history.

    """

    definition: Definition
    published: Flat
    draft: Draft | None
    last: Version | None

    @property
    def token(self) -> str:
        """What an edit carries that begins here: the definition's version and the draft's revision."""
        return f"{self.last.id if self.last else 0}.{self.draft.revision if self.draft else 0}"

    @property
    def edited(self) -> Flat:
        """The definition as it will be, flat."""
        return documents.changed(self.published, self.draft.changes if self.draft else {})

    @property
    def edited_at(self) -> datetime | None:
        """When somebody changed it last, published or not; None while there is no history."""
        return max((one for one in (self._drafted_at, self.last and self.last.at) if one), default=None)

    @property
    def edited_by(self) -> str:
        """Who changed it last, as `edited_at`; empty if nobody did."""
        if self.draft and self.draft.saved_at == self.edited_at:
            return self.draft.actor
        return self.last.actor if self.last else ""

    @property
    def _drafted_at(self) -> datetime | None:
        return self.draft.saved_at if self.draft else None

    @property
    def changes(self) -> dict[str, tuple[Any, Any]]:
        """What publishing changes: field → (what players have, what they get)."""
        return documents.differences(self.published, self.edited)


def standing(definition: Definition) -> Standing:
    """Return where a definition stands, in two queries."""
    row = DefinitionDraft.objects.filter(pk=definition.id).first()
    published = documents.flat(documents.document(definition))
    return Standing(definition, published, _draft(row) if row else None, versions.latest(definition.id))


def drafts(achievement_ids: Iterable[int]) -> dict[int, Draft]:
    """Return what waits to be published of definitions; those of which nothing does are left out."""
    return {row.pk: _draft(row) for row in DefinitionDraft.objects.filter(pk__in=list(achievement_ids))}


def began_from(now: Standing, token: str) -> Flat | None:
    """Return what an edit with a token began from, flat; None if the token is no version of this definition.

    Of a draft the last revision is kept only: what began from an older one counts as begun from its definition.
    """
    if token == now.token:
        return now.edited
    read = _TOKEN.fullmatch(token)
    if read is None:
        return None
    version, revision = int(read[1]), read[2]
    is_newest = version == (now.last.id if now.last else 0)
    published = now.published if is_newest else versions.flat_at(now.definition.id, version)
    if published is None or now.draft is None or revision != now.draft.revision:
        return published
    return documents.changed(published, now.draft.changes)


def overtaken(now: Standing) -> tuple[str, ...]:
    """Return the fields of the draft that were changed in the definition since it was begun."""
    if now.draft is None or now.last is None or now.draft.base == now.last.id:
        return ()
    began = versions.flat_at(now.definition.id, now.draft.base) or {}
    return tuple(name for name in documents.differences(began, now.published) if name in now.draft.changes)


def _draft(row: DefinitionDraft) -> Draft:
    changes = {
        name: media.absolute(value) if name in documents.PICTURES and value else value
        for name, value in row.changes.items()
    }
    return Draft(changes, row.base, str(row.revision), row.actor, row.saved_at)
