"""What the portal does to several achievements at once, each time all of it or nothing, and noted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction

from accounts.selectors import GameInfo
from achievements import linting
from achievements.models import Achievement, Catalogue, State
from achievements.selectors import definitions as catalogues
from achievements.selectors import editing
from achievements.selectors.definitions import Definition
from achievements.services import definitions, versions
from achievements.services import editing as drafts
from achievements.services.versions import Author, Source
from core import audit, texts
from core.refusals import Conflict, NotFound

STATE_AFTER = {"publish": State.PUBLISHED, "archive": State.ARCHIVED}


def make_first(*, game: GameInfo, values: Mapping[str, Any], actor: str, at: datetime) -> None:
    """Make an achievement to begin with; where its key is taken nothing is done. Raises Invalid."""
    with transaction.atomic():
        try:
            with transaction.atomic():
                definitions.create(game=game, values=values, by=Author(actor, at, Source.PORTAL))
        except Conflict:
            return
        _note("achievement.create", game, actor=actor, at=at, details={"key": values["key"]})


def change_several(*, game: GameInfo, keys: Sequence[str], act: str, actor: str, at: datetime) -> int:
    """Publish, archive or delete achievements; return how many that were.

    Raises:
        NotFound, Invalid, Conflict: as `definitions.update` and `delete` do, for any of them; and publishing those of
            which changes wait, since nobody has seen what they change, or that ask for a draft.

    """
    wanted = list(dict.fromkeys(keys))
    by = Author(actor, at, Source.PORTAL)
    with transaction.atomic():
        definitions.hold(game)
        if act == "publish":
            _require_nothing_waits(game, wanted)
        for key in wanted:
            if act == "delete":
                definitions.delete(game=game, key=key, by=by)
            else:
                definitions.update(game=game, key=key, values={"state": STATE_AFTER[act].value}, by=by)
        if act == "publish":
            _require_reachable(game, wanted)
        _note(f"achievement.{act}", game, actor=actor, at=at, details={"keys": wanted})
    return len(wanted)


def _require_nothing_waits(game: GameInfo, keys: Sequence[str]) -> None:
    by_key = catalogues.fresh_catalogue(game.id).by_key
    waiting = editing.drafts([by_key[key].id for key in keys if key in by_key])
    found = next((key for key in keys if key in by_key and by_key[key].id in waiting), None)
    if found is not None:
        raise Conflict(
            f"The achievement {texts.quoted(found)} has changes that are not published: publish them in its editor,"
            " which shows what they change."
        )


def _require_reachable(game: GameInfo, published: Sequence[str]) -> None:
    """Refuse that what was published asks for a draft that was not published with it."""
    by_key = catalogues.fresh_catalogue(game.id).by_key
    for key in published:
        drafts.require_reachable(game, by_key[key].requires)


@dataclass(frozen=True, slots=True)
class Placed:
    """Where an achievement stands: its name, its place counted from 1, and of how many."""

    name: str
    place: int
    count: int


def place(
    *,
    game: GameInfo,
    achievement: UUID | None,
    beside: UUID | None,
    is_before: bool,
    actor: str,
    at: datetime,
) -> Placed:
    """Put an achievement right before or behind another one in the game's order; all others keep theirs.

    It is said by a neighbour rather than by a number, so two people may order at once, and a list may be shown in part.
    Every one gets a place of its own: until then many may share the place 0. The move is a version of what was moved;
    what made room for it has none. Raises NotFound for either.
    """
    with transaction.atomic():
        definitions.next_version(game)
        before = catalogues.uncached_catalogue(game.id).by_key
        order = list(before.values())
        moved, neighbour = _found(order, achievement), _found(order, beside)
        after = _moved(order, moved, neighbour, is_before=is_before)
        if after == order:
            transaction.set_rollback(True)  # no new version, and nothing to note
        else:
            _store_order(after)
            stored = catalogues.uncached_catalogue(game.id).by_key
            versions.note(game, before, stored, [moved.key], by=Author(actor, at, Source.ORDER))
            side = {"before" if is_before else "behind": neighbour.key}
            _note("achievement.move", game, actor=actor, at=at, details={"key": moved.key, **side})
    return Placed(moved.name, after.index(moved) + 1, len(after))


def _moved(
    order: Sequence[Definition], moved: Definition, neighbour: Definition, *, is_before: bool
) -> list[Definition]:
    if moved is neighbour:
        return list(order)
    others = [one for one in order if one is not moved]
    others.insert(others.index(neighbour) + (not is_before), moved)
    return others


def _found(order: Sequence[Definition], uuid: UUID | None) -> Definition:
    found = next((one for one in order if one.uuid == uuid), None)
    if found is None:
        raise NotFound("The game has no such achievement any more: load the list again.")
    return found


def _store_order(order: Sequence[Definition]) -> None:
    rows = [Achievement(pk=one.id, sort_order=new) for new, one in enumerate(order) if one.sort_order != new]
    Achievement.objects.bulk_update(rows, ["sort_order"], batch_size=500)


def choose_store(*, game: GameInfo, store: str, is_chosen: bool, actor: str, at: datetime) -> None:
    """Check a game's achievements against a store's guidelines from now on, or no more; again is no change."""
    with transaction.atomic():
        Catalogue.objects.get_or_create(game_id=game.id)
        row = Catalogue.objects.select_for_update().get(game_id=game.id)
        before = linting.STORES if row.stores is None else row.stores
        kept = [name for name in linting.STORES if (is_chosen if name == store else name in before)]
        if kept == row.stores:
            return
        Catalogue.objects.filter(pk=row.pk).update(stores=kept)
        _note("game.set_stores", game, actor=actor, at=at, details={"stores": kept})


def note_import(*, game: GameInfo, format: str, created: int, updated: int, actor: str, at: datetime) -> None:
    """Note that a file was imported, inside the caller's transaction."""
    details = {"format": format, "created": created, "updated": updated}
    _note("achievement.import", game, actor=actor, at=at, details=details)


def _note(action: str, game: GameInfo, *, actor: str, at: datetime, details: dict[str, object]) -> None:
    audit.record(
        studio_id=game.studio_id,
        actor=actor,
        action=action,
        kind="game",
        object_id=game.uuid,
        reason="",
        at=at,
        details=details,
    )
