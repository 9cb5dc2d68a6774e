"""What leaderboards tell Prometheus."""

from collections.abc import Iterator

from prometheus_client.core import Metric

from core.direct import Ask
from core.metrics.installation import counter


def figures(ask: Ask) -> Iterator[Metric]:
    """Tell how many entries of boards were found wrong and mended so far; it should stay 0."""
    total = ask("SELECT coalesce(sum(players), 0)::bigint FROM leaderboards_mending")[0][0]
    yield counter(
        "laurel_board_entries_mended", "Board entries that differed from PostgreSQL and were mended.", total
    )
