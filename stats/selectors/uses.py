"""What a game's stats feed: rooms downstream know, and config says which functions to ask (STAT_USES)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class Use:
    """Something that a stat feeds and that is not archived."""

    kind: Literal["achievement", "leaderboard"]
    key: str
    name: str


def uses(game_id: int) -> dict[str, list[Use]]:
    """Return what each of a game's stats feeds, by its key; one that feeds nothing is left out."""
    found: dict[str, list[Use]] = {}
    for ask in _asked():
        for stat, listed in ask(game_id).items():
            found.setdefault(stat, []).extend(listed)
    return found


@cache
def _asked() -> tuple[Callable[[int], dict[str, Iterable[Use]]], ...]:
    return tuple(import_string(path) for path in settings.STAT_USES)
