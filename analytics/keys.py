"""Every key of analytics in the cache. All of it may be lost at any time."""

from collections.abc import Iterable


def funnel_key(game_id: int, achievement_ids: Iterable[int]) -> str:
    """Return where a counted funnel is kept, for some minutes: a pickled `Funnel`."""
    return f"analytics:v1:funnel:{game_id}:{'-'.join(map(str, achievement_ids))}"
