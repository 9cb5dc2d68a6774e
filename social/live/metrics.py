"""What a live process tells Prometheus."""

import time
from typing import Final

from prometheus_client import Counter, Gauge, Histogram

from core.metrics import alive
from social.events import ACHIEVEMENT_UNLOCKED, Event
from social.live import codes

_BOUNDS_S: Final = (0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5, 10)
_REASONS: Final = {code: name.lower() for name, code in vars(codes).items() if name.isupper()}

connections = Gauge("laurel_live_connections", "Open live connections of players.", ["kind"])
_pushes = Counter("laurel_pushes", "Events that were written to connections.")
_seconds = Histogram(
    "laurel_push_seconds", "From the fact of an unlock to its event on a connection.", buckets=_BOUNDS_S
)
_dropped = Counter("laurel_live_dropped", "Connections that this process closed.", ["reason"])
_sent = 0
alive.rated["pushes"] = lambda: _sent


def written_at(event: Event) -> float:
    """Return when the fact behind an unlock was written (its id says it); 0 for what is told later on purpose."""
    if event.kind != ACHIEVEMENT_UNLOCKED:
        return 0.0
    return int(event.uuid[:8] + event.uuid[9:13], 16) / 1000


def pushed(fact_written_at: float) -> None:
    """Count an event that was written to a connection; 0 for one that somebody came back for."""
    global _sent  # noqa: PLW0603 - the client library's counters can't be read
    _sent += 1
    _pushes.inc()
    if fact_written_at:
        _seconds.observe(max(0.0, time.time() - fact_written_at))


def dropped(code: int) -> None:
    """Count a connection that is closed."""
    _dropped.labels(_REASONS.get(code, "other")).inc()
