"""The `leaderboards` of a game's file of definitions: stored by the rules and services of the API, and read out."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from accounts import selectors as accounts
from core import sections
from core.sections import Section, Stored
from leaderboards.models import Leaderboard
from leaderboards.rules import definitions as rules
from leaderboards.selectors import definitions
from leaderboards.selectors.definitions import BoardInfo
from leaderboards.services import definitions as services


def store(game_id: int, rows: Sequence[object], *, at: datetime) -> Stored:
    """Create and change a game's boards, inside the caller's transaction; see `core.sections.store_rows`."""
    game = accounts.games_by_id([game_id])[game_id]
    transaction.on_commit(definitions.forget)  # until then others may have kept what was before
    return sections.store_rows(
        _KIND,
        rows,
        present=lambda keys: _locked(game_id, keys),
        create=lambda values: services.create(game=game, values=values, at=at),
        update=lambda key, values: services.update(game=game, key=key, values=values, at=at),
    )


def rows(game_id: int) -> list[dict[str, Any]]:
    """Return a game's boards, oldest first, with what can be set only: they store again unchanged."""
    return [{"key": info.key, **_values(info)} for info in definitions.fresh_boards(game_id).values()]


def _locked(game_id: int, keys: Iterable[str]) -> dict[str, BoardInfo]:
    """Return the boards that are there already, locked: what is told of them is what is changed."""
    found = Leaderboard.objects.select_for_update(no_key=True).filter(game_id=game_id, key__in=set(keys))
    return {row.key: definitions.info_of(row) for row in found.order_by("id")}


def _values(info: BoardInfo) -> dict[str, Any]:
    """Return what can be set, as the API shows it."""
    return {**services.as_values(info), "cron": info.cron or None}


SECTION: Final = Section(store=store, rows=rows)
_KIND: Final = sections.Kind(
    noun="leaderboard",
    most=services.MOST_BOARDS,
    fields=tuple(rules.CLEAN),
    told=("builtin", "next_reset_at", "created_at", "updated_at"),
    clean_key=rules.clean_key,
    values=_values,
)
