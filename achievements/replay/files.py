"""Reads the gathered files: games with their definitions, and unlocks in the order in which they are sent."""

import csv
import gzip
import json
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from achievements.replay import definitions
from core.texts import clean_key

_DEFINITIONS: Final = "definitions.jsonl.gz"
# Minecraft's recipes are left out: hidden advancements that nobody defined.
_UNLOCKS: Final = ("unlocks.csv.gz", "unlocks_stackexchange_badges.csv.gz")


class Unusable(Exception):
    """A file is missing or is not what it should be; the message says which and why."""


@dataclass(frozen=True, slots=True, order=True)
class Unlock:
    """A row: `unlocked_at` is RFC 3339 in UTC, or empty where the source has no time."""

    unlocked_at: str
    player: str
    achievement: str


@dataclass(frozen=True, slots=True)
class Game:
    """A game to replay: its import document, what keys are worth, and its unlocks in order, with repeats."""

    name: str
    title: str
    document: dict[str, object]
    points: dict[str, int]
    unlocks: tuple[Unlock, ...]


def read_games(folder: Path, only: Collection[str] = ()) -> list[Game]:
    """Return the games (all, or `only` those named) in the order of the file.

    A game's unlocks are in the order of their times, those without a time first: the same in every replay, so
    the platform hears of them in this order, however often a replay is interrupted.
    Raises: Unusable.
    """
    unlocks = _read_unlocks(folder)
    games = []
    for line in _lines(folder / _DEFINITIONS):
        game = json.loads(line)
        name = game["game"]
        if not only or name in only:
            of_game = tuple(sorted(unlocks[name]))
            document = definitions.to_document(game, also=(unlock.achievement for unlock in of_game))
            points = definitions.points_of(document)
            games.append(Game(name, definitions.title(game), document, points, of_game))
    missing = set(only) - {game.name for game in games}
    if missing:
        raise Unusable(f"{', '.join(sorted(missing))}: no such game in {_DEFINITIONS}.")
    return games


def _read_unlocks(folder: Path) -> dict[str, list[Unlock]]:
    unlocks: dict[str, list[Unlock]] = defaultdict(list)
    for name in _UNLOCKS:
        for row in csv.DictReader(_lines(folder / name)):
            unlock = Unlock(row["unlocked_at"], row["player"], clean_key(row["achievement"]))
            unlocks[row["game"]].append(unlock)
    return unlocks


def _lines(path: Path) -> Iterator[str]:
    try:
        with gzip.open(path, "rt", encoding="utf-8", newline="") as lines:
            yield from lines
    except FileNotFoundError:
        raise Unusable(f"{path} is missing: give the folder that holds it.") from None
    except (OSError, EOFError, UnicodeDecodeError) as problem:
        raise Unusable(f"{path} can't be read: {problem}.") from None
