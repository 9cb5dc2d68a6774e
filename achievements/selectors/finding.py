"""Achievements by a part of their key or name."""

from collections.abc import Collection

from core import lookup
from core.lookup import Lookup

_FIND = lookup.statement("achievements_achievement", icon="icon_url", state="state")


def find(game_ids: Collection[int], text: str, *, first: int | None, limit: int) -> Lookup:
    """Return those of some games that fit, in one query; `state` is draft, published or archived."""
    return lookup.find(_FIND, game_ids, text, first=first, limit=limit)
