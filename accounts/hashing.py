"""Passwords as they are kept: Argon2id, of which few are reckoned at once. Older ones are exchanged at signing in.

Each takes memory and most of a core, so whoever sends passwords from everywhere could have all of both: some are
reckoned, some wait their turn for a moment, and whoever comes then is asked to come again. Unlocks go on.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import BoundedSemaphore
from typing import Final, ParamSpec, TypeVar

from django.contrib.auth import hashers
from django.utils.translation import gettext

from core.db import lend_back
from core.refusals import Unavailable

P = ParamSpec("P")
T = TypeVar("T")
AT_ONCE: Final = 2  # of a process, 38 MiB: more would be no faster on two cores, and take them from unlocks
WAITING: Final = 6  # with those that are reckoned, a quarter of a web process's threads
_WAIT_S: Final = 3.0

_reckoning = BoundedSemaphore(AT_ONCE)
_admitted = BoundedSemaphore(AT_ONCE + WAITING)
# A thread keeps what it has once allocated: reckoned by those of requests, all 32 would keep 19 MiB each (measured).
_reckoners = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="passwords")


class TooMany(Unavailable):
    """More passwords came at once than are reckoned."""

    def __init__(self) -> None:
        super().__init__(
            gettext("Many people are signing in just now. Try again in a moment."), retry_after_s=5
        )


def _reckoned(work: Callable[P, T], *args: P.args, **named: P.kwargs) -> T:
    """Wait for a turn, without a connection of the pool, and return what the work does. Raises TooMany."""
    if not _admitted.acquire(blocking=False):
        raise TooMany
    try:
        lend_back()
        if not _reckoning.acquire(timeout=_WAIT_S):
            raise TooMany
        try:
            return _reckoners.submit(work, *args, **named).result()
        finally:
            _reckoning.release()
    finally:
        _admitted.release()


class Argon2id(hashers.Argon2PasswordHasher):
    """How passwords are kept: 19 MiB, two passes, one lane.

    Source: OWASP's cheat sheet on password storage, the second of its equal settings for Argon2id.
    """

    time_cost = 2
    memory_cost = 19 * 1024  # KiB
    parallelism = 1

    def encode(self, password: str, salt: str) -> str:
        """Return what is kept of a password."""
        return _reckoned(super().encode, password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        """Say whether a password is the one of which this was kept."""
        return _reckoned(super().verify, password, encoded)


class Scrypt(hashers.ScryptPasswordHasher):
    """How they were kept before."""

    def verify(self, password: str, encoded: str) -> bool:
        """Say whether a password is the one of which this was kept."""
        return _reckoned(super().verify, password, encoded)
