"""What achievements tell Prometheus."""

from collections.abc import Iterable
from typing import Any

from core.metrics import alive
from core.metrics.tallies import Tally
from core.refusals import Refused

_unlocks = {"stored": 0, "repeated": 0, "flagged": 0, "refused": 0}
Tally(
    "laurel_unlocks",
    "Unlocks that games asked for.",
    "result",
    read=lambda: {(result,): count for result, count in _unlocks.items()},
)
alive.rated["unlocks"] = lambda: _unlocks["stored"]


def count(results: Iterable[Any]) -> None:
    """Count what unlocks came to."""
    for result in results:
        if result is None or isinstance(result, Refused):
            _unlocks["refused"] += 1
        elif result.status != "unlocked":
            _unlocks["repeated"] += 1
        else:
            _unlocks["flagged" if result.is_apart else "stored"] += 1
