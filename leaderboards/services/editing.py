"""What members of a studio do to its boards, each time noted in the audit log in the same transaction."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.selectors import GameInfo
from core import audit
from core.audit.changes import changes, plain
from core.refusals import NotFound
from leaderboards.models import Leaderboard
from leaderboards.selectors import definitions as selectors
from leaderboards.selectors.definitions import BoardInfo
from leaderboards.services import definitions


def create(*, game: GameInfo, values: Mapping[str, Any], actor: str, at: datetime) -> BoardInfo:
    """Create a board. Raises what `definitions.create` does."""
    with transaction.atomic():
        made = definitions.create(game=game, values=values, at=at)
        declared = {name: plain(value) for name, value in definitions.as_values(made).items()}
        _note("leaderboard.create", game, made, actor=actor, at=at, details=declared)
    selectors.forget()
    return made


def change(*, game: GameInfo, key: str, values: Mapping[str, Any], actor: str, at: datetime) -> bool:
    """Change fields of a board; say whether that changed anything. If not, nothing is noted.

    Raises what `definitions.update` does.
    """
    with transaction.atomic():
        before = _locked(game, key)
        after = definitions.update(game=game, key=key, values=values, at=at)
        changed = changes(
            {} if before is None else definitions.as_values(before), definitions.as_values(after)
        )
        if changed:
            _note(_deed(changed), game, after, actor=actor, at=at, details=changed)
    selectors.forget()
    return bool(changed)


def delete(*, game: GameInfo, key: str, actor: str, at: datetime) -> None:
    """Delete a board that nobody ever scored on. Raises what `definitions.delete` does."""
    with transaction.atomic():
        gone = _locked(game, key)
        definitions.delete(game=game, key=key)
        if gone is None:
            raise NotFound("The game has no such leaderboard.")
        _note("leaderboard.delete", game, gone, actor=actor, at=at, details={"name": gone.name})
    selectors.forget()


def _locked(game: GameInfo, key: str) -> BoardInfo | None:
    """Lock a board; what is said of one that is not there, and of the built-in one, is left to the service."""
    row = Leaderboard.objects.select_for_update(no_key=True).filter(game_id=game.id, key=key).first()
    return None if row is None else selectors.info_of(row)


def _deed(changed: Mapping[str, Mapping[str, Any]]) -> str:
    if set(changed) != {"archived"}:
        return "leaderboard.update"
    return "leaderboard.archive" if changed["archived"]["after"] else "leaderboard.restore"


def _note(
    action: str, game: GameInfo, board: BoardInfo, *, actor: str, at: datetime, details: Mapping[str, Any]
) -> None:
    audit.record(
        studio_id=game.studio_id,
        actor=actor,
        action=action,
        kind="leaderboard",
        object_id=board.uuid,
        reason="",
        at=at,
        details={"game": str(game.uuid), "key": board.key, **details},
    )
