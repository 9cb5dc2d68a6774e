"""How long a task goes on; what is left then is found and done by its next one.

RabbitMQ takes a task that has not ended after half an hour (`consumer_timeout`) for one whose worker hangs, and closes
the channel by which that worker takes all others.
"""

import threading
import time
from typing import Final

LONGEST_S: Final = 600.0  # what was begun by then may take a while, too

_local = threading.local()


def begin() -> None:
    """Let this thread's task go on for LONGEST_S from now."""
    _local.ends_at = time.monotonic() + LONGEST_S


def end() -> None:
    """End this thread's task."""
    _local.ends_at = None


def is_over() -> bool:
    """Say whether this thread's task is to leave the rest to its next one; for what is no task, never."""
    ends_at = getattr(_local, "ends_at", None)
    return ends_at is not None and time.monotonic() > ends_at
