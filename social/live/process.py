"""The `live` process as an ASGI application: its addresses, and the loops behind them."""

import asyncio
import signal
import threading
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from types import FrameType

import orjson
import structlog
from channels.routing import ProtocolTypeRouter

from core import operations, tracing
from core.refusals import NotFound, Refused, Unavailable
from social.consumers import LiveConsumer
from social.live import answers, subscription
from social.live.answers import Message, Receive, Scope, Send
from social.live.database import asker
from social.live.hub import Hub
from social.live.limits import DEFAULT, Limits
from social.live.sse import stream

log = structlog.get_logger(__name__)

_AGAIN_AFTER_S = 1.0
# Two ways to the database, so that many who come at once don't hold up those who are in.
_THREADS_FOR_INBOXES = 1
_THREADS_AT_THE_DOOR = 3


class LiveProcess:
    """Everything that one process holds."""

    def __init__(self, limits: Limits = DEFAULT) -> None:
        """Prepare; the loops start with the server."""
        self.hub = Hub(ask=asker(threads=_THREADS_FOR_INBOXES), limits=limits)
        self._ask = asker(threads=_THREADS_AT_THE_DOOR)
        self._consumer = LiveConsumer.as_asgi(hub=self.hub, ask=self._ask)

    def application(self) -> ProtocolTypeRouter:
        """Return the ASGI application."""
        return ProtocolTypeRouter({"websocket": self.websocket, "http": self.http, "lifespan": self.lifespan})

    async def websocket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve `/ws/v1/live`."""
        if scope["path"] == "/ws/v1/live":
            await self._consumer(scope, receive, send)
        else:
            await answers.refuse_handshake(send, scope, NotFound("There is no WebSocket at this address."))

    async def http(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve the event stream, `/livez` and `/readyz`."""
        try:
            if scope["path"] == "/api/v1/live":
                await self._live(scope, receive, send)
            elif scope["path"] == "/livez":
                _check_method(scope, "GET", "HEAD")
                headers = [*answers.common_headers(scope), (b"content-type", b"application/json")]
                await answers.answer(send, 200, headers, b'{"status":"ok"}')
            elif scope["path"] == "/readyz":
                _check_method(scope, "GET", "HEAD")
                await self._readyz(scope, send)
            else:
                raise NotFound("There is nothing at this address.")
        except Refused as refused:
            await answers.refuse(send, scope, refused)

    async def _readyz(self, scope: Scope, send: Send) -> None:
        """Say whether newcomers can be let in: who is not known can't be, without PostgreSQL."""
        if self.hub.is_ending:
            raise Unavailable("This server stops.")
        status, said = await asyncio.to_thread(operations.readiness)
        headers = [*answers.common_headers(scope), (b"content-type", b"application/json")]
        if status == HTTPStatus.SERVICE_UNAVAILABLE:
            headers.append((b"retry-after", operations.AGAIN_S.encode()))
        await answers.answer(send, status, headers, orjson.dumps(said))

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        _check_method(scope, "GET", "OPTIONS")
        if scope["method"] == "OPTIONS":
            await answers.answer(send, 204, [*answers.common_headers(scope), *answers.preflight_headers()])
        else:
            await stream(scope, receive, send, hub=self.hub, ask=self._ask)

    async def lifespan(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """Run the loops while the server does."""
        tasks: list[asyncio.Task[None]] = []
        while True:
            message: Message = await receive()
            if message["type"] == "lifespan.startup":
                tasks = self._start()
                await send({"type": "lifespan.startup.complete"})
            else:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                await self.hub.attendance.note()  # whom the end has closed
                await asyncio.to_thread(tracing.end)  # the server ends itself by a signal, without atexit
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _start(self) -> list[asyncio.Task[None]]:
        hub = self.hub
        _before_exit(hub.end)

        async def listen() -> None:
            await subscription.keep_listening(receive=hub.receive, subscribed=hub.subscribed, alone=hub.alone)

        loops = (
            hub.keep_beating,
            hub.keep_sweeping,
            hub.keep_dismissing,
            hub.loader.keep_loading,
            hub.attendance.keep_noting,
            listen,
        )
        return [asyncio.create_task(_keep(loop), name=loop.__name__) for loop in loops]


async def _keep(run: Callable[[], Awaitable[None]]) -> None:
    """Run a loop that must not end: a bug in it is logged, and it starts again."""
    while True:
        try:
            await run()
        except Exception:
            log.exception("a loop broke", loop=run.__name__)
        await asyncio.sleep(_AGAIN_AFTER_S)


def _before_exit(end: Callable[[], None]) -> None:
    """Call `end` when the server is told to stop: uvicorn waits for open streams before its own word of it."""
    if threading.current_thread() is not threading.main_thread():
        return
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        before = signal.getsignal(number)

        def chained(received: int, frame: FrameType | None, before: object = before) -> None:
            loop.call_soon_threadsafe(end)
            if callable(before):
                before(received, frame)

        signal.signal(number, chained)


def _check_method(scope: Scope, *allowed: str) -> None:
    if scope["method"] not in allowed:
        taken = ", ".join(allowed)
        raise Refused(f"This address takes {taken}.", slug="method-not-allowed", headers={"Allow": taken})
