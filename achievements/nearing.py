"""Telling that reports of stats brought players nearer to achievements, as reports of steps tell it."""

from collections.abc import Sequence
from dataclasses import dataclass

from achievements.facts import ProgressChanged
from core.db import run_prepared
from core.facts import publish
from core.ids import new_id
from stats.facts import ValueMoved


@dataclass(frozen=True, slots=True)
class Step:
    """How far a move of a value brought its player; `current` may be past the target."""

    move: ValueMoved
    achievement_id: int
    previous: int
    current: int
    target: int


_CLOCK = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"


def announce(steps: Sequence[Step]) -> None:
    """Tell who came nearer and did not reach the target, inside the transaction that holds the values' rows.

    The version is PostgreSQL's clock while those rows are locked: later reports of a player have higher ones.

    Publishes:
        ProgressChanged, for each game.

    """
    facts: dict[tuple[int, int], ProgressChanged] = {}
    for step in _joined(steps):
        if step.current == step.previous or step.current >= step.target:
            continue
        about = step.move.studio_id, step.move.game_id
        fact = facts.setdefault(about, ProgressChanged(step.move.game_id, new_id().hex, []))
        fact.changes.append(
            [step.move.player_id, step.achievement_id, step.previous, step.current, step.target]
        )
    if not facts:
        return
    version = run_prepared(_CLOCK, [])[0][0]
    for (studio_id, _), fact in facts.items():
        for change in fact.changes:
            change.append(version)
        publish(fact, studio_id=studio_id, size=len(fact.changes))


def _joined(steps: Sequence[Step]) -> list[Step]:
    """Return one step for each player and achievement: from where the first began to where the last ended."""
    joined: dict[tuple[int, int], Step] = {}
    for step in steps:
        pair = step.move.player_id, step.achievement_id
        previous = joined[pair].previous if pair in joined else step.previous
        joined[pair] = Step(step.move, step.achievement_id, previous, step.current, step.target)
    return list(joined.values())
