"""What the platform has to answer after a replay, computed from the files alone. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from achievements.replay.files import Game, Unlock

# Earlier times are refused by the platform; the sources have them for "unknown".
_EARLIEST: Final = "1980-01-01T00:00:00Z"


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a board: equal points share a rank, and the next is skipped (1, 2, 2, 4)."""

    rank: int
    player: str
    points: int


@dataclass(frozen=True, slots=True)
class Expected:
    """What a game has to look like: player → key → time ("" for any), and the whole board in its order."""

    unlocked: Mapping[str, Mapping[str, str]]
    board: tuple[Place, ...]


def as_sent(unlock: Unlock, now: str) -> dict[str, str]:
    """Return an unlock as it is sent: without a time where the source has none that can be."""
    item = {"player": unlock.player, "achievement": unlock.achievement}
    return item | ({"unlocked_at": unlock.unlocked_at} if _EARLIEST <= unlock.unlocked_at <= now else {})


def expect(game: Game, now: str) -> Expected:
    """Return what comes of sending a game's unlocks one after the other.

    Of several times for the same unlock the one that is heard first counts. Of equal points, who reached them
    first is listed first: whose last unlock that was worth anything was sent earlier.
    """
    unlocked: dict[str, dict[str, str]] = {}
    points: dict[str, int] = {}
    reached: dict[str, int] = {}
    for place, unlock in enumerate(game.unlocks):
        mine = unlocked.setdefault(unlock.player, {})
        if unlock.achievement in mine:
            continue
        mine[unlock.achievement] = as_sent(unlock, now).get("unlocked_at", "")
        worth = game.points[unlock.achievement]
        points[unlock.player] = points.get(unlock.player, 0) + worth
        if worth or unlock.player not in reached:
            reached[unlock.player] = place
    order = sorted(points, key=lambda player: (-points[player], reached[player]))
    return Expected(unlocked, tuple(_ranked((player, points[player]) for player in order)))


def _ranked(standings: Iterable[tuple[str, int]]) -> Iterator[Place]:
    rank, previous = 0, None
    for place, (player, points) in enumerate(standings, start=1):
        if points != previous:
            rank, previous = place, points
        yield Place(rank, player, points)
