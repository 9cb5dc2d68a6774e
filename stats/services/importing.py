"""The `stats` of a game's file of definitions: stored by the rules and services of the API, and read out."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction

from accounts import selectors as accounts
from core import sections
from core.sections import Section, Stored
from stats.models import Stat
from stats.rules import definitions as rules
from stats.rules.values import to_number
from stats.selectors import definitions
from stats.selectors.definitions import StatInfo
from stats.services import definitions as services


def store(game_id: int, rows: Sequence[object], *, at: datetime) -> Stored:
    """Create and change a game's stats, inside the caller's transaction; see `core.sections.store_rows`."""
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
    """Return a game's stats, oldest first, with what can be set only: they store again unchanged."""
    return [{"key": info.key, **_values(info)} for info in definitions.fresh_stats(game_id).values()]


def _locked(game_id: int, keys: Iterable[str]) -> dict[str, StatInfo]:
    """Return the stats that are there already, locked: what is told of them is what is changed."""
    found = Stat.objects.select_for_update(no_key=True).filter(game_id=game_id, key__in=set(keys))
    return {row.key: definitions.info_of(row) for row in found.order_by("id")}


def _values(info: StatInfo) -> dict[str, Any]:
    """Return what can be set, as the API shows it."""
    return {
        name: to_number(value) if isinstance(value, Decimal) else value
        for name, value in services.as_values(info).items()
    }


SECTION: Final = Section(store=store, rows=rows)
_KIND: Final = sections.Kind(
    noun="stat",
    most=services.MOST_STATS,
    fields=tuple(rules.CLEAN),
    told=("created_at", "updated_at"),
    clean_key=rules.clean_key,
    values=_values,
)
