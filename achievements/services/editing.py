"""Editing a definition in the portal: drafts, publishing, archiving and going back.

Who edits began from something: if it is another by now, nothing is stored, and both are shown. All is decided while the
catalogue's row is held, as every change of a definition is.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from django.db import transaction

from accounts.selectors import GameInfo
from achievements import documents
from achievements.documents import Flat
from achievements.models import DefinitionDraft, State
from achievements.selectors import definitions as catalogues
from achievements.selectors import editing, versions
from achievements.selectors.definitions import Definition
from achievements.selectors.editing import Standing
from achievements.services import definitions
from achievements.services.versions import Author, Source
from core import audit
from core.ids import new_id
from core.refusals import Conflict, NotFound

Differences = Mapping[str, tuple[Any, Any]]


class Resolve(StrEnum):
    """What is to become of an edit that somebody overtook."""

    MINE = "mine"
    BOTH = "both"


class EditedMeanwhile(Conflict):
    """Somebody changed the definition while it was edited; nothing was stored.

    Attributes:
        now: where it stands.
        theirs, mine: what each side changed of what the edit began from: field → (was, is).

    """

    def __init__(self, now: Standing, *, theirs: Differences, mine: Differences) -> None:
        super().__init__("Somebody changed this achievement while you were editing. Nothing was stored.")
        self.now = now
        self.theirs = theirs
        self.mine = mine

    @property
    def actor(self) -> str:
        """Who changed it last."""
        return self.now.edited_by

    @property
    def is_apart(self) -> bool:
        """Whether no field was changed by both."""
        return not self.both

    @property
    def both(self) -> list[str]:
        """What both changed, each to something else."""
        return [
            name
            for name, (_, value) in self.mine.items()
            if name in self.theirs and self.theirs[name][1] != value
        ]


class Overtaken(Conflict):
    """What was shown before a button is not what is there any more; nothing was stored."""

    def __init__(self) -> None:
        super().__init__("The achievement was changed meanwhile. This is what it is now; nothing was stored.")


def create(*, game: GameInfo, values: Mapping[str, Any], by: Author) -> Definition:
    """Make a draft. Raises as `definitions.create` does."""
    with transaction.atomic():
        made = definitions.create(game=game, values={**values, "state": State.DRAFT.value}, by=by)
        _note("achievement.create", game, made.key, by)
    return made


def save(
    *,
    game: GameInfo,
    key: str,
    values: Mapping[str, Any],
    base: str,
    by: Author,
    resolve: Resolve | None = None,
    seen: str = "",
) -> Standing:
    """Keep an edit: a draft is changed at once, of what players see or saw the changes wait to be published.

    `values` are all edited fields, as the API takes them; `base` is the token that the edit began from. `resolve` says
    what to do though somebody changed it meanwhile, and `seen` is the token of what that was decided on.

    Raises:
        EditedMeanwhile: somebody else changed it, and that was not seen yet.
        NotFound, Invalid, Conflict: as `definitions.update` does.

    """
    clean = documents.plain(definitions.cleaned(values))
    with transaction.atomic():
        definitions.hold(game)
        now = _standing(game, key)
        wanted = _settle(
            now, documents.flat(clean), base=base, resolve=resolve if seen == now.token else None
        )
        if now.definition.state == State.DRAFT:
            fields = list(documents.differences(now.published, wanted))
            if fields:
                values = documents.values_of(wanted, fields)
                definitions.update(game=game, key=key, values=values, by=by)
                _note("achievement.change", game, key, by, fields=fields)
        else:
            _keep_draft(game, now, wanted, by)
        return _standing(game, key)


def _settle(now: Standing, mine: Flat, *, base: str, resolve: Resolve | None) -> Flat:
    """Return what the definition is to be. Raises EditedMeanwhile, Conflict."""
    if base == now.token or resolve is Resolve.MINE:
        return mine
    began = editing.began_from(now, base)
    if began is None:
        raise Conflict("This form was open too long. Open the achievement again; nothing was stored.")
    theirs, own = documents.differences(began, now.edited), documents.differences(began, mine)
    merged = documents.changed(now.edited, {name: value for name, (_, value) in own.items()})
    is_overtaken = any(mine.get(name) != value for name, (_, value) in theirs.items())
    if is_overtaken and resolve is None:
        raise EditedMeanwhile(now, theirs=theirs, mine=own)
    return merged


def _keep_draft(game: GameInfo, now: Standing, wanted: Flat, by: Author) -> None:
    """Keep what waits to be published, if it is other than what waits already."""
    differing = documents.differences(now.published, wanted)
    values = documents.values_of(wanted, differing)
    definitions.check(game, now.definition.key, values, catalogues.fresh_catalogue(game.id).by_key)
    changes = {name: value for name, (_, value) in differing.items()}
    waiting = {name: value for name, (_, value) in now.changes.items()}
    if changes == waiting and (changes or now.draft is None):
        return
    drafts = DefinitionDraft.objects.filter(pk=now.definition.id)
    if not changes:
        drafts.delete()
    else:
        drafts.update_or_create(
            pk=now.definition.id,
            defaults={
                "changes": changes,
                "base": now.last.id if now.last else 0,
                "revision": new_id(),
                "actor": by.actor,
                "saved_at": by.at,
            },
        )
    _note("achievement.draft", game, now.definition.key, by, fields=list(changes))


def publish(*, game: GameInfo, key: str, token: str, by: Author, announce: bool = False) -> Definition:
    """Give players what waits, and the achievement itself if it is a draft or archived.

    Raises:
        Overtaken: it is not any more what was shown.
        NotFound, Invalid, Conflict: as `definitions.update` does.

    """
    with transaction.atomic():
        now = _shown(game, key, token)
        values = documents.values_of(now.edited, now.changes)
        made = definitions.update(
            game=game, key=key, values={**values, "state": State.PUBLISHED.value}, by=by, announce=announce
        )
        DefinitionDraft.objects.filter(pk=now.definition.id).delete()
        _note("achievement.publish", game, key, by, fields=list(now.changes))
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
        _note("achievement.archive", game, key, by)


def discard(*, game: GameInfo, key: str, token: str, by: Author) -> None:
    """Throw away what waits to be published. Raises NotFound, Overtaken."""
    with transaction.atomic():
        now = _shown(game, key, token)
        DefinitionDraft.objects.filter(pk=now.definition.id).delete()
        if now.draft is not None:
            _note("achievement.discard", game, key, by, fields=list(now.draft.changes))


def delete(*, game: GameInfo, key: str, token: str, by: Author) -> None:
    """Delete a draft. Raises as `definitions.delete` does, and Overtaken."""
    with transaction.atomic():
        _shown(game, key, token)
        definitions.delete(game=game, key=key, by=by)
        _note("achievement.delete", game, key, by)


def restore(*, game: GameInfo, key: str, version: int, token: str, by: Author) -> Definition:
    """Make a definition again what it was at a version; whether it is published stays, and its place.

    Raises:
        NotFound: there is no such version of it.
        Overtaken: the definition is not any more what was shown.
        Invalid, Conflict: as `definitions.update` does: what it needs may be gone.

    """
    with transaction.atomic():
        now = _shown(game, key, token)
        found = versions.one(now.definition.id, version)
        if found is None or found.after is None:
            raise NotFound("The achievement has no such version.")
        wanted = documents.flat(found.after)
        fields = documents.differences(now.published, wanted)
        values = documents.values_of(wanted, fields)
        made = definitions.update(
            game=game, key=key, values=values, by=Author(by.actor, by.at, Source.RESTORE)
        )
        _note("achievement.restore", game, key, by, fields=list(fields), version=version)
    return made


def _shown(game: GameInfo, key: str, token: str) -> Standing:
    """Hold a definition that is what was shown. Raises NotFound, Overtaken."""
    definitions.hold(game)
    now = _standing(game, key)
    if now.token != token:
        raise Overtaken
    return now


def _standing(game: GameInfo, key: str) -> Standing:
    found = catalogues.fresh_catalogue(game.id).by_key.get(key)
    if found is None:
        raise NotFound("The game has no such achievement any more.")
    return editing.standing(found)


def _note(action: str, game: GameInfo, key: str, by: Author, **details: object) -> None:
    audit.record(
        studio_id=game.studio_id,
        actor=by.actor,
        action=action,
        kind="game",
        object_id=game.uuid,
        reason="",
        at=by.at,
        details={"key": key, **details},
    )
