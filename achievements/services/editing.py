"""Editing a definition in the portal: what is typed, and what became of it meanwhile.

Who edits began from something: if it is another by now, nothing is stored, and both are shown. All is decided while the
catalogue's row is held, as every change of a definition is.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any

from django.db import transaction

from accounts.selectors import GameInfo
from achievements import documents
from achievements.documents import Flat
from achievements.models import DefinitionDraft, State
from achievements.selectors import definitions as catalogues
from achievements.selectors import editing
from achievements.selectors.definitions import Definition
from achievements.selectors.editing import Standing
from achievements.services import definitions
from achievements.services.versions import Author
from core import audit, media
from core.ids import new_id
from core.refusals import Conflict, NotFound
from core.texts import quoted

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


class Unreachable(Conflict):
    """What players would be asked for is a draft."""

    def __init__(self, draft: Definition) -> None:
        detail = f"{quoted(draft.name)} is a draft, so nobody could get there: publish it first."
        super().__init__(detail, errors=[{"pointer": "/requires", "detail": detail}])


def create(*, game: GameInfo, values: Mapping[str, Any], by: Author) -> Definition:
    """Make a draft. Raises as `definitions.create` does."""
    with transaction.atomic():
        made = definitions.create(game=game, values={**values, "state": State.DRAFT.value}, by=by)
        note("achievement.create", game, made.key, by)
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
    by_itself: bool = False,
) -> Standing:
    """Keep an edit: a draft is changed at once, of what players see or saw the changes wait to be published.

    `values` are all edited fields, as the API takes them; `base` is the token that the edit began from. `resolve` says
    what to do though somebody changed it meanwhile, and `seen` is the token of what that was decided on. What is saved
    `by_itself` while somebody types waits in any state: a pause in a sentence is no version of a draft.

    Raises:
        EditedMeanwhile: somebody else changed it, and that was not seen yet.
        NotFound, Invalid, Conflict: as `definitions.update` does.

    """
    clean = documents.plain(definitions.cleaned(values))
    with transaction.atomic():
        definitions.hold(game)
        now = standing_of(game, key)
        wanted = _settle(
            now, documents.flat(clean), base=base, resolve=resolve if seen == now.token else None
        )
        if now.definition.state == State.DRAFT and not by_itself:
            _change(game, now, wanted, by)
        else:
            _keep_draft(game, now, wanted, by)
        return standing_of(game, key)


def change_pictures(
    *, game: GameInfo, key: str, urls: Mapping[str, str], shown: Mapping[str, str], by: Author
) -> Standing:
    """Give an achievement other pictures, as `save` does with what is typed; all else that waits goes on waiting.

    `urls` are those of documents.PICTURES that change, and `shown` what all of them were when that was decided.

    Raises:
        Overtaken: somebody else changed the pictures meanwhile.
        NotFound, Invalid: as `definitions.update` does.

    """
    with transaction.atomic():
        definitions.hold(game)
        now = standing_of(game, key)
        if any(now.edited.get(name, "") != shown.get(name, "") for name in documents.PICTURES):
            raise Overtaken
        changes = {name: url or None for name, url in urls.items()}
        if now.definition.state == State.DRAFT:
            _change(game, now, documents.changed(now.published, changes), by)
        _keep_draft(game, standing_of(game, key), documents.changed(now.edited, changes), by)
        return standing_of(game, key)


def _change(game: GameInfo, now: Standing, wanted: Flat, by: Author) -> None:
    """Change a definition at once; what waited of it is part of what is wanted."""
    fields = list(documents.differences(now.published, wanted))
    if fields:
        values = documents.values_of(wanted, fields)
        definitions.update(game=game, key=now.definition.key, values=values, by=by)
        note("achievement.change", game, now.definition.key, by, fields=fields)
    DefinitionDraft.objects.filter(pk=now.definition.id).delete()


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
    if now.definition.state != State.DRAFT:
        require_reachable(game, wanted.get("requires", ()), but=now.published.get("requires", ()))
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
                "changes": {name: _stored(name, value) for name, value in changes.items()},
                "base": now.last.id if now.last else 0,
                "revision": new_id(),
                "actor": by.actor,
                "saved_at": by.at,
            },
        )
    is_noted = now.draft and now.draft.actor == by.actor and now.draft.changes.keys() == changes.keys()
    if not is_noted:  # what is typed on in the same fields is one deed, however often it was saved by itself
        note("achievement.draft", game, now.definition.key, by, fields=list(changes))


def _stored(name: str, value: Any) -> Any:
    """Return a field as a draft keeps it: the address of a picture of ours without the host, as definitions do."""
    return media.relative(value) if name in documents.PICTURES and value else value


def require_reachable(game: GameInfo, requires: Sequence[str], *, but: Sequence[str] = ()) -> None:
    """Refuse that players are asked for a draft, which nobody can get, but for what they are asked for already."""
    by_key = catalogues.fresh_catalogue(game.id).by_key
    for key in requires:
        if key not in but and key in by_key and by_key[key].state == State.DRAFT:
            raise Unreachable(by_key[key])


def standing_of(game: GameInfo, key: str) -> Standing:
    """Return where a definition stands now. Raises NotFound."""
    found = catalogues.fresh_catalogue(game.id).by_key.get(key)
    if found is None:
        raise NotFound("The game has no such achievement any more.")
    return editing.standing(found)


def note(action: str, game: GameInfo, key: str, by: Author, **details: object) -> None:
    """Note in the audit log what was done to a definition, inside the caller's transaction."""
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
