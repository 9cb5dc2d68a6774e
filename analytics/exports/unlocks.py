"""All unlocks of a game as CSV: achievement by achievement, each in the order of time.

What is unlocked or taken back while the file is made may be in it or not.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext_lazy as _

from accounts import selectors as accounts
from achievements.selectors import definitions, unlocks
from achievements.selectors.unlocks import UnlockOf
from analytics.exports import game_of
from core.clock import from_microseconds, microseconds
from core.csv_files import Cell, line
from core.exports.kinds import Chunk, Export

COLUMNS: Final = ("player", "player_id", "achievement", "points", "unlocked_at", "heard_at")
AT_ONCE: Final = 5_000
Place = tuple[int, datetime | None, int]  # an achievement, and after which of its unlocks


def read(studio_id: int, about: Mapping[str, Any], after: Any) -> Chunk:
    """Return some unlocks of the game `about["game"]`."""
    game = game_of(studio_id, about)
    keys = {one.id: one.key for one in definitions.fresh_catalogue(game.id).by_key.values()}
    head = line(COLUMNS) if after is None else ""
    place = _place(after)
    waiting = sorted(pk for pk in keys if pk >= place[0])
    found, place = _some(waiting, place)
    data = head + "".join(line(cells) for cells in _cells(found, keys, studio_id))
    left = sum(1 for pk in waiting if pk > place[0])
    is_end = len(found) < AT_ONCE
    percent = 100 * (len(keys) - left) // max(1, len(keys))
    return Chunk(data.encode(), len(found), _as_json(place), percent, is_end)


def _some(achievements: Sequence[int], place: Place) -> tuple[list[UnlockOf], Place]:
    found: list[UnlockOf] = []
    for achievement_id in achievements:
        _, since, player = place if achievement_id == place[0] else (achievement_id, None, 0)
        rows = unlocks.unlocks_after(
            achievement_id, since=since, player_id=player, limit=AT_ONCE - len(found)
        )
        found += rows
        place = (
            (achievement_id, rows[-1].unlocked_at, rows[-1].player_id)
            if rows
            else (achievement_id, since, player)
        )
        if len(found) >= AT_ONCE:
            break
    return found, place


def _cells(found: Sequence[UnlockOf], keys: Mapping[int, str], studio_id: int) -> Iterator[list[Cell]]:
    players = accounts.players_named((one.player_id for one in found), studio_id=studio_id)
    for one in found:
        player = players.get(one.player_id)
        named = [player.external_id, player.id] if player else [None, None]
        yield [*named, keys[one.achievement_id], one.points, one.unlocked_at, one.heard_at]


def _place(after: Any) -> Place:
    if after is None:
        return 0, None, 0
    achievement_id, us, player_id = after
    return achievement_id, None if us is None else from_microseconds(us), player_id


def _as_json(place: Place) -> list[int | None]:
    achievement_id, at, player_id = place
    return [achievement_id, None if at is None else microseconds(at), player_id]


UNLOCKS: Final = Export(
    kind="unlocks",
    label=_("All unlocks"),
    explanation=_("CSV: who unlocked which achievement when, with its points."),
    suffix="csv",
    content_type="text/csv; charset=utf-8; header=present",
    read=read,
)
