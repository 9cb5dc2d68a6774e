"""What a player did over one of the fixed windows, bucket by bucket."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from core import clock
from history import rollups
from history.buckets import Bucket, Level, begins_at, buckets

WINDOWS: Final[Mapping[str, tuple[Level, int]]] = {
    "7d": ("hour", 7),
    "30d": ("day", 30),
    "90d": ("day", 90),
    "365d": ("week", 365),
}
COLUMNS: Final[Mapping[str, str]] = {"unlocks": "unlocks", "points": "points", "playtime": "playtime_ms"}


@dataclass(frozen=True, slots=True)
class Trend:
    """Every bucket of a window with when it begins, oldest first, and what was done in it; 0 for nothing."""

    bucket: Level
    points: tuple[tuple[datetime, int | float], ...]


def trend(
    *,
    player_id: int,
    time_zone: str,
    metric: str,
    window: str,
    at: datetime,
    game_ids: Iterable[int] | None = None,
) -> Trend:
    """Return a player's unlocks, points or playtime (in seconds), in some games or (None) in all; one query."""
    level, listed, zone = _window(window, time_zone, at=at)
    found = rollups.read_activity(
        level, COLUMNS[metric], player_id=player_id, since=listed[0], game_ids=game_ids
    )
    unit = 1000 if metric == "playtime" else 1
    return Trend(level, _points(listed, {at: Decimal(value) / unit for at, value in found.items()}, zone))


def stat_trend(*, player_id: int, time_zone: str, stat_id: int, window: str, at: datetime) -> Trend:
    """Return by how much a player's stat changed in each bucket; one query."""
    level, listed, zone = _window(window, time_zone, at=at)
    found = rollups.read_stat(level, player_id=player_id, stat_id=stat_id, since=listed[0])
    return Trend(level, _points(listed, found, zone))


def _window(window: str, time_zone: str, *, at: datetime) -> tuple[Level, list[Bucket], ZoneInfo]:
    level, days = WINDOWS[window]
    zone = clock.zone(time_zone)
    return level, buckets(level, days=days, now=at, zone=zone), zone


def _points(
    listed: Sequence[Bucket], found: Mapping[Bucket, Decimal], zone: ZoneInfo
) -> tuple[tuple[datetime, int | float], ...]:
    """Return what was found by the buckets that are listed.

    What was counted in another zone, before the player moved, may begin within an hour, or tomorrow: it is counted to
    the bucket in which it begins, or to the last one.
    """
    values: dict[Bucket, Decimal] = defaultdict(Decimal)
    for at, value in found.items():
        values[listed[bisect_right(listed, at) - 1]] += value
    return tuple((begins_at(bucket, zone), _shown(values[bucket])) for bucket in listed)


def _shown(value: Decimal) -> int | float:
    return int(value) if value == int(value) else float(value)
