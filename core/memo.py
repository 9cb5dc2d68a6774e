"""Finished answers, kept in the process for a moment: what everybody asks for is made once a second."""

import time
from collections import OrderedDict
from threading import Lock
from typing import NamedTuple

KEPT_S = 1.0  # a shared cache in front may keep the same answer thirty times as long
_MOST = 256
_LARGEST = 64 * 1024  # bytes, as it is kept; with _MOST at most 16 MiB a memo


class Finished(NamedTuple):
    """An answer's bytes and their entity tag; and its headers, where they are the same each time."""

    body: bytes
    etag: str
    headers: tuple[tuple[str, str], ...] = ()


class Memo:
    """Answers by address, each KEPT_S old at most; the longest unused make room for new ones."""

    def __init__(self) -> None:
        """Start empty."""
        self._kept: OrderedDict[str, tuple[float, Finished]] = OrderedDict()
        self._lock = Lock()

    def get(self, address: str) -> Finished | None:
        """Return what is kept for an address."""
        with self._lock:
            until, finished = self._kept.get(address, (0.0, None))
            if finished is None or until < time.monotonic():
                return None
            self._kept.move_to_end(address)
            return finished

    def keep(self, address: str, finished: Finished) -> None:
        """Keep an answer, unless it is a large one."""
        if len(finished.body) > _LARGEST:
            return
        with self._lock:
            self._kept[address] = (time.monotonic() + KEPT_S, finished)
            self._kept.move_to_end(address)
            while len(self._kept) > _MOST:
                self._kept.popitem(last=False)

    def clear(self) -> None:
        """Keep nothing (between tests)."""
        with self._lock:
            self._kept.clear()
