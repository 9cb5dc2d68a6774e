"""The `sender` process: takes what is due, sends it, and notes what became of it.

Any number of them may run. What one has taken is due again half a minute later, so that nothing is lost with it; what
it had sent by then is sent again with the same `webhook-id`. An endpoint has its own few places, and fewer once it
hangs, so that it delays no other one.
"""

import asyncio
import random
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import psycopg
import structlog
from django.db import InterfaceError, OperationalError, connection
from psycopg_pool import PoolTimeout

from core import clock, server_time, tracing
from core.disk import storage
from webhooks import metrics, resolving, selectors
from webhooks.queue import MOST_OF_ONE, Done, Due, Outcome
from webhooks.rules import schedule, signing
from webhooks.selectors import Receiver
from webhooks.sending import Sender
from webhooks.services import attempts

if TYPE_CHECKING:
    from core.tracing.recording import Span

log = structlog.get_logger(__name__)
T = TypeVar("T")

MOST_UNDER_WAY = 512
MOST_OF_A_STUDIO = 256  # all of its endpoints may hang at once
MOST_OF_A_SLOW_ONE = 2
TAKEN_AT_ONCE = 256
PAUSE_S = 0.05
REST = 10  # times as long as it took to look: with thousands of endpoints looking is not for nothing
RECEIVERS_KEPT_S = 1.0
BACK_OFF_S = 1.0
LAST_WORDS_S = 3.0  # what is under way at the end is waited for
_AWAY = (OperationalError, InterfaceError, psycopg.OperationalError, PoolTimeout)
_HANGS = ("timeout", "connect", "dns")
_SLOW_S = 5.0  # so does, for others, who answers after that


