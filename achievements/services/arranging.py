"""What the portal does to several achievements at once, each time all of it or nothing, and noted."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.selectors import GameInfo
from achievements.models import Achievement, State
from achievements.selectors import definitions as catalogues
from achievements.selectors import editing
from achievements.services import definitions, versions
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
            which changes wait, since nobody has seen what they change.

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


def move(*, game: GameInfo, key: str, by: int, actor: str, at: datetime) -> None:
    """Move an achievement by places in the game's order; past either end it stays there.

    Every one gets a place of its own: until then many may share the place 0. The move is a version of what was moved;
    what made room for it has none. Raises NotFound.
    """
    with transaction.atomic():
        definitions.next_version(game)
        before = catalogues.uncached_catalogue(game.id).by_key
        order = list(before.values())
        place = next((place for place, one in enumerate(order) if one.key == key), None)
        if place is None:
            raise NotFound("The game has no such achievement any more.")
        order.insert(max(0, place + by), order.pop(place))
        rows = [
            Achievement(pk=one.id, sort_order=new) for new, one in enumerate(order) if one.sort_order != new
        ]
        Achievement.objects.bulk_update(rows, ["sort_order"], batch_size=500)
        after = catalogues.uncached_catalogue(game.id).by_key
        versions.note(game, before, after, [key], by=Author(actor, at, Source.ORDER))
        _note("achievement.move", game, actor=actor, at=at, details={"key": key, "by": by})


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
