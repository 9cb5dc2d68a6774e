"""The process's one subscription in Valkey: messages while it is there, and word of it when it is not."""

import asyncio
from collections.abc import Callable

import structlog
from django.conf import settings
from redis import asyncio as redis
from redis.asyncio.client import PubSub
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from core.redis import AWAY
from social import keys

log = structlog.get_logger(__name__)

_ANSWERS_WITHIN_S = 2.0
_PING_S = 1.0
_BACK_OFF_S = (0.1, 0.5, 1.0, 2.0)


async def keep_listening(
    *, receive: Callable[[bytes], None], subscribed: Callable[[], None], alone: Callable[[], None]
) -> None:
    """Pass messages to `receive`, and say `subscribed` and `alone` as Valkey comes and goes, for ever."""
    failures = 0

    def came_back() -> None:
        nonlocal failures
        failures = 0
        subscribed()

    while True:
        try:
            await _listen(receive=receive, subscribed=came_back)
        except (*AWAY, EOFError) as error:
            if not failures:
                log.warning("valkey is away", error=str(error))
            alone()
            await asyncio.sleep(_BACK_OFF_S[min(failures, len(_BACK_OFF_S) - 1)])
            failures += 1


async def _listen(*, receive: Callable[[bytes], None], subscribed: Callable[[], None]) -> None:
    client = redis.Redis.from_url(
        settings.VALKEY_URLS["live"],
        socket_timeout=_ANSWERS_WITHIN_S,
        socket_connect_timeout=_ANSWERS_WITHIN_S,
        # A connection that is made again by itself would hide what was lost meanwhile.
        retry=Retry(NoBackoff(), 0),
        client_name="laurel-live",
    )
    async with client, client.pubsub() as pubsub:
        await pubsub.subscribe(keys.live_channel())
        await _read(pubsub, receive=receive, subscribed=subscribed)


async def _read(pubsub: PubSub, *, receive: Callable[[bytes], None], subscribed: Callable[[], None]) -> None:
    """Read messages; a server that answers no ping is away (frozen, or behind a network that drops packets)."""
    loop = asyncio.get_running_loop()
    heard = loop.time()
    while True:
        message = await pubsub.get_message(timeout=_PING_S)
        if message is None:
            if loop.time() - heard > _PING_S + _ANSWERS_WITHIN_S:
                raise TimeoutError("no answer to pings")
            await pubsub.ping()
            continue
        heard = loop.time()
        if message["type"] == "message":
            receive(message["data"])
        elif message["type"] == "subscribe":
            subscribed()
