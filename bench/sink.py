"""A studio's server: `python -m bench.sink PORT` takes webhooks, and says how late each was when it is asked.

Paths below `/hang` are never answered.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import orjson

from config.children import BASE_DIR

_ANSWER = b"HTTP/1.1 204 No Content\r\n\r\n"
_LENGTH = b"content-length:"


@dataclass(frozen=True)
class Taken:
    """What was taken since the last time: how late each message was, in ms, and when the last one came (monotonic)."""

    late_ms: list[float]
    last_at: float


class Sink:
    """The running server."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        """Wait until it listens."""
        self._process = process
        self.port = int(self._line())

    def count(self) -> int:
        """Return how many messages were taken since the last `taken`."""
        return int(self._ask(b"count"))

    def taken(self) -> Taken:
        """Return what was taken since the last time, and forget it."""
        return Taken(**orjson.loads(self._ask(b"taken")))

    def _ask(self, question: bytes) -> bytes:
        assert self._process.stdin is not None
        self._process.stdin.write(question + b"\n")
        self._process.stdin.flush()
        return self._line()

    def _line(self) -> bytes:
        assert self._process.stdout is not None
        line: bytes = self._process.stdout.readline()
        return line


@contextmanager
def running(port: int) -> Iterator[Sink]:
    """Run a sink."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "bench.sink", str(port)]
    with subprocess.Popen(command, cwd=BASE_DIR, stdin=pipe, stdout=pipe) as process:
        try:
            yield Sink(process)
        finally:
            process.kill()


class _Connection(asyncio.Protocol):
    """One connection of a sender: HTTP/1.1 with a length, one request after the other."""

    late: list[float] = []
    last_at = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n") + 4) >= 4:
            head = self._buffer[:end].lower()
            at = head.index(_LENGTH) + len(_LENGTH)
            size = int(head[at : head.index(b"\r\n", at)])
            if len(self._buffer) < end + size:
                return
            body, self._buffer = self._buffer[end : end + size], self._buffer[end + size :]
            if not head.startswith(b"post /hang"):
                self._take(body)

    def _take(self, body: bytes) -> None:
        told = datetime.fromisoformat(orjson.loads(body)["timestamp"])
        _Connection.late.append((time.time() - told.timestamp()) * 1e3)
        _Connection.last_at = time.monotonic()
        assert isinstance(self._transport, asyncio.Transport)
        self._transport.write(_ANSWER)


def _answer(question: bytes) -> bytes:
    if question == b"count":
        return str(len(_Connection.late)).encode()
    said: bytes = orjson.dumps({"late_ms": _Connection.late, "last_at": _Connection.last_at})
    _Connection.late = []
    return said


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    await loop.create_server(_Connection, "127.0.0.1", port, backlog=1024)
    print(port, flush=True)
    while question := await loop.run_in_executor(None, sys.stdin.buffer.readline):
        sys.stdout.buffer.write(_answer(question.strip()) + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
