"""The relay: watches the log and hints the followers that are behind.

A hint is a Celery task without content. A lost, late or doubled one does no harm: the cursors are in PostgreSQL, and
Beat sweeps every few seconds. So two relays may run, for availability, without knowing of each other.
"""

import time
from dataclasses import dataclass, field

import structlog
from celery import current_app
from django.db import InterfaceError, OperationalError, connection
from kombu.exceptions import OperationalError as BrokerError
from prometheus_client import Counter

from core import facts, followers
from core.db import run_prepared
from core.redis import AWAY

log = structlog.get_logger(__name__)

POLL_S = 0.04
HINT_AGAIN_S = 0.2
AT_WORK_S = 1.0  # without having caught up: longer than a step takes
HINT_AT_LONGEST_S = 5.0
HINT_EXPIRES_S = 10
BACK_OFF_S = (1, 2, 4)
_AWAY = (OperationalError, InterfaceError, BrokerError, *AWAY)


@dataclass
class _Hinted:
    at: float = float("-inf")
    cursor: tuple[int, int] = (-1, -1)
    pause_s: float = HINT_AGAIN_S
    seen: tuple[int, int] = (-1, -1)
    moved_at: float = float("-inf")
    rested_at: float = float("-inf")


@dataclass
class Relay:
    """The state of one relay process: what it hinted when."""

    hinted: dict[str, _Hinted] = field(default_factory=dict)
    failures: int = 0

    def run(self) -> None:
        """Watch until the process is told to stop."""
        while not followers.stopping.is_set():
            try:
                self.poll()
                self.failures = 0
                followers.stopping.wait(POLL_S)
            except _AWAY as error:
                pause = BACK_OFF_S[min(self.failures, len(BACK_OFF_S) - 1)]
                self.failures += 1
                log.warning("relay waits", error=str(error).split("\n")[0], seconds=pause)
                connection.close()
                followers.stopping.wait(pause)

    def poll(self) -> None:
        """Hint every follower that is behind, unless it was hinted a moment ago."""
        head = facts.head()
        for name, cursor in cursors().items():
            last = self.hinted.setdefault(name, _Hinted())
            if cursor != last.seen:
                last.seen, last.moved_at = cursor, time.monotonic()
            if cursor < head:
                self._hint(name, cursor)
            else:
                last.rested_at = time.monotonic()

    def _hint(self, name: str, cursor: tuple[int, int]) -> None:
        last, now = self.hinted[name], time.monotonic()
        # Who moved a moment ago is at work and reads on by itself; a worker has better to do than hear of it.
        at_work_s = AT_WORK_S if last.moved_at > last.rested_at else HINT_AGAIN_S
        if now - last.at < last.pause_s or now - last.moved_at < at_work_s:
            return
        # Nobody moved since the last hint: no worker is there, and a queue full of hints would not help.
        last.pause_s = min(last.pause_s * 2, HINT_AT_LONGEST_S) if cursor == last.cursor else HINT_AGAIN_S
        last.at, last.cursor = now, cursor
        hint(name)


def cursors() -> dict[str, tuple[int, int]]:
    """Return every listener's cursor; those without a row start at (0, 0)."""
    found = run_prepared("SELECT name, tx, fact_id FROM core_follower", [])
    rows = {name: (tx, fact_id) for name, tx, fact_id in found}
    return {name: rows.get(name, (0, 0)) for name in facts.subscriptions()}


_hints = Counter("laurel_hints", "Followers that were told that there is something to read.", ["follower"])


def hint(name: str) -> None:
    """Send the follower's task to its queue."""
    _hints.labels(name).inc()
    queue = facts.subscriptions()[name].queue
    current_app.send_task(
        f"{name}.follow", queue=queue, expires=HINT_EXPIRES_S, retry=False, ignore_result=True
    )


def hint_all_behind() -> None:
    """Hint every follower that is behind, once (Beat's sweep)."""
    head = facts.head()
    for name, cursor in cursors().items():
        if cursor < head:
            hint(name)
