"""Clients that send nothing, or a byte now and then, are cut off: each of them would hold a thread of `web` for ever.

The server waits without end for the rest of a body, and keeps connections on which nothing happens. Which they are, the
kernel knows: it says of every connection when it last sent and received something (Linux's TCP_INFO). Behind a proxy
that hands on whole requests, as it should be in production, there is nothing to find. Elsewhere than on Linux nobody
looks. See docs/adr/0065-slow-clients.md.
"""

import os
import socket
import struct
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

log = structlog.get_logger(__name__)

LOOKS_EVERY_S: Final = 2.5
DRIBBLES_S: Final = 15.0  # who still sends a request that began so long ago
SILENT_S: Final = 65.0  # who waits so long for an answer: more than the longest request may take
IDLE_S: Final = 75.0  # who sent nothing for so long after an answer; load balancers keep connections for 60 s
STRANGER_S: Final = 20.0  # who connected and sent nothing at all
_FDS: Final = Path("/proc/self/fd")
# struct tcp_info (linux/tcp.h): since when nothing was sent and received, in ms; how many bytes were taken, and came.
_TOLD: Final = struct.Struct("=44xI4xI64xQQ")


@dataclass(slots=True)
class _Told:
    """What the kernel says of a connection: seconds since something was sent and received; bytes since it began."""

    sent_s: float
    received_s: float
    taken: int
    received: int


@dataclass(slots=True)
class _Known:
    """What was seen of a connection when something was last sent on it, and since when it has waited for more."""

    taken: int
    received: int
    waits_since: float | None = None


class SlowClients:
    """Looks at the connections that this process accepted."""

    def __init__(self) -> None:
        """Know none of them."""
        self._known: dict[tuple[str, int], _Known] = {}

    def look(self, *, now: float) -> int:
        """Cut off who is too slow; return how many."""
        cut = 0
        seen: dict[tuple[str, int], _Known] = {}
        for connection, peer in _accepted():
            with connection:
                told = _ask(connection)
                known = self._known.get(peer) or _Known(told.taken, told.received if told.taken else 0)
                if _is_too_slow(known, told, now):
                    with suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
                    cut += 1
                seen[peer] = known
        self._known = seen
        return cut


def _is_too_slow(known: _Known, told: _Told, now: float) -> bool:
    """Judge a connection; what is known of it is brought up to date."""
    if not told.received:
        return told.received_s > STRANGER_S
    if told.taken != known.taken:
        known.taken, known.received, known.waits_since = told.taken, told.received, None
    if told.received == known.received:
        return min(told.sent_s, told.received_s) > IDLE_S
    if known.waits_since is None:
        known.waits_since = now
    waits_s = now - known.waits_since
    return waits_s > (DRIBBLES_S if told.received_s < waits_s else SILENT_S)


def _ask(connection: socket.socket) -> _Told:
    sent_ms, received_ms, taken, received = _TOLD.unpack(
        connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _TOLD.size)
    )
    return _Told(sent_ms / 1000, received_ms / 1000, taken, received)


def _accepted() -> Iterator[tuple[socket.socket, tuple[str, int]]]:
    """Yield each connection that a listening socket of this process accepted, with its peer; the caller closes it."""
    ours: list[tuple[socket.socket, tuple[str, int]]] = []
    ports = set()
    for number in _sockets():
        try:
            found = socket.socket(fileno=os.dup(number))
        except OSError:
            continue
        with suppress(OSError):
            if found.family in (socket.AF_INET, socket.AF_INET6) and found.type == socket.SOCK_STREAM:
                if found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    ports.add(found.getsockname()[1])
                else:
                    ours.append((found, found.getpeername()[:2]))
                    continue
        found.close()
    for found, peer in ours:
        with suppress(OSError):
            if found.getsockname()[1] in ports:
                yield found, peer
                continue
        found.close()


def _sockets() -> Iterator[int]:
    for entry in _FDS.iterdir():
        with suppress(OSError):
            if entry.is_socket():
                yield int(entry.name)


def start() -> None:
    """Look now and then, for as long as the process lives."""
    if sys.platform == "linux":
        threading.Thread(target=_run, name="slow-clients", daemon=True).start()


def _run() -> None:
    clients = SlowClients()
    while True:
        time.sleep(LOOKS_EVERY_S)
        try:
            if cut := clients.look(now=time.monotonic()):
                log.warning("slow clients cut off", connections=cut)
        except Exception:
            log.exception("slow clients not looked for")
