"""How a process's pools of connections to PostgreSQL are used."""

from collections.abc import Iterator

from django.db.backends.postgresql.base import DatabaseWrapper
from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector


class Pools(Collector):
    """All pools of this process together; nothing where none is open."""

    def describe(self) -> list[Metric]:
        """Name the metrics."""
        return list(_families())

    def collect(self) -> Iterator[Metric]:
        """Ask the pools."""
        pools = DatabaseWrapper._connection_pools.values()  # type: ignore[attr-defined]  # noqa: SLF001 - no other way
        stats = [pool.get_stats() for pool in list(pools)]
        if not stats:
            return

        def total(name: str) -> int:
            return sum(each.get(name, 0) for each in stats)

        connections, most, waiting, waited, timeouts = _families()
        idle = total("pool_available")
        connections.add_metric(["idle"], idle)
        connections.add_metric(["used"], total("pool_size") - idle)
        most.add_metric([], total("pool_max"))
        waiting.add_metric([], total("requests_waiting"))
        waited.add_metric([], total("requests_wait_ms") / 1000)
        timeouts.add_metric([], total("requests_errors"))
        yield from (connections, most, waiting, waited, timeouts)


def _families() -> tuple[
    GaugeMetricFamily, GaugeMetricFamily, GaugeMetricFamily, CounterMetricFamily, CounterMetricFamily
]:
    return (
        GaugeMetricFamily(
            "laurel_db_pool_connections", "Connections to PostgreSQL that a pool holds.", labels=["state"]
        ),
        GaugeMetricFamily("laurel_db_pool_max", "How many a pool may hold."),
        GaugeMetricFamily("laurel_db_pool_waiting", "Who waits for one."),
        CounterMetricFamily("laurel_db_pool_wait_seconds", "How long was waited for one."),
        CounterMetricFamily("laurel_db_pool_timeouts", "Who waited in vain."),
    )


def register() -> None:
    """Tell from now on."""
    REGISTRY.register(Pools())
