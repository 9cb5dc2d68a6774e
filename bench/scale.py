"""Measure with ever more stored: does an operation cost the same with ten million unlocks as with ten thousand.

Each size is a copy of Laurel of its own, with a past loaded by COPY into the game that is measured and compared with
what follows from it before anything is measured. New unlocks are of those players, all over their ids.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Final

from bench import machine
from bench.figures import Bench, Figure
from bench.load import BadAnswer
from bench.measures import costs
from bench.measures.analytics import loaded
from bench.recomputing import FOLLOWS_FROM_UNLOCKS

SIZES: Final = (10_000, 100_000, 1_000_000, 10_000_000)
# What docs/architecture.md promises, and what an unlock costs.
MEASURES: Final = (
    *("costs", "singles", "push", "batches", "board", "scores", "stats", "history", "player", "social"),
    *("webhooks", "analytics", "persons"),
)
FLAT: Final = 1.2
_BAR = f"≤ {FLAT} × the cost"
_EACH: Final = 10  # unlocks of a player, on average
_FEWEST_PLAYERS: Final = 20_000  # each has fifty achievements left: enough for what is measured
_FIXED_RATE = " at "  # of a figure whose rate is given, only the latency says something
_VERIFIED_WITHIN = ("boards", "analytics", "listeners")


def buffers_mib() -> int:
    """Return PostgreSQL's share of this machine: a quarter, as docs/guides/scale.md says, at each size the same."""
    return int(machine.memory_gib() * 1024 / 4)


def filled(bench: Bench, size: int) -> Iterator[Figure]:
    """Load a past of about as many unlocks, rebuild what commands rebuild, and compare. Raises BadAnswer."""
    players = max(_FEWEST_PLAYERS, size // _EACH)
    bench.plan = replace(bench.plan, audience_unlocks=size)
    past = loaded(bench, players, "--game", bench.platform.world.game)
    bench.past = past
    bench.platform.requests.go_on_with(past.players)
    yield Figure("loaded: unlocks", past.unlocks, "unlocks")
    yield Figure("loaded: players", past.players, "players")
    yield Figure("loaded: rate, with all that follows", past.unlocks / past.seconds, "unlocks/s")
    for command in ("rebuild_boards", "rebuild_analytics"):
        seconds, _ = bench.platform.manage(command)
        yield Figure(f"loaded: {command}", seconds, "s")
    _require_whole(bench)


def _require_whole(bench: Bench) -> None:
    only = [word for name in _VERIFIED_WITHIN for word in ("--only", name)]
    bench.platform.manage("verify", *only)
    with bench.platform.connect() as connection:
        for what, sql in FOLLOWS_FROM_UNLOCKS.items():
            if rows := connection.execute(sql.encode()).fetchmany(5):
                raise BadAnswer(f"What was loaded does not hold together: {what}, such as {rows}.")


def growth(sizes: Mapping[int, Sequence[Figure]]) -> list[Figure]:
    """Return what each figure costs at the largest size as a multiple of the smallest, and of those between."""
    first, *others = sorted(sizes)
    before = {figure.name: figure for figure in sizes[first]}
    found = []
    for size in others:
        for figure in sizes[size]:
            if figure.name in before and (ratio := cost_ratio(before[figure.name], figure)) is not None:
                is_promised = figure.name in _PROMISED
                name = f"{figure.name}: at {size:,} stored instead of {first:,}"
                found.append(Figure(name, ratio, "× the cost", bar=_BAR if is_promised else ""))
    return found


_PROMISED: Final = (f"{costs.SINGLE}: CPU", f"{costs.BATCHED}: CPU", "single unlocks, 64 connections")


def cost_ratio(before: Figure, after: Figure) -> float | None:
    """Return by how much more something costs: time or CPU as it is, the inverse of a rate; None of a count."""
    if _FIXED_RATE in before.name and before.latency and after.latency:
        return after.latency.p50 / before.latency.p50
    if not before.value or not after.value or before.name.startswith("…"):
        return None
    if before.unit.endswith("/s"):
        return before.value / after.value
    return after.value / before.value if before.unit in ("ms", "µs", "s", "bytes") else None
