"""How many requests there were, of which class, how they were answered, and how long it took.

Added up without a lock (core/metrics/tallies.py).
"""

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from typing import Final

from django.conf import settings
from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily
from prometheus_client.registry import Collector

BOUNDS_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5)
OTHER: Final = "other"
_LIMITED: Final = "429"
_BUCKETS: Final = (*map(str, BOUNDS_S), "+Inf")
_APART: Final = {429: _LIMITED, 503: "503"}
_FROM_THE_BEGINNING: Final = ("5xx", "503", _LIMITED)  # what alerts look for


class Requests(Collector):
    """All requests of this process since it began."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self._rows: dict[
            tuple[str, int], list[float]
        ] = {}  # buckets by class and status, and at last the sum

    def note(self, kind: str, status: int, seconds: float) -> None:
        """Count a request; called by each, so kept apart by the very status, whose class is told later."""
        row = self._rows.get((kind, status))
        if row is None:
            row = self._rows.setdefault((kind, status), [0] * (len(_BUCKETS) + 1))
        bucket = bisect_left(BOUNDS_S, seconds)
        row[bucket] += 1
        row[-1] += seconds

    def total(self) -> int:
        """Return how many there were."""
        return sum(int(sum(row[:-1])) for row in list(self._rows.values()))

    def describe(self) -> list[CounterMetricFamily | HistogramMetricFamily]:
        """Name the metrics."""
        return [*_families()]

    def collect(self) -> Iterator[CounterMetricFamily | HistogramMetricFamily]:
        """Tell."""
        by_kind: dict[str, list[float]] = {}
        by_status: dict[tuple[str, str], float] = {}
        rows = [(*key, list(row)) for key, row in list(self._rows.items())]
        for kind, status, row in rows:
            sums = by_kind.setdefault(kind, [0] * len(row))
            by_kind[kind] = [a + b for a, b in zip(sums, row, strict=True)]
            key = kind, _class_of(status)
            by_status[key] = by_status.get(key, 0) + sum(row[:-1])
        # From the beginning, since Prometheus takes no first count for an increase (core/metrics/jobs.py).
        for kind in (*(name for name, _ in settings.REQUEST_CLASSES), OTHER):
            for shown in _FROM_THE_BEGINNING:
                by_status.setdefault((kind, shown), 0)
        times, counts, limited = _families()
        for kind, row in by_kind.items():
            times.add_metric([kind], list(zip(_BUCKETS, _running(row[:-1]), strict=True)), row[-1])
        for (kind, shown), count in by_status.items():
            counts.add_metric([kind, shown], count)
            if shown == _LIMITED:
                limited.add_metric([kind], count)
        yield from (times, counts, limited)


def class_of(method: str, path: str) -> str:
    """Return a request's class, by REQUEST_CLASSES."""
    return _classes()(f"{method} {path}")


@cache
def _classes() -> Callable[[str], str]:
    pairs: Iterable[tuple[str, str]] = settings.REQUEST_CLASSES
    names = [name for name, _ in pairs]
    expression = re.compile(
        "|".join(f"(?P<c{number}>{pattern})" for number, (_, pattern) in enumerate(pairs))
    )

    # Games report to few addresses; what asks for a thousand players' pages is looked at each time.
    @lru_cache(maxsize=1024)
    def find(asked: str) -> str:
        found = expression.match(asked)
        return OTHER if found is None or found.lastgroup is None else names[int(found.lastgroup[1:])]

    return find


def _class_of(status: int) -> str:
    return _APART.get(status) or f"{status // 100}xx"


def _running(counts: list[float]) -> Iterator[float]:
    """Yield the sums: a bucket holds what the smaller ones hold, too."""
    total = 0.0
    for count in counts:
        total += count
        yield total


def _families() -> tuple[HistogramMetricFamily, CounterMetricFamily, CounterMetricFamily]:
    return (
        HistogramMetricFamily(
            "laurel_http_request_seconds",
            "How long requests took, with their wait at the door.",
            labels=["class"],
        ),
        CounterMetricFamily("laurel_http_requests", "Requests answered.", labels=["class", "status"]),
        CounterMetricFamily("laurel_rate_limited", "Requests refused with 429.", labels=["class"]),
    )


requests = Requests()
REGISTRY.register(requests)
