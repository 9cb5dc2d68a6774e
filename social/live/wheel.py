"""One timer for all: every connection has its turn once a period, spread evenly over it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from social.live.connection import Connection

TICK_S = 0.1


class Wheel:
    """Slots of a tenth of a second each."""

    def __init__(self, period_s: float) -> None:
        """Make a wheel that goes round once a period."""
        self._slots: list[set[Connection]] = [set() for _ in range(max(1, round(period_s / TICK_S)))]
        self._filled = 0
        self._at = 0

    def add(self, connection: "Connection") -> None:
        """Give a connection its place."""
        self._filled = (self._filled + 1) % len(self._slots)
        connection.slot = self._filled
        self._slots[connection.slot].add(connection)

    def discard(self, connection: "Connection") -> bool:
        """Free a connection's place; say whether it had one."""
        slot = self._slots[connection.slot]
        had_one = connection in slot
        slot.discard(connection)
        return had_one

    def turn(self) -> list["Connection"]:
        """Go on by one slot; return whose turn it is."""
        self._at = (self._at + 1) % len(self._slots)
        return list(self._slots[self._at])
