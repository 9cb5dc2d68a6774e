"""What stats must say for an achievement to unlock: a tree of conditions, read and reckoned. Pure.

A condition compares a stat, or a weighted sum of stats, with a number; `all` and `any` join conditions and each other:

    {"all": [
        {"stat": "wins", "at_least": 10},
        {"any": [{"stat": "best_lap", "at_most": 80.5}, {"sum": {"hits": 1, "misses": -1}, "at_least": 100}]}
    ]}
"""

import hashlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property
from typing import Any, Final, TypeGuard

import orjson

from core.texts import clean_key, quoted

MAX_DEPTH: Final = 8
MAX_CONDITIONS: Final = 100
MAX_FACTOR: Final = 1_000
LARGEST: Final = 2**53
MOST_DECIMALS: Final = 6
_BOUNDS: Final = {"at_least", "at_most"}


@dataclass(frozen=True)
class Condition:
    """A comparison: the sum of stats times their factors is at least, or at most, the threshold.

    `is_floor` None: at least, but at most for a stat of which the smallest value is kept.
    """

    factors: tuple[tuple[str, int], ...]
    threshold: Decimal
    is_floor: bool | None

    @cached_property
    def name(self) -> str:
        """A short name that stays while the condition does, whatever else changes in its tree."""
        told = orjson.dumps([self.factors, str(self.threshold), self.is_floor])
        return hashlib.sha256(told).hexdigest()[:16]

    @property
    def stats(self) -> tuple[str, ...]:
        """The stats' keys."""
        return tuple(key for key, _ in self.factors)

    def reckon(self, values: Mapping[str, Decimal]) -> Decimal | None:
        """Return what is compared; None while the player holds none of the stats."""
        held = [(values[key], factor) for key, factor in self.factors if key in values]
        return sum((value * factor for value, factor in held), Decimal(0)) if held else None

    def holds(self, values: Mapping[str, Decimal], aggregations: Mapping[str, str]) -> bool:
        """Say whether a player who holds the values meets it."""
        reckoned = self.reckon(values)
        if reckoned is None:
            return False
        if self.asks_for_more(aggregations):
            return reckoned >= self.threshold
        return reckoned <= self.threshold

    def asks_for_more(self, aggregations: Mapping[str, str]) -> bool:
        """Say whether it is `at_least`."""
        if self.is_floor is not None:
            return self.is_floor
        return aggregations.get(self.factors[0][0]) != "min"


@dataclass(frozen=True)
class Group:
    """Conditions that must all hold, or any of them."""

    needs_all: bool
    parts: "tuple[Goal, ...]"


Goal = Condition | Group


def conditions(goal: Goal) -> Iterator[Condition]:
    """Yield a goal's conditions in their order."""
    if isinstance(goal, Condition):
        yield goal
    else:
        for part in goal.parts:
            yield from conditions(part)


def stats_of(goal: Goal) -> set[str]:
    """Return the keys of every stat that a goal asks about."""
    return {key for condition in conditions(goal) for key in condition.stats}


def reached(goal: Goal, holds: Callable[[Condition], bool]) -> bool:
    """Say whether a goal is reached, given which of its conditions hold."""
    if isinstance(goal, Condition):
        return holds(goal)
    met = (reached(part, holds) for part in goal.parts)
    return all(met) if goal.needs_all else any(met)


def progress(goal: Goal, holds: Callable[[Condition], bool]) -> tuple[int, int]:
    """Return how many parts of a goal are met, and how many there are to meet; any of several is one to meet."""
    if isinstance(goal, Group) and goal.needs_all:
        return sum(reached(part, holds) for part in goal.parts), len(goal.parts)
    return int(reached(goal, holds)), 1


def steps(
    goal: Goal,
    values: Mapping[str, Decimal],
    aggregations: Mapping[str, str],
    holds: Callable[[Condition], bool],
) -> tuple[int, int]:
    """Return how far a player is who holds the values, and the target; he may be past it.

    A goal of several conditions counts those that are met; towards a smallest value there is nothing to count but
    whether it is reached.
    """
    if _is_counted(goal, aggregations):
        return max(int(goal.reckon(values) or 0), 0), int(goal.threshold)
    return progress(goal, holds)


def _is_counted(goal: Goal, aggregations: Mapping[str, str]) -> TypeGuard[Condition]:
    return isinstance(goal, Condition) and goal.asks_for_more(aggregations) and goal.threshold >= 1


def counts_one_stat(goal: Goal, aggregations: Mapping[str, str]) -> bool:
    """Say whether the way to a goal is a single stat's, up to a threshold."""
    is_single = isinstance(goal, Condition) and len(goal.factors) == 1
    return is_single and _is_counted(goal, aggregations)


