"""What is measured, one figure or a few related ones a module, in the order of the table."""

from collections.abc import Callable, Iterator

from bench.figures import Bench, Figure, Plan
from bench.measures import (
    analytics,
    batches,
    board,
    costs,
    crowd,
    guards,
    held,
    history,
    limits,
    overload,
    persons,
    player,
    push,
    rates,
    scores,
    singles,
    soak,
    social,
    stats,
    webhooks,
)

MEASURES: dict[str, Callable[[Bench], Iterator[Figure]]] = {
    "limits": limits.measure,
    "costs": costs.measure,
    "singles": singles.measure,
    "push": push.measure,
    "held": held.measure,
    "batches": batches.measure,
    "board": board.measure,
    "scores": scores.measure,
    "stats": stats.measure,
    "history": history.measure,
    "player": player.measure,
    "social": social.measure,
    "webhooks": webhooks.measure,
    "rates": rates.measure,
    "guards": guards.measure,
    "overload": overload.measure,
    "analytics": analytics.measure,
    "persons": persons.measure,
    "crowd": crowd.measure,
    "soak": soak.measure,
}
# What is measured only when it is asked for, since it takes long; and how many players it wants.
ALONE: dict[str, Callable[[Plan], int]] = {
    "crowd": lambda plan: plan.connections,
    "soak": lambda plan: plan.players,
}
