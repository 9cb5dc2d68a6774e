"""What leaderboards tell Prometheus."""

from collections.abc import Iterator

from django.db import DatabaseError, InterfaceError
from django.db.models import Sum
from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector


class Mended(Collector):
    """How many board entries were found wrong and mended, over all processes; it should stay 0."""

    def describe(self) -> Iterator[CounterMetricFamily]:
        """Name the metric without asking PostgreSQL, as registering does."""
        yield _family()

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Ask for the present number; nothing while PostgreSQL is away."""
        from leaderboards.models import Mending  # noqa: PLC0415 - models are not there yet when apps get ready

        try:
            total = Mending.objects.aggregate(total=Sum("players"))["total"] or 0
        except (DatabaseError, InterfaceError):
            return
        family = _family()
        family.add_metric([], total)
        yield family


def _family() -> CounterMetricFamily:
    return CounterMetricFamily(
        "laurel_board_entries_mended", "Board entries that differed from PostgreSQL and were mended."
    )


def register() -> None:
    """Register once a process."""
    REGISTRY.register(Mended())
