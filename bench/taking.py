"""Take tokens as a process of `web` does: `python -m bench.taking CALLER SECONDS`, or `… costs` for what a take costs.

Prints JSON: how many were let through, and from when until when it asked; or the microseconds of a take.
"""

import sys
import time
from collections.abc import Callable
from statistics import median

import django
import orjson

django.setup()

from bench.measures.rates import LIMIT  # noqa: E402
from core import rates  # noqa: E402
from core.rates import Rate, take  # noqa: E402
from core.redis import BREAKER_OPEN_S, breaker  # noqa: E402

_ENOUGH = Rate("enough", 1e6, 1_000_000)
_TIMES = 2_000


def spend(caller: str, seconds: float) -> dict[str, float]:
    """Take as many as there are, for some seconds."""
    began = time.time()
    allowed = 0
    while time.time() < began + seconds:
        allowed += take(LIMIT, caller).allowed
    return {"allowed": allowed, "began": began, "ended": time.time()}


def costs() -> dict[str, float]:
    """Return what a take costs that finds tokens in the process, and one that asks Valkey."""
    take(_ENOUGH, "held")
    time.sleep(BREAKER_OPEN_S)  # the first to ask opens the connection, and may find that this takes too long
    take(_ENOUGH, "held")
    told = {
        "held": _microseconds(lambda number: take(_ENOUGH, "held", 1)),
        "asked": _microseconds(lambda number: take(_ENOUGH, f"asked {number}", 1)),
    }
    if breaker("limits").is_open:
        raise SystemExit("Valkey did not answer in time: what was measured is a process without it.")
    return told


def _microseconds(one: Callable[[int], object]) -> float:
    times = []
    for number in range(_TIMES):
        began = time.perf_counter()
        one(number)
        times.append(time.perf_counter() - began)
    rates.forget()
    return median(times) * 1e6


if __name__ == "__main__":
    told = costs() if sys.argv[1] == "costs" else spend(sys.argv[1], float(sys.argv[2]))
    print(orjson.dumps(told).decode())
