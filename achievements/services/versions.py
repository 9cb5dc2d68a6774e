"""The history of definitions: whoever changes one leaves a version of it, in the same transaction."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from accounts.selectors import GameInfo
from achievements import documents
from achievements.models import DefinitionVersion
from achievements.selectors.definitions import Definition

Source = DefinitionVersion.Source
_BATCH = 1000


@dataclass(frozen=True, slots=True)
class Author:
    """Who changes definitions, when, and by which door."""

    actor: str
    at: datetime
    source: Source = Source.API


def note(
    game: GameInfo,
    before: Mapping[str, Definition],
    after: Mapping[str, Definition],
    keys: Iterable[str],
    *,
    by: Author,
) -> None:
    """Keep what definitions were and became, inside the caller's transaction; what stayed as it was has no version.

    The caller holds the catalogue's row (`next_version`): so the ids of a definition's versions rise as they happened.
    """
    rows = [_version(game, before.get(key), after.get(key), by) for key in keys]
    DefinitionVersion.objects.bulk_create((row for row in rows if row.before != row.after), batch_size=_BATCH)


def _version(
    game: GameInfo, before: Definition | None, after: Definition | None, by: Author
) -> DefinitionVersion:
    one = after or before
    assert one is not None  # it was, or it is
    return DefinitionVersion(
        achievement_id=one.id,
        game_id=game.id,
        before=before and documents.document(before),
        after=after and documents.document(after),
        source=by.source,
        actor=by.actor,
        at=by.at,
    )
