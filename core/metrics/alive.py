"""Which processes run: each says so in Valkey every few seconds, with what it does in a minute (`manage.py status`)."""

import os
import socket
import time
from collections import deque
from collections.abc import Callable
from typing import Any, Final

import orjson

from core import VERSION, keys
from core.metrics import PROCESS
from core.redis import AWAY, WORKER_TIMEOUT_S, client

EVERY_S: Final = 5.0
GONE_AFTER_S: Final = 20  # four signs of life missed
_RATED_OVER_S: Final = 60.0
ROLE: Final = "live"
_STARTED_AT: Final = time.time()

# What is worth to be told as so many a second, by its name: how often it happened in this process so far.
rated: dict[str, Callable[[], float]] = {}
_seen: deque[tuple[float, dict[str, float]]] = deque(maxlen=round(_RATED_OVER_S / EVERY_S) + 1)


def say_so() -> None:
    """Say that this process lives. Raises one of AWAY."""
    now = time.time()
    name = f"{PROCESS} {socket.gethostname()} {os.getpid()}"
    told = {
        "process": PROCESS,
        "host": socket.gethostname(),
        "pid": os.getpid(),
        "version": VERSION,
        "since": _STARTED_AT,
        "rates": _rates(),
    }
    pipeline = client(ROLE).pipeline(transaction=False)
    pipeline.set(keys.process(name), orjson.dumps(told), ex=GONE_AFTER_S)
    pipeline.zadd(keys.processes(), {name: now})
    pipeline.zremrangebyscore(keys.processes(), "-inf", now - 3 * GONE_AFTER_S)
    pipeline.execute()


def listed() -> list[dict[str, Any]]:
    """Return what each process said last that lives. Raises one of AWAY."""
    valkey = client(ROLE, timeout_s=WORKER_TIMEOUT_S)
    names: Any = valkey.zrange(keys.processes(), 0, -1)
    if not names:
        return []
    said: Any = valkey.mget([keys.process(name.decode()) for name in names])
    return [orjson.loads(one) for one in said if one is not None]


def _rates() -> dict[str, float]:
    """Return how much of each there was a second, in the last minute or since the beginning."""
    now, counts = time.monotonic(), {name: count() for name, count in rated.items()}
    _seen.append((now, counts))
    then, before = _seen[0]
    passed = now - then
    return {
        name: (count - before.get(name, 0)) / passed
        for name, count in counts.items()
        if passed >= EVERY_S / 2
    }


__all__ = ["AWAY", "EVERY_S", "GONE_AFTER_S", "ROLE", "listed", "rated", "say_so"]