def latches(condition: Condition, aggregations: Mapping[str, str]) -> bool:
    """Say whether a condition that held once holds for good: the last value of a stat comes and goes."""
    return any(aggregations.get(key) == "last" for key in condition.stats)


def directed(condition: Condition, aggregations: Mapping[str, str]) -> Condition:
    """Return a condition that says itself whether it is `at_least` or `at_most`."""
    return replace(condition, is_floor=condition.asks_for_more(aggregations))


def short_form(stat: str, target: int) -> Condition:
    """Return the goal of an achievement that a single stat drives towards its target."""
    return Condition(((stat, 1),), Decimal(target), None)


def read(value: object) -> Goal:
    """Return a goal from JSON.

    Raises:
        ValueError: what is wrong, and what to do.

    """
    goal = _read(value, 1)
    if sum(1 for _ in conditions(goal)) > MAX_CONDITIONS:
        raise ValueError(f"The goal has more than {MAX_CONDITIONS} conditions: leave some out.")
    return goal


def to_json(goal: Goal) -> dict[str, Any]:
    """Return a goal as the API shows it."""
    if isinstance(goal, Group):
        return {"all" if goal.needs_all else "any": [to_json(part) for part in goal.parts]}
    bound = "at_most" if goal.is_floor is False else "at_least"
    threshold = int(goal.threshold) if goal.threshold == int(goal.threshold) else float(goal.threshold)
    if len(goal.factors) == 1 and goal.factors[0][1] == 1:
        return {"stat": goal.factors[0][0], bound: threshold}
    return {"sum": dict(goal.factors), bound: threshold}


def _read(value: object, depth: int) -> Goal:
    if depth > MAX_DEPTH:
        raise ValueError(f"The goal is more than {MAX_DEPTH} levels deep: make it flatter.")
    if not isinstance(value, Mapping):
        raise ValueError(f"The goal holds {quoted(value)}: give each condition as an object.")
    names = set(value)
    if names in ({"all"}, {"any"}):
        parts = value.get("all", value.get("any"))
        if not isinstance(parts, list | tuple) or not parts or len(parts) > MAX_CONDITIONS:
            raise ValueError("`all` and `any` take a list of at least one condition.")
        return Group("all" in names, tuple(_read(part, depth + 1) for part in parts))
    if len(names & _BOUNDS) == 1 and names - _BOUNDS in ({"stat"}, {"sum"}):
        bound = (names & _BOUNDS).pop()
        return Condition(_factors(value), _threshold(value[bound]), bound == "at_least")
    raise ValueError(
        'A condition is {"stat": key, "at_least": n} (or at_most), {"sum": {key: factor}, "at_least": n},'
        ' {"all": […]} or {"any": […]}.'
    )


def _factors(value: Mapping[str, Any]) -> tuple[tuple[str, int], ...]:
    if "stat" in value:
        return ((clean_key(value["stat"], what="stat"), 1),)
    factors = value["sum"]
    if not isinstance(factors, Mapping) or not 1 <= len(factors) <= MAX_CONDITIONS:
        raise ValueError('`sum` takes the stats with their factors: {"wins": 1, "losses": -1}.')
    read = {clean_key(key, what="stat"): factor for key, factor in factors.items()}
    if len(read) < len(factors):
        raise ValueError("`sum` names a stat twice: name each once.")
    for factor in read.values():
        if isinstance(factor, bool) or not isinstance(factor, int) or not 1 <= abs(factor) <= MAX_FACTOR:
            raise ValueError(
                f"A factor is {quoted(factor)}: give a whole number from -{MAX_FACTOR} to {MAX_FACTOR}, not 0."
            )
    return tuple(sorted(read.items()))


def _threshold(value: object) -> Decimal:
    if isinstance(value, float):
        value = Decimal(repr(value))
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not -LARGEST <= value <= LARGEST:
        raise ValueError(f"A threshold is {quoted(value)}: give a number of at most 2^53.")
    threshold = Decimal(value).normalize()
    if threshold != round(threshold, MOST_DECIMALS):
        raise ValueError(f"A threshold is {quoted(value)}: stats keep at most {MOST_DECIMALS} decimals.")
    return threshold


def circle(requires: Mapping[str, Collection[str]]) -> list[str]:
    """Return the keys of a circle of achievements that require each other, or nothing if there is none."""
    done: set[str] = set()
    for start in requires:
        path: list[str] = []
        stack = [(start, iter(requires.get(start, ())))] if start not in done else []
        on_path = {start}
        path.append(start)
        while stack:
            key, rest = stack[-1]
            following = next((each for each in rest if each not in done), None)
            if following is None:
                done.add(key)
                on_path.discard(key)
                stack.pop()
                path.pop()
            elif following in on_path:
                return path[path.index(following) :]
            else:
                on_path.add(following)
                path.append(following)
                stack.append((following, iter(requires.get(following, ()))))
    return []
