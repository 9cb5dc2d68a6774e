"""Files of a whole game, made in the background (core/exports)."""

from collections.abc import Mapping
from typing import Any

from accounts import selectors as accounts
from accounts.selectors import GameInfo
from core.ids import parse_id
from core.refusals import NotFound


def game_of(studio_id: int, about: Mapping[str, Any]) -> GameInfo:
    """Return the game that an export is about. Raises NotFound."""
    uuid = parse_id(str(about.get("game")))
    game = None if uuid is None else accounts.game(uuid, studio_id=studio_id)
    if game is None:
        raise NotFound("The game is gone.")
    return game
