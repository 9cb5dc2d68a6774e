"""Stats by a part of their key or name."""

from collections.abc import Collection

from core import lookup
from core.lookup import Lookup

_FIND = lookup.statement("stats_stat", state="CASE WHEN archived_at IS NULL THEN '' ELSE 'archived' END")


def find(game_ids: Collection[int], text: str, *, first: int | None, limit: int) -> Lookup:
    """Return those of some games that fit, in one query; `state` is empty or archived."""
    return lookup.find(_FIND, game_ids, text, first=first, limit=limit)
