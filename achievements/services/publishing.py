"""What is done in the portal to a definition that was shown: publishing, archiving, going back, throwing away.

Each is told the token of what was shown (achievements/selectors/editing.py), and does nothing to anything else.
"""

from django.db import transaction

from accounts.selectors import GameInfo
from achievements import documents
from achievements.models import DefinitionDraft, State
from achievements.selectors import versions
from achievements.selectors.definitions import Definition
from achievements.selectors.editing import Standing
from achievements.services import definitions, editing
from achievements.services.editing import Overtaken
from achievements.services.versions import Author, Source
from core.refusals import NotFound


def publish(*, game: GameInfo, key: str, token: str, by: Author, announce: bool = False) -> Definition:
    """Give players what waits, and the achievement itself if it is a draft or archived.

    Raises:
        Overtaken: it is not any more what was shown.
        NotFound, Invalid, Conflict: as `definitions.update` does.

    """
    with transaction.atomic():
        now = _shown(game, key, token)
        is_seen = now.definition.state == State.PUBLISHED
        seen = now.published.get("requires", ()) if is_seen else ()
        editing.require_reachable(game, now.edited.get("requires", ()), but=seen)
        values = documents.values_of(now.edited, now.changes)
        made = definitions.update(
            game=game, key=key, values={**values, "state": State.PUBLISHED.value}, by=by, announce=announce
        )
        DefinitionDraft.objects.filter(pk=now.definition.id).delete()
        editing.note("achievement.publish", game, key, by, fields=list(now.changes))
    return made


def archive(*, game: GameInfo, key: str, token: str, by: Author) -> None:
    """Take an achievement from those who do not hold it. What waits to be published goes on waiting.

    Raises:
        NotFound: the game has no such achievement.
        Overtaken: it is not any more what was shown.

    """
    with transaction.atomic():
        _shown(game, key, token)
        definitions.update(game=game, key=key, values={"state": State.ARCHIVED.value}, by=by)
        editing.note("achievement.archive", game, key, by)


def discard(*, game: GameInfo, key: str, token: str, by: Author) -> None:
    """Throw away what waits to be published. Raises NotFound, Overtaken."""
    with transaction.atomic():
        now = _shown(game, key, token)
        DefinitionDraft.objects.filter(pk=now.definition.id).delete()
        if now.draft is not None:
            editing.note("achievement.discard", game, key, by, fields=list(now.draft.changes))


def delete(*, game: GameInfo, key: str, token: str, by: Author) -> None:
    """Delete a draft. Raises as `definitions.delete` does, and Overtaken."""
    with transaction.atomic():
        _shown(game, key, token)
        definitions.delete(game=game, key=key, by=by)
        editing.note("achievement.delete", game, key, by)


def restore(*, game: GameInfo, key: str, version: int, token: str, by: Author) -> Definition:
    """Make a definition again what it was at a version; whether it is published stays, and its place.

    Raises:
        NotFound: there is no such version of it.
        Overtaken: the definition is not any more what was shown.
        Invalid, Conflict: as `definitions.update` does, what it needs may be gone; or players would be asked for a
            draft.

    """
    with transaction.atomic():
        now = _shown(game, key, token)
        found = versions.one(now.definition.id, version)
        if found is None or found.after is None:
            raise NotFound("The achievement has no such version.")
        wanted = documents.flat(found.after)
        if now.definition.state != State.DRAFT:
            seen = now.published.get("requires", ())
            editing.require_reachable(game, wanted.get("requires", ()), but=seen)
        fields = documents.differences(now.published, wanted)
        values = documents.values_of(wanted, fields)
        made = definitions.update(
            game=game, key=key, values=values, by=Author(by.actor, by.at, Source.RESTORE)
        )
        editing.note("achievement.restore", game, key, by, fields=list(fields), version=version)
    return made


def _shown(game: GameInfo, key: str, token: str) -> Standing:
    """Hold a definition that is what was shown. Raises NotFound, Overtaken."""
    definitions.hold(game)
    now = editing.standing_of(game, key)
    if now.token != token:
        raise Overtaken
    return now
