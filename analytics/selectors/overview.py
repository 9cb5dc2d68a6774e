"""A studio's games at a glance."""

from collections.abc import Sequence
from dataclasses import dataclass

from accounts.selectors import GameInfo
from achievements.selectors import definitions


@dataclass(frozen=True, slots=True)
class GameRow:
    """A game with what is counted of it.

    Attributes:
        published: how many achievements can be unlocked.
        drafts: how many are being written.
        players: how many have played, of those who count.
        unlocks: how many unlocks those have.

    """

    game: GameInfo
    published: int
    drafts: int
    players: int
    unlocks: int


def games(infos: Sequence[GameInfo]) -> list[GameRow]:
    """Return games with what is counted of them, in the order given; three queries however many they are."""
    counts = definitions.counts_by_game([info.id for info in infos])
    return [GameRow(info, *counts[info.id]) for info in infos]
