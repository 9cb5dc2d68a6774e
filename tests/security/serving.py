"""A `web` process as it is shipped, on the tests' own servers, and what is written to it byte by byte."""

import json
import os
import socket
import sys
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Final

from config import children, commands, proctable, var_dir
from config.embedded import Servers
from config.processes import Process
from tests.pooling import database_url

ANSWERED_WITHIN_S: Final = 55.0  # less than the server keeps a connection on which nothing happens
_ASKED_FOR_S: Final = 60.0
_SHED_S: Final = 0.5  # it sheds for a second at a time
# Attackers from one address would be stopped by its limits before they reach what is tried here.
_UNLIMITED: Final = ",".join(
    f"{name}=1000000/s:1000000" for name in ("address", "failures", "player-unlocks", "player-others")
)


@dataclass(frozen=True)
class Answer:
    """An answer as it came over the wire.

    Attributes:
        repeated: how often its request was sent again, of which one that was answered 503 may have been stored.
        seconds: from when that was sent until its connection was closed.

    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    repeated: int = 0
    seconds: float = 0.0

    @property
    def slug(self) -> str:
        """Which problem it tells of; empty for none."""
        if self.headers.get("content-type") != "application/problem+json":
            return ""
        return str(json.loads(self.body)["type"].rpartition("/")[2])

    @property
    def is_of_a_moment(self) -> bool:
        """Whether this machine has too much to do just now; who comes while its disk is full waits longer."""
        return self.status == 503 and int(self.headers.get("retry-after", 0)) < _ASKED_FOR_S


class WebServer(Process):
    """A `web` process, with the tests' database."""

    def __init__(
        self, servers: Servers, folder: Path, *, workers: int = commands.WEB_WORKERS, **settings: str
    ) -> None:
        """Describe it; nothing is started."""
        self.port = var_dir.free_ports()
        env = os.environ | {
            "DATABASE_URL": database_url(),
            "REDIS_URL": servers.redis_url,
            "DEBUG": "0",
            "RATE_LIMITS": _UNLIMITED,
            **settings,
        }
        argv = [sys.executable, "-m", *commands.web(host=children.HOST, port=self.port, workers=workers)]
        super().__init__("web", argv, var_dir=folder, env=env, folder=children.BASE_DIR, ready=self._answers)

    def connect(self) -> socket.socket:
        """Open a connection."""
        return socket.create_connection((children.HOST, self.port), timeout=ANSWERED_WITHIN_S)

    def send(self, *parts: bytes, tries: int | None = None) -> list[Answer]:
        """Write bytes to a connection of their own, and return every answer that came until it was closed.

        They are sent again while the answer says that this machine has too much to do, `tries` times at most.
        """
        until = time.monotonic() + _ASKED_FOR_S
        repeated = 0
        while True:
            heard = [replace(answer, repeated=repeated) for answer in self._send(parts)]
            repeated += 1
            is_over = repeated == tries or time.monotonic() > until
            if is_over or not any(answer.is_of_a_moment for answer in heard):
                return heard
            time.sleep(_SHED_S)

    def _send(self, parts: Iterable[bytes]) -> list[Answer]:
        began = time.monotonic()
        with self.connect() as line:
            with suppress(ConnectionError):  # it may be closed before everything is written
                for part in parts:
                    line.sendall(part)
            heard = list(answers(line))
        seconds = time.monotonic() - began
        return [replace(answer, seconds=seconds) for answer in heard]

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> Answer:
        """Send one request as it should be, on a connection of its own."""
        named = {"Content-Type": "application/json"} if body else {}
        [answer] = self.send(request(method, path, body, named | spelled(headers)))
        return answer

    def _answers(self) -> bool:
        try:
            return self.ask("GET", "/livez").status == 200
        except (OSError, ValueError):
            return False


def spelled(headers: Mapping[str, str]) -> dict[str, str]:
    """Return headers that were given as arguments of Python, as HTTP spells them."""
    return {name.replace("_", "-"): value for name, value in headers.items()}


def request(
    method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | Iterable[tuple[str, str]] = ()
) -> bytes:
    """Return a request's bytes; its connection is closed after the answer."""
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers)
    if not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in pairs):
        pairs.append(("Content-Length", str(len(body))))
    lines = "".join(f"{name}: {value}\r\n" for name, value in pairs)
    head = f"{method} {path} HTTP/1.1\r\nHost: {children.HOST}\r\nConnection: close\r\n{lines}\r\n"
    return head.encode("utf-8", "surrogateescape") + body


def answers(line: socket.socket) -> Iterable[Answer]:
    """Read answers until the connection is closed or nothing comes any more."""
    while True:
        response = HTTPResponse(line)
        try:
            response.begin()
            body = response.read()
        except (OSError, HTTPException):
            return
        finally:
            response.close()
        yield Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)
        if response.will_close:
            return


def memory_kib(process: Process) -> int:
    """Return how much memory a process and what it started hold."""
    pids = [process.pid, *proctable.descendants(process.pid)]
    total = 0
    for pid in pids:
        with suppress(FileNotFoundError):
            status = Path(f"/proc/{pid}/status").read_text()
            total += int(status.partition("VmRSS:")[2].split()[0]) if "VmRSS:" in status else 0
    return total
