"""Reads inboxes for the connections that are owed something: one query for many of them, one at a time."""

import asyncio
from typing import TYPE_CHECKING

import structlog

from social import selectors
from social.live import codes
from social.live.database import Ask, Away
from social.live.limits import Limits

if TYPE_CHECKING:
    from social.live.connection import Connection

log = structlog.get_logger(__name__)

_READ_FOR_AT_ONCE = 64  # connections: with a page each, a few MB at most
_BACK_OFF_S = (0.5, 1.0, 2.0)


class Loader:
    """A queue of connections, in the order in which they asked."""

    def __init__(self, *, ask: Ask, limits: Limits) -> None:
        """Start with nobody waiting."""
        self._ask = ask
        self._limits = limits
        self._wanting: dict[Connection, None] = {}
        self._wake = asyncio.Event()

    def want(self, connection: "Connection") -> None:
        """Read for a connection soon."""
        self._wanting[connection] = None
        self._wake.set()

    async def keep_loading(self) -> None:
        """Read for all who wait, as long as the process lives."""
        failures = 0
        while True:
            await self._wake.wait()
            self._wake.clear()
            while batch := self._take():
                try:
                    await self._load(batch)
                    failures = 0
                except Away as error:
                    log.warning("inboxes can't be read", error=str(error), connections=len(batch))
                    self._wanting.update(dict.fromkeys(batch))
                    await asyncio.sleep(_BACK_OFF_S[min(failures, len(_BACK_OFF_S) - 1)])
                    failures += 1
                except Exception:
                    # A bug, but one connection's inbox must not silence all the others.
                    log.exception("reading inboxes failed", connections=len(batch))
                    for connection in batch:
                        connection.close(codes.BROKEN, "Something broke here. Connect again and resume.")

    def _take(self) -> "list[Connection]":
        batch: list[Connection] = []
        while self._wanting and len(batch) < _READ_FOR_AT_ONCE:
            connection = next(iter(self._wanting))
            del self._wanting[connection]
            if connection.reading and not connection.closing:
                batch.append(connection)
        return batch

    async def _load(self, batch: "list[Connection]") -> None:
        unlocated = [one for one in batch if one.given is None]
        if unlocated:
            await self._locate(unlocated)
        await self._read([one for one in batch if one.reading and one.given is not None])

    async def _locate(self, batch: "list[Connection]") -> None:
        turns = [one.turn for one in batch]
        found = await self._ask(selectors.positions, [(one.player_id, one.after) for one in batch])
        for connection, turn, (position, last_seq) in zip(batch, turns, found, strict=True):
            if connection.turn == turn and not connection.closing:
                connection.located(position, last_seq=last_seq)

    async def _read(self, batch: "list[Connection]") -> None:
        if not batch:
            return
        before = [(one.turn, one.known) for one in batch]
        wanted = [(one.player_id, one.given or 0) for one in batch]
        found = await self._ask(selectors.news, wanted, limit=self._limits.page)
        for connection, (turn, known), news in zip(batch, before, found, strict=True):
            if connection.turn == turn and not connection.closing:
                connection.loaded(news, limit=self._limits.page, known=known)
