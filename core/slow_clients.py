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
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import structlog

from core.client_address import counted_address_in

log = structlog.get_logger(__name__)

LOOKS_EVERY_S: Final = 2.5
SLOW_S: Final = 0.5  # a body that takes longer is being waited for
SLOW_OF_ONE: Final = 32  # of one address, of the 192 threads of a process (config/children.py)
SLOW_OF_ALL: Final = 96
DRIBBLES_S: Final = 15.0  # who sends a request for so long, and less than LEAST_BYTES of it meanwhile
LEAST_BYTES: Final = 15 * 1024
SILENT_S: Final = 65.0  # who waits so long for an answer: more than the longest request may take
UNFINISHED_S: Final = 20.0  # likewise, while requests are being waited for: most likely he is one of those
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
    """What was seen of a connection when something was last sent on it.

    Attributes:
        waits_since: since when it has waited for an answer, or has been sending no more than it must.
        counted: how much of its request had come by then.

    """

    taken: int
    received: int
    waits_since: float | None = None
    counted: int = 0


class SlowClients:
    """Looks at the connections that this process accepted."""

    def __init__(self) -> None:
        """Know none of them."""
        self._known: dict[tuple[str, int], _Known] = {}

    def look(self, *, now: float, silent_s: float = SILENT_S) -> int:
        """Cut off who is too slow; return how many. `silent_s` is how long somebody may wait for an answer."""
        cut = 0
        seen: dict[tuple[str, int], _Known] = {}
        for connection, peer in _accepted():
            with connection:
                told = _ask(connection)
                known = self._known.get(peer) or _Known(told.taken, told.received if told.taken else 0)
                if _is_too_slow(known, told, now, silent_s):
                    with suppress(OSError):
                        connection.shutdown(socket.SHUT_RDWR)
                    cut += 1
                seen[peer] = known
        self._known = seen
        return cut


class Bodies:
    """Reads bodies of requests, each on its thread, and leaves threads to others while some of them never end.

    Attributes:
        are_many: whether so many are being waited for that no other one is read, whoever sends it.

    """

    def __init__(self) -> None:
        """Read none."""
        self._begun: dict[int, tuple[Mapping[str, Any], float]] = {}
        self._slow: Counter[str] = Counter()
        self.are_many = False

    def are_held_up(self, environ: Mapping[str, Any]) -> bool:
        """Say whether so many bodies of a request's address are being waited for that its own is not read."""
        return bool(self._slow) and self._slow[counted_address_in(environ)] >= SLOW_OF_ONE

    def read(self, source: Any, length: int, environ: Mapping[str, Any]) -> bytes:
        """Return a request's body, of a known length, shorter where its sender is gone."""
        thread = threading.get_ident()
        self._begun[thread] = environ, time.monotonic()
        try:
            body: bytes = source.read(length)
        finally:
            del self._begun[thread]
        return body

    @property
    def are_waited_for(self) -> bool:
        """Say whether any body is."""
        return bool(self._slow)

    def look(self, *, now: float) -> None:
        """Find out which bodies are being waited for by now."""
        begun = list(self._begun.values())
        self._slow = Counter(counted_address_in(environ) for environ, since in begun if now - since > SLOW_S)
        self.are_many = self._slow.total() >= SLOW_OF_ALL


def _is_too_slow(known: _Known, told: _Told, now: float, silent_s: float) -> bool:
    """Judge a connection; what is known of it is brought up to date."""
    if not told.received:
        return told.received_s > STRANGER_S
    if told.taken != known.taken:
        known.taken, known.received, known.waits_since, known.counted = told.taken, told.received, None, 0
    if told.received == known.received:
        return min(told.sent_s, told.received_s) > IDLE_S
    if known.waits_since is None or told.received - known.received >= LEAST_BYTES + known.counted:
        known.waits_since, known.counted = now, told.received - known.received
    waits_s = now - known.waits_since
    return waits_s > (DRIBBLES_S if told.received_s < waits_s else silent_s)


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


def start(bodies: Bodies) -> None:
    """Look now and then, for as long as the process lives."""
    threading.Thread(target=_run, args=(bodies,), name="slow-clients", daemon=True).start()


def _run(bodies: Bodies) -> None:
    clients = SlowClients() if sys.platform == "linux" else None
    looked_at = time.monotonic()
    while True:
        time.sleep(SLOW_S)
        now = time.monotonic()
        bodies.look(now=now)
        if clients is None or now < looked_at + LOOKS_EVERY_S:
            continue
        looked_at = now
        try:
            silent_s = UNFINISHED_S if bodies.are_waited_for else SILENT_S
            if cut := clients.look(now=now, silent_s=silent_s):
                log.warning("slow clients cut off", connections=cut)
        except Exception:
            log.exception("slow clients not looked for")
