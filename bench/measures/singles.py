"""Single unlocks: how many a second, and how long each takes at the target rate."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from itertools import repeat

from bench.figures import Bench, Figure, latency_of, rate_figure
from bench.load import Run, at_rate, in_turn, saturate
from bench.measures import limits

TARGET_PER_SECOND = 167  # 10,000 a minute
_NEW = {202}
_AT_MOST_PER_SECOND = 12_000  # requests made beforehand for each second


def measure(bench: Bench) -> Iterator[Figure]:
    """Measure saturation at two numbers of connections, then latency at the target rate."""
    for connections, bar in ((16, ""), (64, "≥ 2,500/s")):
        runs = bench.repeat(partial(_saturated, bench, connections))
        figure = rate_figure(f"single unlocks, {connections} connections", runs, unit="unlocks/s", bar=bar)
        yield replace(figure, ratio=bench.rate_against(limits.INSERT_ONE, figure.value))
    requests = bench.platform.requests
    yield _at_target(bench, "players known", requests.single, bar="p95 < 10, p99 < 25 ms")
    yield _at_target(bench, "players new", requests.newcomer)


def _saturated(bench: Bench, connections: int) -> Run:
    seconds = bench.plan.seconds
    single = bench.platform.requests.single
    requests = [single() for _ in range(int(seconds * _AT_MOST_PER_SECOND))]
    source = in_turn(iter(requests))
    return saturate(bench.platform.web, source, connections=connections, expected=_NEW, seconds=seconds)


def _at_target(bench: Bench, who: str, make: Callable[[], bytes], *, bar: str = "") -> Figure:
    number = int(bench.plan.rate_seconds * TARGET_PER_SECOND)

    def run() -> Run:
        requests = [make() for _ in repeat(None, number)]
        return at_rate(bench.platform.web, requests, per_second=TARGET_PER_SECOND, expected=_NEW)

    runs = bench.repeat(run)
    figure = rate_figure(f"single unlocks at {TARGET_PER_SECOND}/s, {who}", runs, unit="unlocks/s", bar=bar)
    latency = latency_of([run.latencies_ms for run in runs])
    return replace(figure, ratio=bench.time_against(limits.INSERT_ALONE, latency.p50))
