"""The product's processes as commands: what `make run`, containers and Procfile.production start, spelled once."""

import os
from collections.abc import Mapping
from pathlib import Path

# Requests that wait together in one process share one commit, so there are more threads than connections: 64 run,
# others wait or are being read, and some are left to say that there is no room (core/front_door.py). What the server
# calls its back-pressure is how many connections it takes, those included on which nothing happens; how long it waits
# for a head is how long it keeps a connection, too. HTTP/2, which it would take without TLS, is closed: two hundred
# requests of a connection that never end, kept open by pings, would be as many threads and nobody cut off.
WEB_OPTIONS = (
    *("--http", "1", "--blocking-threads", "192"),
    *("--backlog", "4096", "--backpressure", "8192", "--http1-header-read-timeout", "60000"),
    *("--respawn-failed-workers", "--respawn-interval", "0.5", "--no-ws", "--log-level", "warning"),
)
# Compression would triple the memory of an open page (measured); a page reconnects, so nobody waits for it. The
# connections' own pings are answered by players, not only by their network.
LIVE_OPTIONS = (
    *("--ws", "websockets-sansio", "--ws-per-message-deflate", "false", "--ws-max-size", "4096"),
    *(
        "--ws-ping-interval",
        "0",
        "--no-access-log",
        "--log-level",
        "warning",
        "--timeout-graceful-shutdown",
        "2",
    ),
)
# What every process is told besides, unless its environment says otherwise. glibc gives threads up to eight places a
# core to take memory from, and each keeps what was given back to it. At twice the target a worker had 175 MB after five
# minutes, 22 of them such and ever more; with two places 155 MB, and 4 of them.
ALLOCATOR: Mapping[str, str] = {"MALLOC_ARENA_MAX": "2"}
_WORKER_OPTIONS = ("--pool", "threads", "--without-gossip", "--without-mingle", "--loglevel", "warning")
# How many tasks a worker has under way: each listener of its queue reads on for ten seconds while there is something to
# read, so there is room for all of them, and for the jobs beside them. With less, one of them waits for another to end.
CONCURRENCY: Mapping[str, int] = {"live": 4, "facts": 8, "bulk": 6}
WEB_WORKERS = 2
WEB_ENDS_WITHIN_S = 3  # on a developer's machine; in production requests end first (config/start.py)


def web(
    *, host: str, port: int, workers: int = WEB_WORKERS, ends_within_s: int = WEB_ENDS_WITHIN_S
) -> list[str]:
    """Return `web`'s command, to come after `python -m`: HTTP on a port, by so many processes.

    Once it is told to end it takes nothing new, and requests have `ends_within_s` to be answered.
    """
    listens = ("--host", host, "--port", str(port), "--workers", str(workers))
    ends = ("--workers-kill-timeout", str(ends_within_s))
    return ["granian", "--interface", "wsgi", "config.wsgi:application", *listens, *ends, *WEB_OPTIONS]


def live(*, host: str, port: int) -> list[str]:
    """Return `live`'s command, likewise."""
    return ["uvicorn", "config.asgi:application", "--host", host, "--port", str(port), *LIVE_OPTIONS]


def worker(*queues: str, concurrency: int) -> list[str]:
    """Return the command of a worker that serves some queues, likewise."""
    # Several may run on one machine, and a broker knows them by their names.
    serves = ("-Q", ",".join(queues), "--concurrency", str(concurrency))
    named = ("-n", f"{'-'.join(queues)}-{os.getpid()}@%h")
    return ["celery", "-A", "config.celery", "worker", *serves, *named, *_WORKER_OPTIONS]


def beat(*, schedule: Path) -> list[str]:
    """Return Beat's command, likewise; the file keeps when each job ran last, and may be lost."""
    keeps = ("--schedule", str(schedule), "--pidfile=")
    return ["celery", "-A", "config.celery", "beat", *keeps, "--loglevel", "warning"]
