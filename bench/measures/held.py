"""What an open page costs the `live` process, and how fast pushes are while many are held."""

import time
from collections.abc import Iterator

from bench.figures import Bench, Figure
from bench.holding import held
from bench.machine import resident_kib
from bench.measures import push

HELD = 10_000
_SETTLED_S = 2.0


def measure(bench: Bench) -> Iterator[Figure]:
    """Hold HELD pages of as many players on one process, then push to others as `push` does."""
    count = min(HELD, bench.plan.players)
    tokens = bench.platform.tokens(count)
    before = _resident_kib(bench)
    with held(bench.platform.live, tokens) as per_second:
        time.sleep(_SETTLED_S)
        each = (_resident_kib(bench) - before) / count
        yield Figure(f"open pages: memory of each of {count:,}", each, "KiB", bar="< 26 KiB")
        yield Figure("open pages: opened", per_second, "pages/s")
        yield from push.measure(bench, name=f"unlock to open page, {count:,} others held")
    bench.platform.require_all_alive()


def _resident_kib(bench: Bench) -> float:
    """Return what the `live` process holds in memory."""
    (live,) = (process for process in bench.platform.processes if process.name == "live")
    return resident_kib(live.pid)
