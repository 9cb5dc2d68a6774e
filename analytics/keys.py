"""Every key of analytics in the cache. All of it may be lost at any time."""

from collections.abc import Iterable


def funnel_key(game_id: int, achievement_ids: Iterable[int]) -> str:
    """Return where a counted funnel is kept, for some minutes: a pickled `Funnel`."""
    return f"analytics:v1:funnel:{game_id}:{'-'.join(map(str, achievement_ids))}"


def used_key(studio_id: int) -> str:
    """Return where what a studio used is kept, for as long as `selectors.usage.KEPT_S`: a pickled `Used`."""
    return f"analytics:v1:used:{studio_id}"
