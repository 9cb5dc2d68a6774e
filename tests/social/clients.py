"""Players' clients: a WebSocket, and an event stream."""

import json
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import httpx
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from tests.patience import LONG_S


@cache
def http() -> httpx.Client:
    """Return a client that keeps no connection: one for all, since reading the authorities takes it a while."""
    return httpx.Client(timeout=LONG_S, limits=httpx.Limits(max_keepalive_connections=0))


class Socket:
    """A WebSocket that answers pings and hands out events."""

    line: ClientConnection

    def __init__(self, url: str, *, subprotocol: str | None = "laurel.v1", receive_buffer: int = 0) -> None:
        """Describe the connection; `with` opens it, for nobody yet."""
        self._url = url
        self._offered = [Subprotocol(subprotocol)] if subprotocol else None
        self._receive_buffer = receive_buffer
        self._open = ExitStack()

    def __enter__(self) -> Self:
        parts = urlsplit(self._url)
        line = socket.socket()
        if self._receive_buffer:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, self._receive_buffer)
        line.connect((parts.hostname, parts.port))
        opening = connect(
            self._url,
            sock=line,
            subprotocols=self._offered,
            compression=None,
            ping_interval=None,
            open_timeout=LONG_S,
        )
        self.line = self._open.enter_context(opening)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._open.close()

    def say(self, **message: Any) -> None:
        """Send a message."""
        self.line.send(json.dumps(message))

    def authenticate(self, token: str, **more: Any) -> Self:
        """Become a player's."""
        self.say(type="authenticate", token=token, **more)
        assert self.hear()["type"] == "ready"
        return self

    def hear(self) -> dict[str, Any]:
        """Return the next message that is no ping; pings are answered."""
        while True:
            message: dict[str, Any] = json.loads(self.line.recv(timeout=LONG_S))
            if message["type"] != "ping":
                return message
            self.say(type="pong")

    def events(self, count: int) -> list[dict[str, Any]]:
        """Return the next events."""
        return [self.hear() for _ in range(count)]

    def hears_nothing(self) -> bool:
        """Say that nothing was sent up to now: the answer to a ping is the next thing that comes."""
        self.say(type="ping")
        return self.hear() == {"type": "pong"}

    def close_code(self) -> int:
        """Return the code with which the server closes, whatever it sends before."""
        try:
            while True:
                self.line.recv(timeout=LONG_S)
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else 1006


@contextmanager
def let_in(url: str, token: str, *, receive_buffer: int = 0, **more: Any) -> Iterator[Socket]:
    """Open a player's WebSocket, again and again while this machine is slower than the process is patient."""
    for _ in range(100):
        with Socket(url, receive_buffer=receive_buffer) as opened:
            try:
                opened.authenticate(token, **more)
            except ConnectionClosed:
                continue
            yield opened
            return
    raise AssertionError("nobody was let in")


class Stream:
    """An event stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._lines = response.iter_lines()

    def event(self) -> dict[str, Any]:
        """Return the next event as {"id", "event", "data"}; comments are passed by."""
        event: dict[str, Any] = {}
        for line in self._lines:
            if not line and "data" in event:
                return {**event, "data": json.loads(event["data"])}
            name, _, value = line.partition(": ")
            if name:
                event[name] = value
        raise EOFError("the stream ended")

    def events(self, count: int) -> list[dict[str, Any]]:
        """Return the data of the next events."""
        return [self.event()["data"] for _ in range(count)]

    def until_ready(self) -> Self:
        """Return once every new event will be told."""
        for line in self._lines:
            if line.startswith(": ready"):
                return self
        raise EOFError("the stream ended")


@contextmanager
def stream(url: str, token: str, **headers: str) -> Iterator[Stream]:
    """Open an event stream that is ready."""
    sent = {"Authorization": f"Bearer {token}", **headers}
    with http().stream("GET", url, headers=sent) as response:
        assert response.status_code == 200, response.read()
        opened = Stream(response).until_ready()  # kept here, since it ends with its last reference
        yield opened


def keys(events: list[dict[str, Any]]) -> list[str]:
    """Return the keys of unlocked achievements."""
    return [event["data"]["achievement"]["key"] for event in events]


def ids(events: list[dict[str, Any]]) -> list[str]:
    """Return events' ids."""
    return [event["id"] for event in events]
