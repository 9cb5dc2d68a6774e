"""PostgreSQL and Valkey without Laurel, by the cheapest clients there are for them."""

import re
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import urlsplit

from config.processes import CannotStart
from config.programs import server_environment

_RECEIVE_BYTES = 1_048_576
_TPS = re.compile(r"^tps = ([0-9.]+)", re.MULTILINE)


def pgbench(
    postgres: Path, url: str, script: str, *, folder: Path, connections: int, seconds: float
) -> float:
    """Run a script as often as PostgreSQL can take it; return how often a second. Raises CannotStart."""
    program = postgres.with_name("pgbench")
    if not program.exists():
        raise CannotStart(f"{program} is missing: install PostgreSQL's contrib programs.")
    file = folder / "pgbench.sql"
    file.write_text(script)
    whole = max(1, round(seconds))
    options = ("-n", "-M", "prepared", "-c", str(connections), "-j", "2", "-T", str(whole), "-f", str(file))
    run = subprocess.run(
        [str(program), *options, url], capture_output=True, text=True, env=server_environment(), check=False
    )
    found = _TPS.search(run.stdout)
    if run.returncode or not found:
        raise CannotStart(f"pgbench ended with {run.returncode}: {run.stderr.strip()[-400:]}")
    return float(found[1])


class Valkey:
    """One connection that speaks RESP2."""

    def __init__(self, url: str) -> None:
        """Connect and log in."""
        parts = urlsplit(url)
        self._socket = socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 6379))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if parts.password:
            self.ask(command("AUTH", parts.password), answer_bytes=len(b"+OK\r\n"))

    def ask(self, commands: bytes, *, answer_bytes: int) -> None:
        """Send commands and wait for answers of so many bytes. Raises CannotStart on an error."""
        self._socket.sendall(commands)
        self.wait(answer_bytes)

    def wait(self, answer_bytes: int) -> None:
        """Wait for so many bytes. Raises CannotStart on an error."""
        while answer_bytes > 0:
            data = self._socket.recv(min(answer_bytes, _RECEIVE_BYTES))
            answer_bytes -= len(data)
            if not data or data.startswith(b"-"):
                raise CannotStart(f"Valkey answered {data[:200]!r}.")

    def length_of_answer(self, commands: bytes) -> int:
        """Return how many bytes are answered: what comes until nothing does for half a second."""
        self._socket.sendall(commands)
        self._socket.settimeout(0.5)
        length = 0
        try:
            while data := self._socket.recv(_RECEIVE_BYTES):
                length += len(data)
        except TimeoutError:
            self._socket.settimeout(None)
        return length

    def close(self) -> None:
        """Disconnect."""
        self._socket.close()


def per_second(valkey: Valkey, chunks: Iterable[tuple[bytes, int]], *, answer_bytes: int) -> float:
    """Send chunks of commands, each once the one before is answered; return how many commands a second.

    A chunk is its bytes and the number of its commands; each command's answer has `answer_bytes`.
    """
    count, began = 0, time.perf_counter()
    for commands, number in chunks:
        valkey.ask(commands, answer_bytes=number * answer_bytes)
        count += number
    return count / (time.perf_counter() - began)


def command(*words: str) -> bytes:
    """Return a command as RESP has it."""
    return b"*%d\r\n" % len(words) + b"".join(_bulk(word.encode()) for word in words)


def _bulk(word: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(word), word)
