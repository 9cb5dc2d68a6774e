"""How a table is made or dropped without holding up who writes and reads: everybody queues behind a lock that waits."""

import random
import time
from collections.abc import Callable
from typing import Final, TypeVar

from django.db import connection
from django.db.utils import OperationalError

T = TypeVar("T")
TRIES: Final = 20
_PATIENCE_MS: Final = 50
_PAUSE_S: Final = 0.5
_IN_USE: Final = {"55P03", "40P01"}  # lock not available, deadlock detected


def wait_a_moment_only() -> None:
    """Let this transaction wait for no lock for longer than a moment."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET LOCAL lock_timeout = '{_PATIENCE_MS}ms'")


def patiently(
    work: Callable[[], T], *, tries: int = TRIES, also: tuple[type[Exception], ...] = ()
) -> T | None:
    """Run `work`, a transaction that waits a moment only, until nothing is in its way; None after some tries.

    `also` are exceptions after which it is tried again, as after a lock that it did not get.
    """
    for attempt in range(tries):
        if attempt:
            time.sleep(random.uniform(0, _PAUSE_S))  # noqa: S311 - only out of step with who is in the way
        try:
            return work()
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) not in _IN_USE:
                raise
        except also:
            continue
    return None
