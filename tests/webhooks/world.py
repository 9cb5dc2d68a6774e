"""A sender in this process, and what its operator allows."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connections
from django.test import override_settings

from tests.patience import LONG_S
from webhooks import resolving
from webhooks.sender import Dispatcher
from webhooks.sending import Sender


@contextmanager
def operator_allows(**settings: Any) -> Iterator[None]:
    """Set what an operator may, as `WEBHOOK_…`, without the prefix and in lower case."""
    named = {f"WEBHOOK_{name.upper()}": value for name, value in settings.items()}
    with override_settings(**named):
        resolving.policy.cache_clear()
        try:
            yield
        finally:
            resolving.policy.cache_clear()


def send_until(is_done: Callable[[], bool]) -> None:
    """Run a sender in this process until something is so."""

    async def run() -> None:
        async with Sender(resolving.policy()) as sender:
            dispatcher = Dispatcher(sender)
            task = asyncio.create_task(dispatcher.run())
            deadline = time.monotonic() + LONG_S
            try:
                while not await asyncio.get_running_loop().run_in_executor(None, _asked, is_done):
                    assert time.monotonic() < deadline, "the sender did not come that far"
                    assert not task.done(), task.exception()
                    await asyncio.sleep(0.01)
            finally:
                dispatcher.stopping.set()
                await task

    asyncio.run(run())


def _asked(question: Callable[[], bool]) -> bool:
    """Ask in a thread, whose connection to the database ends with the question."""
    try:
        return question()
    finally:
        connections.close_all()
