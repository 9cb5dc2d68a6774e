"""When a delivery is tried again, and when an endpoint is given up."""

from collections.abc import Callable
from datetime import timedelta

# After each failed attempt, so there are ten; the last one about three days after the first.
PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)
JITTER = 0.2  # up to this part is added, so that what failed together is not tried together
LONGEST_WISH = timedelta(hours=24)  # what a receiver's Retry-After is heeded for
GIVEN_UP_AFTER = timedelta(days=5)  # of failures without a success


def next_pause(failures: int, *, wish: timedelta | None, chance: Callable[[], float]) -> timedelta | None:
    """Return how long to wait after so many failed attempts; None when the delivery is parked.

    Args:
        failures: attempts that have failed, the last one included: 1 and up.
        wish: the receiver's Retry-After. It is heeded if it is longer than the pause, up to a day.
        chance: gives a number from 0 to 1.

    """
    if failures > len(PAUSES):
        return None
    pause = PAUSES[failures - 1] * (1 + JITTER * chance())
    return pause if wish is None else max(pause, min(wish, LONGEST_WISH))