class Dispatcher:
    """One process's work."""

    def __init__(self, sender: Sender) -> None:
        """Begin with nothing under way."""
        self.stopping = asyncio.Event()
        self._sender = sender
        self._database = ThreadPoolExecutor(1, thread_name_prefix="sender-database")
        self._receivers: dict[int, Receiver] = {}
        self._receivers_at = float("-inf")
        self._slow: set[int] = set()
        self._under_way: dict[asyncio.Task[None], Due] = {}
        self._by_endpoint: Counter[int] = Counter()
        self._done: list[Done] = []

    async def run(self) -> None:
        """Send until told to stop; then let what is under way end, or give it back."""
        while not self.stopping.is_set():
            try:
                pause = await self._turn()
            except _AWAY as error:
                log.warning("sender waits", error=str(error).split("\n")[0])
                await self._ask(_let_go)
                pause = BACK_OFF_S
            await self._rest(pause)
        await self._end()

    async def _rest(self, pause: float) -> None:
        try:
            async with asyncio.timeout(pause):
                await self.stopping.wait()
        except TimeoutError:
            pass

    async def _turn(self) -> float:
        """Note what was done and take what is due; return how long to wait."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        if began - self._receivers_at > RECEIVERS_KEPT_S:
            self._receivers = await self._ask(selectors.receivers)
            self._receivers_at = began
        await self._note()
        await self._ask(server_time.learn)
        storage.look()
        most = 0 if storage.is_full else min(TAKEN_AT_ONCE, MOST_UNDER_WAY - len(self._under_way))
        taken = await self._ask(attempts.take, self._room(), most=most) if most > 0 else []
        for due in taken:
            self._begin(due)
        return PAUSE_S if taken or self._under_way else max(PAUSE_S, REST * (loop.time() - began))

    async def _note(self) -> None:
        """Write down what became of attempts; it is kept until that has succeeded."""
        done = self._done[:]
        try:
            if done:
                await self._ask(attempts.note, done)
        except _AWAY:
            raise
        except Exception:
            # A bug: these are due again when the time for which they were taken is over, and all others go on.
            log.exception("attempts can't be noted", deliveries=[str(each.due.uuid) for each in done])
        del self._done[: len(done)]

    def _room(self) -> list[tuple[int, int]]:
        """Return how many more each endpoint may be sent at once; those of a studio share what it has left."""
        endpoints = Counter(receiver.studio_id for receiver in self._receivers.values())
        left = dict.fromkeys(endpoints, MOST_OF_A_STUDIO)
        for pk, count in self._by_endpoint.items():
            if pk in self._receivers:
                left[self._receivers[pk].studio_id] -= count
        rooms = []
        for pk, receiver in self._receivers.items():
            most = MOST_OF_A_SLOW_ONE if pk in self._slow else MOST_OF_ONE
            studio = receiver.studio_id
            share = max(1, left[studio] // endpoints[studio]) if left[studio] > 0 else 0
            if (room := min(most - self._by_endpoint[pk], share)) > 0:
                rooms.append((pk, room))
        return rooms

    def _begin(self, due: Due) -> None:
        task = asyncio.create_task(self._attempt(self._receivers[due.endpoint_id], due))
        self._under_way[task] = due
        self._by_endpoint[due.endpoint_id] += 1
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        due = self._under_way.pop(task)
        self._by_endpoint[due.endpoint_id] -= 1
        if not task.cancelled() and task.exception() is not None:
            # A bug; its delivery is due again when the time for which it was taken is over.
            log.error("an attempt broke", delivery=str(due.uuid), exc_info=task.exception())

    async def _attempt(self, receiver: Receiver, due: Due) -> None:
        at, body = clock.now(), due.payload.encode()
        headers = signing.headers(
            message_id=f"msg_{due.uuid}",
            timestamp=int(at.timestamp()),
            body=body,
            secrets=receiver.secrets_at(at),
        )
        span = None
        if tracing.recorder is not None and due.trace:
            span = tracing.recorder.start_sending("webhook", due.trace, {"laurel.attempt": due.attempts + 1})
            headers["traceparent"] = span.traceparent
        outcome = await self._sender.post(receiver.url, body=body, headers=headers)
        metrics.count(outcome)
        if span is not None:
            _end(span, outcome)
        self._slow.discard(due.endpoint_id)
        if outcome.error.partition(":")[0] in _HANGS or outcome.duration_ms > 1000 * _SLOW_S:
            self._slow.add(due.endpoint_id)
        next_at = None
        if not outcome.is_success:
            pause = schedule.next_pause(due.failures + 1, wish=outcome.wish, chance=random.random)
            next_at = clock.now() + pause if pause is not None else None
        is_parked = not outcome.is_success and next_at is None
        self._done.append(Done(due, at, receiver.url, headers, outcome, next_at, is_parked))

    async def _end(self) -> None:
        """Wait a little for what is under way, give the rest back, and note what became of it."""
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=LAST_WORDS_S)
        unfinished = dict(self._under_way)
        for task in unfinished:
            task.cancel()
        if unfinished:
            await asyncio.wait(unfinished)
        try:
            await self._note()
            if unfinished:
                await self._ask(attempts.give_back, list(unfinished.values()))
        except _AWAY as error:
            log.warning(
                "the last attempts are not noted, and will be repeated", error=str(error).split("\n")[0]
            )
        await self._ask(_let_go)
        self._database.shutdown()

    async def _ask(self, question: Callable[..., T], *args: object, **kwargs: object) -> T:
        """Ask PostgreSQL in the one thread that speaks to it."""
        return await asyncio.get_running_loop().run_in_executor(
            self._database, partial(question, *args, **kwargs)
        )


def _end(span: "Span", outcome: Outcome) -> None:
    if outcome.status is not None:
        span.tell({"http.response.status_code": outcome.status})
    span.end(outcome.error.partition(":")[0] or None)


def _let_go() -> None:
    """Close this thread's connection: `connection.close`, read in another thread, would be that one's."""
    connection.close()


async def run(*, started: Callable[[Dispatcher], None] = lambda _: None) -> None:
    """Send until `started`'s dispatcher is told to stop."""
    async with Sender(resolving.policy()) as sender:
        dispatcher = Dispatcher(sender)
        started(dispatcher)
        await dispatcher.run()
