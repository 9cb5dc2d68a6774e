"""PostgreSQL for an event loop: questions run in a few threads, each with its own connection and a deadline."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, Protocol, TypeVar

import psycopg
import psycopg_pool
from django.db import InterfaceError, OperationalError, connection

from core.deadlines import deadline

P = ParamSpec("P")
T = TypeVar("T")
_FAILURES = (OperationalError, InterfaceError, psycopg.OperationalError, psycopg_pool.PoolTimeout)


class Away(Exception):
    """PostgreSQL does not answer; the same question may be asked again."""


class Ask(Protocol):
    """A way to ask a selector."""

    async def __call__(self, question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Return the answer. Raises Away."""


def asker(*, threads: int) -> Ask:
    """Return a way to ask, with so many questions at a time; the others wait."""
    pool = ThreadPoolExecutor(threads, thread_name_prefix="live-database")

    async def ask(question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.get_running_loop().run_in_executor(
            pool, partial(_answer, question, *args, **kwargs)
        )

    return ask


def _answer(question: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Ask in this thread, once more over a new connection if the old one was dead.

    A question reads, or writes what may be written twice.
    """
    with deadline():
        try:
            return question(*args, **kwargs)
        except _FAILURES:
            connection.close()
        try:
            return question(*args, **kwargs)
        except _FAILURES as error:
            connection.close()
            raise Away(str(error).strip().split("\n")[0]) from error
