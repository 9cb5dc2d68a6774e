"""What stats a game declares, kept in the process for a moment."""

import threading
import time
import unicodedata
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from stats.models import Stat
from stats.rules.values import Aggregation, Rule

KEPT_S = 2.0
_KEPT_GAMES = 500


@dataclass(frozen=True, slots=True)
class StatInfo:
    """A stat as its studio declared it."""

    id: int
    uuid: UUID
    studio_id: int
    game_id: int
    key: str
    name: str
    rule: Rule
    authority: str
    archived: bool
    version: int
    created_at: datetime
    updated_at: datetime


_kept: OrderedDict[int, tuple[float, dict[str, StatInfo]]] = OrderedDict()
_lock = threading.Lock()


def stats(game_id: int) -> dict[str, StatInfo]:
    """Return a game's stats by key, oldest first, KEPT_S old at most."""
    loaded_at, found = _kept.get(game_id, (float("-inf"), {}))
    return found if time.monotonic() - loaded_at < KEPT_S else fresh_stats(game_id)


def fresh_stats(game_id: int) -> dict[str, StatInfo]:
    """Return a game's stats by key, oldest first, as they are now."""
    now = time.monotonic()
    found = {row.key: info_of(row) for row in Stat.objects.filter(game_id=game_id).order_by("id")}
    with _lock:
        _kept[game_id] = now, found
        _kept.move_to_end(game_id)
        while len(_kept) > _KEPT_GAMES:
            _kept.popitem(last=False)
    return found


def fresh_stat(game_id: int, key: str) -> StatInfo | None:
    """Return a stat by its key, however that is composed, as it is now."""
    return fresh_stats(game_id).get(unicodedata.normalize("NFC", key))


def forget() -> None:
    """Empty this process's kept stats (after a change here, and between tests)."""
    with _lock:
        _kept.clear()


def info_of(row: Stat) -> StatInfo:
    """Return a row as others see it."""
    return StatInfo(
        id=row.pk,
        uuid=row.uuid,
        studio_id=row.studio_id,
        game_id=row.game_id,
        key=row.key,
        name=row.name,
        rule=Rule(
            cast("Aggregation", row.aggregation),
            lowest=row.min,
            highest=row.max,
            max_delta=row.max_delta,
            increment_only=row.increment_only,
            start=row.default,
        ),
        authority=row.authority,
        archived=row.archived_at is not None,
        version=row.version,
        created_at=row.created_at,
        updated_at=row.updated_at,
    )
