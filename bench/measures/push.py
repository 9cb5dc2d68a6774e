"""From sending an unlock to its arrival on the player's open page, at the target rate."""

from collections.abc import Iterator
from statistics import median

from bench.figures import Bench, Figure, latency_of
from bench.load import Run, at_rate
from bench.measures import limits
from bench.measures.singles import TARGET_PER_SECOND
from bench.pages import Pages, opened
from bench.world import WATCHERS

_NEW = {202}


def measure(
    bench: Bench, *, name: str = f"unlock to open page at {TARGET_PER_SECOND}/s, {WATCHERS} pages"
) -> Iterator[Figure]:
    """Measure with a page open for each of WATCHERS players, who unlock in turn."""
    waits: list[list[float]] = []
    with opened(bench.platform) as pages:
        runs = bench.repeat(lambda: _repetition(bench, pages, waits))
    latency = latency_of(waits)
    rates = [run.per_second for run in runs]
    yield Figure(
        name,
        median(rates),
        "unlocks/s",
        min(rates),
        max(rates),
        latency=latency,
        ratio=bench.time_against(limits.PUBLISH_RECEIVED, latency.p50),
        bar="p95 < 150, p99 < 500 ms",
        generator_us=median(run.generator_us for run in runs),
    )


def _repetition(bench: Bench, pages: Pages, waits: list[list[float]]) -> Run:
    platform = bench.platform
    number = int(bench.plan.rate_seconds * TARGET_PER_SECOND)
    names, requests = zip(*(platform.requests.watched() for _ in range(number)), strict=True)
    due: dict[str, float] = {}
    told = len(pages.told) + number
    run = at_rate(
        platform.web,
        requests,
        per_second=TARGET_PER_SECOND,
        expected=_NEW,
        listeners=pages.open,
        sent=lambda place, at: due.__setitem__(names[place], at),
    )
    pages.wait_until_told(told)
    waits.append([(pages.told[name] - at) * 1e3 for name, at in due.items()])
    return run
