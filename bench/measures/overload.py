"""More than can be taken: five times the peak for a minute, and a caller at a hundred times its limit."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from itertools import repeat
from statistics import median

from bench.figures import Bench, Figure, Ratio, latency_of
from bench.load import REFUSED, BadAnswer, Flooded, Run, at_rate, flood, in_turn, percentile, saturate
from bench.machine import resident_kib
from bench.measures.singles import TARGET_PER_SECOND
from bench.neighbour import Neighbour

TIMES = 5
CONNECTIONS = 1_000
_PEAK = 64  # connections, as of `singles`
_MINUTE_S = 60.0
_KEPT_S = 20.0  # long enough for the listeners to take their part of the machine
_CATCHING_UP_S = 300.0
_NEW = {202}
_AT_MOST_PER_SECOND = 5_000
_PAIRS = 3  # for each repetition
NOISY_PER_S = 10
NOISY_TIMES = 100


def measure(bench: Bench) -> Iterator[Figure]:
    """Measure goodput beyond the peak, then what a noisy caller costs another studio."""
    kept_s = min(_KEPT_S, 2.5 * bench.plan.rate_seconds)
    peak = median(run.per_second for run in bench.repeat(partial(_saturated, bench, kept_s)))
    yield Figure(f"overload: peak, {_PEAK} connections for {kept_s:.0f} s", peak, "unlocks/s")
    for clients, patient in (
        ("clients that wait as they are told", True),
        ("clients that wait for nothing", False),
    ):
        bench.platform.wait_for_followers(within_s=_CATCHING_UP_S)
        before = _web_kib(bench)
        flooded = flood(
            bench.platform.web,
            bench.platform.requests.single,
            per_second=TIMES * peak,
            seconds=min(_MINUTE_S, 7.5 * bench.plan.rate_seconds),
            connections=CONNECTIONS,
            expected=_NEW,
            refusals=REFUSED,
            patient=patient,
        )
        bench.platform.require_all_alive()
        grown_mib = (_web_kib(bench) - before) / 1024
        yield from _told(f"overload at {TIMES} times the peak, {clients}", flooded, peak, grown_mib)
    yield from _neighbours(bench)


def _saturated(bench: Bench, seconds: float) -> Run:
    single = bench.platform.requests.single
    source = in_turn(iter([single() for _ in range(int(seconds * _AT_MOST_PER_SECOND))]))
    return saturate(
        bench.platform.web,
        source,
        connections=_PEAK,
        expected=_NEW,
        seconds=seconds,
        uncounted=REFUSED,  # a machine that stands still for a moment has some turned away
    )


def _told(name: str, flooded: Flooded, peak: float, grown_mib: float) -> Iterator[Figure]:
    if not flooded.taken_ms or not flooded.refused_ms:
        raise BadAnswer("Nothing was taken, or nothing refused: this was no flood.")
    goodput = len(flooded.taken_ms) / flooded.seconds
    sent = goodput + len(flooded.refused_ms) / flooded.seconds
    yield Figure(
        f"{name}: unlocks taken",
        goodput,
        "unlocks/s",
        latency=latency_of([flooded.taken_ms]),
        ratio=Ratio(goodput / peak, "the peak"),
        bar="≥ 0.9 of the peak, p99 < 1 s",
    )
    yield Figure(f"{name}: p99 of unlocks taken", percentile(flooded.taken_ms, 99), "ms", bar="< 1,000 ms")
    yield Figure(f"{name}: requests that got an answer", sent, "requests/s")
    yield Figure(f"{name}: p50 of refusals", percentile(flooded.refused_ms, 50), "ms", bar="< 20 ms")
    yield Figure(f"{name}: p99 of refusals", percentile(flooded.refused_ms, 99), "ms")
    yield Figure(f"{name}: memory of web, grown", grown_mib, "MiB")


def _neighbours(bench: Bench) -> Iterator[Figure]:
    """Another studio's latency, alone and beside a caller of whom nearly all is refused."""
    neighbour = Neighbour(bench.platform, per_s=NOISY_PER_S, sends_per_s=NOISY_PER_S * NOISY_TIMES)
    alone, beside = [], []
    for number in range(_PAIRS * bench.plan.repetitions):
        # In turn, and which one is first in turn: a p95 of seconds moves with the machine more than with the caller.
        for is_beside in (True, False) if number % 2 else (False, True):
            if is_beside:
                beside.append(_beside(bench, neighbour))
            else:
                alone.append(_at_target(bench))
    before, after = (latency_of([run.latencies_ms for run in runs]) for runs in (alone, beside))
    name = f"another studio at {TARGET_PER_SECOND}/s"
    yield Figure(f"{name}, alone: p95", before.p95, "ms", latency=before)
    beside_figure = Figure(
        f"{name}, beside a caller at {NOISY_TIMES} times its limit: p95", after.p95, "ms", latency=after
    )
    yield replace(beside_figure, ratio=Ratio(after.p95 / before.p95, "alone"), bar="< 1.2 × alone")


def _beside(bench: Bench, neighbour: Neighbour) -> Run:
    with neighbour:
        run = _at_target(bench)
    if neighbour.refused < neighbour.sent / 2:
        raise BadAnswer("The noisy caller was not refused.")
    return run


def _at_target(bench: Bench) -> Run:
    number = int(bench.plan.rate_seconds * TARGET_PER_SECOND)
    requests = [bench.platform.requests.single() for _ in repeat(None, number)]
    return at_rate(bench.platform.web, requests, per_second=TARGET_PER_SECOND, expected=_NEW)


def _web_kib(bench: Bench) -> float:
    (web,) = (process for process in bench.platform.processes if process.name == "web")
    return resident_kib(web.pid)
