"""Compares the platform's answers with what the files say; every difference is one sentence. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import zip_longest
from typing import Any

from achievements.replay.expectations import Place


def player_differences(
    player: str, expected: Mapping[str, str], points: Mapping[str, int], listed: Sequence[Mapping[str, Any]]
) -> Iterator[str]:
    """Compare a player's list of a game's achievements with the files: what, when, points.

    `expected` is key → time, "" where the platform chose it; `points` is key → points of the whole game.
    """
    got = {row["key"]: row for row in listed if row["unlocked"]}
    for key in sorted(points.keys() - {row["key"] for row in listed}):
        yield f"{player}: {key!r} is not listed"
    for key in sorted(expected.keys() - got.keys()):
        yield f"{player}: {key!r} is not unlocked"
    for key in sorted(got.keys() - expected.keys()):
        yield f"{player}: {key!r} is unlocked, which no file says"
    for key in sorted(expected.keys() & got.keys()):
        at = got[key]["unlocked_at"]
        if not _same_time(expected[key], at):
            yield f"{player}: {key!r} was unlocked at {at}, not at {expected[key] or 'any time'}"
    total, due = sum(row["points"] for row in got.values()), sum(points[key] for key in expected)
    if total != due:
        yield f"{player}: the unlocked ones add up to {total} points, not {due}"


def board_differences(expected: Sequence[Place], listed: Sequence[Place]) -> Iterator[str]:
    """Compare a whole board line by line: order, ranks (1, 2, 2, 4) and points."""
    if len(listed) != len(expected):
        yield f"the board has {len(listed):,} players, not {len(expected):,}"
    for line, (due, got) in enumerate(zip_longest(expected, listed), start=1):
        if due != got:
            yield f"line {line:,} of the board is {_shown(got)}, not {_shown(due)}"


def _same_time(expected: str, got: str | None) -> bool:
    if got is None:
        return False
    return not expected or datetime.fromisoformat(expected) == datetime.fromisoformat(got)


def _shown(place: Place | None) -> str:
    return "missing" if place is None else f"{place.rank}. {place.player} with {place.points}"
