"""Calls that cross the end of a chunk of Python's stack fault a page each; with room they do not, however deep."""

import resource
import threading
from collections.abc import Callable

from core.roomy import roomy

CALLS, DEEPEST = 400, 250


def _some_work(value: object) -> bool:
    return any(isinstance(one, str) for one in (value,))


def _faults(depth: int) -> int:
    """Return the page faults of CALLS calls, from so deep."""
    if depth:
        return _faults(depth - 1)
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_minflt
    for number in range(CALLS):
        _some_work(number)
    return resource.getrusage(resource.RUSAGE_THREAD).ru_minflt - before


def _most(ask: Callable[[int], int]) -> int:
    """Return the faults at the worst depth, in a thread whose stack is new."""
    found: list[int] = []

    def run() -> None:
        found.extend(ask(depth) for depth in range(DEEPEST))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return max(found)


def test_no_depth_faults_with_each_call() -> None:
    assert _most(roomy(_faults)) < CALLS / 10


def test_what_is_called_gets_and_gives_what_it_would() -> None:
    @roomy
    def told(one: int, *, other: str) -> tuple[int, str]:
        return one, other

    assert told(1, other="x") == (1, "x")
