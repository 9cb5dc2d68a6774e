"""What members of a studio do to its stats, each time noted in the audit log in the same transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.selectors import GameInfo
from core import audit
from core.audit.changes import changes, plain
from core.refusals import NotFound
from stats.models import Stat
from stats.selectors import definitions as selectors
from stats.selectors.definitions import StatInfo
from stats.services import definitions


def create(*, game: GameInfo, values: Mapping[str, Any], actor: str, at: datetime) -> StatInfo:
    """Create a stat. Raises what `definitions.create` does."""
    with transaction.atomic():
        made = definitions.create(game=game, values=values, at=at)
        declared = {name: plain(value) for name, value in definitions.as_values(made).items()}
        _note("stat.create", game, made, actor=actor, at=at, details=declared)
    selectors.forget()
    return made


def change(*, game: GameInfo, key: str, values: Mapping[str, Any], actor: str, at: datetime) -> bool:
    """Change fields of a stat; say whether that changed anything. If not, nothing is noted.

    Raises what `definitions.update` does.
    """
    with transaction.atomic():
        before = definitions.as_values(_locked(game, key))
        after = definitions.update(game=game, key=key, values=values, at=at)
        changed = changes(before, definitions.as_values(after))
        if changed:
            _note(_deed(changed), game, after, actor=actor, at=at, details=changed)
    selectors.forget()
    return bool(changed)


def delete(*, game: GameInfo, key: str, actor: str, at: datetime) -> None:
    """Delete a stat that nobody has a value of. Raises what `definitions.delete` does."""
    with transaction.atomic():
        gone = _locked(game, key)
        definitions.delete(game=game, key=key)
        _note("stat.delete", game, gone, actor=actor, at=at, details={"name": gone.name})
    selectors.forget()


def _locked(game: GameInfo, key: str) -> StatInfo:
    row = Stat.objects.select_for_update(no_key=True).filter(game_id=game.id, key=key).first()
    if row is None:
        raise NotFound("The game has no such stat.")
    return selectors.info_of(row)


def _deed(changed: Mapping[str, Mapping[str, Any]]) -> str:
    if set(changed) != {"archived"}:
        return "stat.update"
    return "stat.archive" if changed["archived"]["after"] else "stat.restore"


def _note(
    action: str, game: GameInfo, stat: StatInfo, *, actor: str, at: datetime, details: Mapping[str, Any]
) -> None:
    audit.record(
        studio_id=game.studio_id,
        actor=actor,
        action=action,
        kind="stat",
        object_id=stat.uuid,
        reason="",
        at=at,
        details={"game": str(game.uuid), "key": stat.key, **details},
    )
