"""Players' clients that lose their connection and come back: a WebSocket, an event stream, and sockets of a browser."""

import asyncio
import json
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx
import httpx_sse
from playwright.sync_api import Page
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.typing import Subprotocol

NOTHING_YET = "00000000-0000-0000-0000-000000000000"
_COMES_BACK_AFTER_S = 0.2
_HEARS_WITHIN_S = 60.0  # the server says something more often, and this machine may stall
_GONE = (OSError, EOFError, TimeoutError, ConnectionClosed, InvalidHandshake, httpx.HTTPError)

# The same in a browser: `window.open_all(url, tokens)`, then `window.heard()`.
BROWSER = """
() => {
  const all = [];
  window.open_all = (url, tokens) => {
    for (const token of tokens) {
      const client = {events: [], last: NOTHING_YET};
      all.push(client);
      const open = () => {
        const socket = new WebSocket(url, "laurel.v1");
        const say = (message) => socket.send(JSON.stringify(message));
        socket.onopen = () => say({type: "authenticate", token, after: client.last});
        socket.onmessage = (message) => {
          const event = JSON.parse(message.data);
          if (event.type === "ping") say({type: "pong"});
          else if (event.id) { client.last = event.id; client.events.push(event); }
        };
        socket.onclose = () => setTimeout(open, 200);
      };
      open();
    }
  };
  window.heard = () => all.map((client) => client.events);
}
""".replace("NOTHING_YET", f'"{NOTHING_YET}"')


@dataclass
class Client:
    """One client: all events that it heard, doubles and all, in the order in which they came."""

    token: str
    events: list[dict[str, Any]] = field(default_factory=list)
    last: str = NOTHING_YET
    connections: int = 0

    def hear(self, event: dict[str, Any]) -> None:
        """Keep an event."""
        self.last = event["id"]
        self.events.append(event)

    async def follow(self, address: str) -> None:
        """Listen for ever, over one connection after the other."""
        while True:
            with suppress(*_GONE):
                await self.listen(address)
            await asyncio.sleep(_COMES_BACK_AFTER_S)

    async def listen(self, address: str) -> None:
        """Listen while a connection lasts."""
        raise NotImplementedError


class SocketClient(Client):
    """A WebSocket."""

    async def listen(self, address: str) -> None:
        """Listen while a connection lasts."""
        url = f"ws://{address}/ws/v1/live"
        async with connect(url, subprotocols=[Subprotocol("laurel.v1")], compression=None) as line:
            self.connections += 1
            await line.send(json.dumps({"type": "authenticate", "token": self.token, "after": self.last}))
            async for frame in line:
                said = json.loads(frame)
                if said["type"] == "ping":
                    await line.send('{"type":"pong"}')
                elif "id" in said:
                    self.hear(said)


class StreamClient(Client):
    """An event stream."""

    async def listen(self, address: str) -> None:
        """Listen while a connection lasts."""
        headers = {"Authorization": f"Bearer {self.token}", "Last-Event-ID": self.last}
        async with (
            httpx.AsyncClient(timeout=_HEARS_WITHIN_S) as http,
            httpx_sse.aconnect_sse(http, "GET", f"http://{address}/api/v1/live", headers=headers) as stream,
        ):
            self.connections += 1
            async for event in stream.aiter_sse():
                # `retry` comes alone; with `close` the server says why it ends the stream.
                if event.data and event.event != "close":
                    self.hear(event.json())


class Following:
    """Clients that follow in a thread of their own until the end of the block."""

    def __init__(self, clients: Sequence[Client], address: str) -> None:
        """Know them."""
        self._clients, self._address = clients, address
        self._following: list[Future[None]] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> None:
        """Begin."""
        self._thread.start()
        for client in self._clients:
            following = asyncio.run_coroutine_threadsafe(client.follow(self._address), self._loop)
            self._following.append(following)

    def __exit__(self, *_: object) -> None:
        """End every connection. Raises what broke a client."""
        broken = [error for one in self._following if one.done() and (error := one.exception())]
        asyncio.run_coroutine_threadsafe(_cancel_all(), self._loop).result(timeout=30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        if broken:
            raise broken[0]


async def _cancel_all() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)


def open_in(page: Page, address: str, tokens: Sequence[str]) -> None:
    """Open a socket for each token in a browser's page."""
    page.evaluate(BROWSER)
    page.evaluate("([url, tokens]) => window.open_all(url, tokens)", [f"ws://{address}/ws/v1/live", tokens])


def heard_in(page: Page) -> list[list[dict[str, Any]]]:
    """Return what each of them heard."""
    heard: list[list[dict[str, Any]]] = page.evaluate("() => window.heard()")
    return heard
