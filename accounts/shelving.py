"""What putting a game away would mean, in numbers."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from accounts import issued_keys

_COUNTED = 20_000  # players; counting more would make the page slow, and tells no more


@dataclass(frozen=True, slots=True)
class Consequences:
    """What hangs on a game.

    Attributes:
        players: who hold an unlock in it.
        counts_on: there are more than `players`.
        keys: that work, for this game only.

    """

    players: int
    counts_on: bool
    keys: int


def of_putting_away(game_id: int, *, at: datetime) -> Consequences:
    """Return what whoever puts a game away should know."""
    players = _holders()(game_id, _COUNTED + 1)
    return Consequences(min(players, _COUNTED), players > _COUNTED, issued_keys.working_for(game_id, at=at))


@cache
def _holders() -> Callable[[int, int], int]:
    """Find who knows unlocks: they lie downstream, and config says which function to ask (ADR 0012)."""
    holders: Callable[[int, int], int] = import_string(settings.GAME_HOLDERS)
    return holders
