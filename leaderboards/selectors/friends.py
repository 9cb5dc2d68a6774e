"""A player's friends, whom a room downstream knows: config says which function to ask."""

from collections.abc import Callable
from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string


def circle_of(player_id: int) -> list[int]:
    """Return a player and his friends."""
    return [player_id, *_asked()(player_id)]


@cache
def _asked() -> Callable[[int], list[int]]:
    found: Callable[[int], list[int]] = import_string(settings.LEADERBOARD_FRIENDS)
    return found
