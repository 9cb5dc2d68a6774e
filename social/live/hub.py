"""Who is connected to this process, and how each gets all of his inbox, once and in order.

The inbox is the truth. A message from Valkey is the quick way to a connection that is up to date; whatever does not
fit on (a gap, a lost message, a full queue, Valkey away) is read from PostgreSQL. Two rules make that complete:
numbers of an inbox become visible in their order, and a number is told only after all lower ones.
"""

import asyncio
import time
from collections.abc import Iterator
from itertools import islice
from math import ceil

import structlog

from accounts import sessions
from accounts.sessions import Dismissed
from core import server_time
from core.refusals import Refused
from social import keys, selectors
from social.events import Event
from social.live import codes, door, metrics
from social.live.attendance import Attendance
from social.live.connection import Connection
from social.live.database import Ask, Away
from social.live.limits import DEFAULT, Limits
from social.live.loader import Loader
from social.live.wheel import TICK_S, Wheel
from social.live.wires import EVENT_STREAM, WEB_SOCKET

log = structlog.get_logger(__name__)

_NOBODY = keys.NOBODY.encode()
_SWEPT_AT_ONCE = 2_000  # players
_DISMISSED_WITHIN_S = 60  # longer than whoever was let in just before may be on his way in


class Hub:
    """The connections of this process by player."""

    def __init__(self, *, ask: Ask, limits: Limits = DEFAULT) -> None:
        """Start empty."""
        self.limits = limits
        self.loader = Loader(ask=ask, limits=limits)
        self.is_subscribed = False
        self.is_ending = False
        self._ask = ask
        self._players: dict[int, tuple[Connection, ...]] = {}
        self.attendance = Attendance(ask=ask, players=self._players.keys(), limits=limits)
        self._wheels = {WEB_SOCKET: Wheel(limits.ping_s), EVENT_STREAM: Wheel(limits.heartbeat_s)}
        self._sweep_now = asyncio.Event()

    def attach(self, connection: Connection) -> None:
        """Take a connection in whose player is known. Raises Refused when the player has too many."""
        others = self._players.get(connection.player_id, ())
        if len(others) >= self.limits.connections_a_player:
            said = f"This player has {len(others)} connections; close one of them."
            raise Refused(said, slug="rate-limited", headers={"Retry-After": "10"})
        self._players[connection.player_id] = (*others, connection)
        if not others:
            self.attendance.moved(connection.player_id)
        self._wheels[connection.wire].add(connection)
        metrics.connections.labels(connection.wire.kind).inc()
        self.catch_up(connection)

    def detach(self, connection: Connection) -> None:
        """Let a connection go; one that is gone stays gone."""
        connection.ended()
        left = tuple(
            other for other in self._players.get(connection.player_id, ()) if other is not connection
        )
        if left:
            self._players[connection.player_id] = left
        elif self._players.pop(connection.player_id, None):
            self.attendance.moved(connection.player_id)
        if self._wheels[connection.wire].discard(connection):
            metrics.connections.labels(connection.wire.kind).dec()

    def catch_up(self, connection: Connection) -> None:
        """Read what a connection is owed, once everything that waits on it is written."""
        connection.reading = True
        if connection.is_idle:
            self.loader.want(connection)

    def receive(self, message: bytes) -> None:
        """Pass a batch on to those who are here (its form: social/keys.py)."""
        trace = ""
        for line in message.split(b"\n"):
            player, _, rest = line.partition(b" ")
            if player == _NOBODY:
                trace = rest.decode()
                continue
            connections = self._players.get(int(player))
            if connections:
                seq, uuid, kind, at, data = rest.decode().split(" ", 4)
                event = Event(int(seq), uuid, kind, at, data, trace)
                for connection in connections:
                    connection.hear(event)
            trace = ""

    def subscribed(self) -> None:
        """Messages come from now on; those before are looked for at once."""
        self.is_subscribed = True
        self._sweep_now.set()

    def alone(self) -> None:
        """Messages don't come any more."""
        self.is_subscribed = False
        self._sweep_now.set()

    async def keep_sweeping(self) -> None:
        """Look at the inboxes of all who are here, again and again."""
        while True:
            pause = self.limits.sweep_s if self.is_subscribed else self.limits.sweep_alone_s
            try:
                async with asyncio.timeout(pause):
                    await self._sweep_now.wait()
            except TimeoutError:
                pass
            self._sweep_now.clear()
            try:
                await self._sweep()
            except Away as error:
                log.warning("inboxes can't be read", error=str(error))

    async def _sweep(self) -> None:
        owed = self._up_to_date()
        while chunk := list(islice(owed, _SWEPT_AT_ONCE)):
            for player, last_seq in (await self._ask(selectors.ahead, chunk)).items():
                for connection in self._players.get(player, ()):
                    connection.learn(last_seq)

    def _up_to_date(self) -> Iterator[tuple[int, int]]:
        """Return players with the lowest number that one of their connections was given."""
        for player, connections in list(self._players.items()):
            given = [one.given for one in connections if one.given is not None and not one.reading]
            if given:
                yield player, min(given)

    async def keep_beating(self) -> None:
        """Send signs of life, an even share of them every tenth of a second."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due = max(due + TICK_S, loop.time())
            await asyncio.sleep(due - loop.time())
            for wheel in self._wheels.values():
                for connection in wheel.turn():
                    connection.beat()

    async def keep_dismissing(self) -> None:
        """Close the connections of those who may not listen any more, again and again.

        What was written since the last answer is always among what is asked for, however long PostgreSQL was away.
        """
        answered_at = time.monotonic()
        while True:
            await asyncio.sleep(self.limits.dismiss_s)
            asked_at = time.monotonic()
            within_s = _DISMISSED_WITHIN_S + ceil(asked_at - answered_at)
            try:
                for dismissed in await self._ask(sessions.dismissed, within_s=within_s):
                    self._dismiss(dismissed)
                answered_at = asked_at
                await self._ask(server_time.learn)
            except Away as error:
                log.warning("nobody knows who may still listen", error=str(error))

    def _dismiss(self, dismissed: Dismissed) -> None:
        for connection in self._players.get(dismissed.player_id, ()):
            if connection.guest is not None and (why := door.dismissal(dismissed, connection.guest)):
                connection.close(*why)

    def end(self) -> None:
        """Close everything; the process stops."""
        self.is_ending = True
        for connections in list(self._players.values()):
            for connection in connections:
                connection.close(codes.GOING_AWAY, "This server stops. Connect again and resume.")
