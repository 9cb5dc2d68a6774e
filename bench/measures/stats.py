"""Reports of stats, one a request and in batches: each adds to a value, and each is an event that counts once."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import repeat

from bench.figures import Bench, Figure, rate_figure
from bench.load import BadAnswer, Run, in_turn, saturate
from bench.measures import limits
from bench.world import BATCH

_ACCEPTED = {202}
_AT_MOST_PER_SECOND = 6_000  # requests made beforehand for each second
_BATCHES_AT_MOST_PER_SECOND = 400
_HELD_AND_COUNTED = """
    SELECT (SELECT coalesce(sum(value), 0)::bigint FROM stats_statvalue), (SELECT count(*) FROM stats_report)
"""


def measure(bench: Bench) -> Iterator[Figure]:
    """Report, then compare what players hold with the events."""
    requests = bench.platform.requests
    single = _load(bench, requests.report, most=_AT_MOST_PER_SECOND, connections=64)
    figure = rate_figure("stats: one report a request", single, unit="values/s", bar="≥ 1,600/s")
    yield replace(figure, ratio=bench.rate_against(limits.INSERT_ONE, figure.value))
    batches = _load(bench, requests.reports, most=_BATCHES_AT_MOST_PER_SECOND, connections=3)
    figure = rate_figure("stats: batches of 100", batches, unit="values/s", each=BATCH, bar="≥ 8,000/s")
    yield replace(figure, ratio=bench.rate_against(limits.INSERT_MANY, figure.value))
    _require_exact(bench)


def _load(bench: Bench, make: Callable[[], bytes], *, most: int, connections: int) -> list[Run]:
    def run() -> Run:
        requests = [make() for _ in repeat(None, int(bench.plan.seconds * most))]
        return saturate(
            bench.platform.web,
            in_turn(iter(requests)),
            connections=connections,
            expected=_ACCEPTED,
            seconds=bench.plan.seconds,
        )

    return bench.repeat(run)


def _require_exact(bench: Bench) -> None:
    bench.platform.wait_for_followers()
    with bench.platform.connect() as connection:
        row = connection.execute(_HELD_AND_COUNTED).fetchone()
    assert row is not None  # of aggregates there is always one
    held, counted = row
    if held != counted or not counted:
        raise BadAnswer(f"Players hold {held} of their stat after {counted} events that add one each.")
