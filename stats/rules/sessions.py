"""When somebody plays: signs of life of one game become sessions and playtime. Pure; times in microseconds since 1970.

Time counts between two signs of life that are at most ALIVE apart; after that the player was gone since the first of
them. A sign of life within MERGED of the last one goes on with its session, a later one begins another.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal
from uuid import UUID

Event = Literal["start", "ping", "end"]
EVENTS: Final = ("start", "ping", "end")
ALIVE_US: Final = 2 * 60 * 1_000_000
MERGED_US: Final = 10 * 60 * 1_000_000


@dataclass(frozen=True, slots=True)
class Playing:
    """What is known of a player in a game; everything is of the last session but `total_ms` and `sessions`."""

    session_id: UUID
    started_us: int
    seen_us: int
    has_ended: bool
    session_ms: int
    total_ms: int
    sessions: int

    def is_alive(self, now_us: int) -> bool:
        """Say whether he plays at a moment."""
        return not self.has_ended and now_us - self.seen_us <= ALIVE_US


@dataclass(frozen=True, slots=True)
class Step:
    """What a sign of life makes of it, and the interval that was played since: from and until, equal for none."""

    after: Playing
    from_us: int
    until_us: int


def step(before: Playing | None, event: Event, *, at_us: int, new_id: UUID) -> Step:
    """Return what a sign of life makes of what is known; `new_id` is taken if it begins a session.

    One that comes late, from before the last, changes nothing: that time was counted, or given up.
    """
    if before is None:
        begun = Playing(new_id, at_us, at_us, event == "end", 0, 0, 1)
        return Step(begun, at_us, at_us)
    gap = at_us - before.seen_us
    if gap < 0:
        return Step(before, before.seen_us, before.seen_us)
    if event == "end" and (before.has_ended or gap > ALIVE_US):
        # He was gone already, or said so before: that is when it ended.
        return Step(replace(before, has_ended=True), before.seen_us, before.seen_us)
    if gap > MERGED_US:
        begun = Playing(new_id, at_us, at_us, False, 0, before.total_ms, before.sessions + 1)
        return Step(begun, at_us, at_us)
    counts = gap <= ALIVE_US and not before.has_ended
    # Whole milliseconds: what is left of one counts with the next sign of life.
    played_ms = gap // 1_000 if counts else 0
    seen_us = before.seen_us + played_ms * 1_000 if counts else at_us
    after = replace(
        before,
        seen_us=seen_us,
        has_ended=event == "end",
        session_ms=before.session_ms + played_ms,
        total_ms=before.total_ms + played_ms,
    )
    return Step(after, seen_us - played_ms * 1_000, seen_us)
