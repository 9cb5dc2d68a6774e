"""Counters for places that thousands of requests a second pass: a tenth of what the client library's own cost.

They are added to without a lock. CPython lets another thread in at calls and loops, not between reading a number and
writing it back; and should one that is built otherwise lose a count now and then, no figure would look different.
"""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector


class Tally(Collector):
    """A counter by one label or several, told from what `read` returns: counts by the values of the labels."""

    def __init__(
        self,
        name: str,
        documentation: str,
        *labels: str,
        read: Callable[[], Mapping[tuple[str, ...], float]],
    ) -> None:
        """Tell from now on; `name` is without `_total`."""
        self._family = name, documentation, labels
        self._read = read
        REGISTRY.register(self)

    def describe(self) -> list[CounterMetricFamily]:
        """Name the metric."""
        return [self._empty()]

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Tell what was counted."""
        family = self._empty()
        for labels, count in self._read().items():
            family.add_metric(labels, count)
        yield family

    def _empty(self) -> CounterMetricFamily:
        name, documentation, labels = self._family
        return CounterMetricFamily(name, documentation, labels=labels)
