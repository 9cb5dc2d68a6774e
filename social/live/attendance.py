"""Notes in PostgreSQL who is connected to this process: who came or left once a second, and all others in turn."""

import asyncio
import secrets
from collections.abc import Collection, Iterator
from itertools import islice

import structlog

from core import clock
from social import presence
from social.live.database import Ask, Away
from social.live.limits import Limits

log = structlog.get_logger(__name__)

ROUND_S = 120.0  # who comes early in a round waits for two of them, which is still less than presence.ONLINE
_AT_ONCE = 500  # players: inboxes are read over the same connection
_PLACE_BITS = 62


class Attendance:
    """Who came or left and is not noted yet; `players` is the hub's own list of who is here."""

    def __init__(self, *, ask: Ask, players: Collection[int], limits: Limits) -> None:
        """Start with nobody to note."""
        self._ask = ask
        self._players = players
        self._every_s = limits.attendance_s
        self._place = secrets.randbits(_PLACE_BITS)
        self._moved: set[int] = set()
        self._round: Iterator[int] = iter(())
        self._owed = 0.0

    def moved(self, player_id: int) -> None:
        """Take note that a player came, with his first connection, or left with his last one."""
        self._moved.add(player_id)

    async def keep_noting(self) -> None:
        """Note who is here, as long as the process lives."""
        while True:
            await asyncio.sleep(self._every_s)
            self._moved.update(self._whose_turn_it_is())
            await self.note()

    async def note(self) -> None:
        """Note all who moved; without PostgreSQL they wait."""
        while self._moved:
            batch = list(islice(self._moved, _AT_ONCE))
            self._moved.difference_update(batch)
            here = {player: player in self._players for player in batch}
            try:
                await self._ask(presence.attend, here, place=self._place, at=clock.now())
            except asyncio.CancelledError:
                self._moved.update(batch)  # who ends the process notes once more
                raise
            except Away as error:
                self._moved.update(batch)
                log.warning("presence can't be noted", error=str(error), players=len(self._moved))
                return

    def _whose_turn_it_is(self) -> list[int]:
        """Return an even share of those who are here, so that everybody is noted once a round."""
        self._owed += len(self._players) * self._every_s / ROUND_S
        share = int(self._owed)
        self._owed -= share
        turn = list(islice(self._round, share))
        if len(turn) < share:
            listed = list(self._players)
            self._round = (player for player in listed if player in self._players)
        return turn
