"""Passwords as they are kept: Argon2id, of which few are reckoned at once. Older ones are exchanged at signing in.

Each takes memory and most of a core, so whoever sends passwords from everywhere could have all of both: some threads of
a process reckon, some wait their turn for a moment, and whoever comes then is asked to come again. Unlocks go on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Final

from django.contrib.auth import hashers
from django.utils.translation import gettext

from core.db import lend_back
from core.refusals import Unavailable

AT_ONCE: Final = 4  # of a process: 76 MiB; two processes are served by two cores
WAITING: Final = 8  # with those that reckon, a third of a web process's threads
_WAIT_S: Final = 5.0

_reckoning = BoundedSemaphore(AT_ONCE)
_admitted = BoundedSemaphore(AT_ONCE + WAITING)


class TooMany(Unavailable):
    """More passwords came at once than are reckoned."""

    def __init__(self) -> None:
        super().__init__(
            gettext("Many people are signing in just now. Try again in a moment."), retry_after_s=5
        )


@contextmanager
def _turn() -> Iterator[None]:
    """Wait for a turn, without a connection of the pool. Raises TooMany."""
    if not _admitted.acquire(blocking=False):
        raise TooMany
    try:
        lend_back()
        if not _reckoning.acquire(timeout=_WAIT_S):
            raise TooMany
        try:
            yield
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
        with _turn():
            return super().encode(password, salt)

    def verify(self, password: str, encoded: str) -> bool:
        """Say whether a password is the one of which this was kept."""
        with _turn():
            return super().verify(password, encoded)


class Scrypt(hashers.ScryptPasswordHasher):
    """How they were kept before."""

    def verify(self, password: str, encoded: str) -> bool:
        """Say whether a password is the one of which this was kept."""
        with _turn():
            return super().verify(password, encoded)
