"""When the demo's players played, around and between their unlocks; the same for the same beginning."""

import random
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from config.demo.games import DemoGame
from config.demo.past import Deed, deeds

_SAME_EVENING: Final = timedelta(hours=4)
_BEFORE_MINUTES, _AFTER_MINUTES = (4, 35), (3, 40)  # the first unlock of an evening, and after the last
_IN_BETWEEN: Final = 0.22  # of the days without an unlock
_LENGTH_MINUTES: Final = (12, 110)
_APART: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Evening:
    """A time that somebody played, without a break."""

    player: str
    begun: datetime
    ended: datetime


def evenings(game: DemoGame, *, until: datetime) -> dict[str, list[Evening]]:
    """Return each player's evenings, oldest first; they never overlap."""
    rng = random.Random(f"evenings of {game.title}")  # noqa: S311 - the same for everybody, and no secret
    by_player: defaultdict[str, list[Deed]] = defaultdict(list)
    for deed in deeds(game, until=until):
        by_player[deed.player].append(deed)
    return {player: _played(by_player[player], rng) for player in sorted(by_player)}


def _played(held: list[Deed], rng: random.Random) -> list[Evening]:
    found = [_around(evening, rng) for evening in _grouped(held)]
    for earlier, later in pairwise(list(found)):
        days = (later.begun - earlier.begun).days
        for ago in rng.sample(range(1, max(days, 1)), round(_IN_BETWEEN * max(days - 1, 0))):
            begun = earlier.begun + timedelta(days=ago, minutes=rng.uniform(-60, 60))
            evening = Evening(earlier.player, begun, begun + timedelta(minutes=rng.uniform(*_LENGTH_MINUTES)))
            if earlier.ended + _APART < evening.begun and evening.ended + _APART < later.begun:
                found.append(evening)
    return sorted(found, key=lambda one: one.begun)


def _grouped(held: list[Deed]) -> list[list[Deed]]:
    groups: list[list[Deed]] = []
    for deed in held:
        if groups and deed.at - groups[-1][-1].at < _SAME_EVENING:
            groups[-1].append(deed)
        else:
            groups.append([deed])
    return groups


def _around(group: list[Deed], rng: random.Random) -> Evening:
    begun = group[0].at - timedelta(minutes=rng.uniform(*_BEFORE_MINUTES))
    ended = group[-1].at + timedelta(minutes=rng.uniform(*_AFTER_MINUTES))
    return Evening(group[0].player, begun, ended)
