"""The event as players get it, the same in the inbox, on a WebSocket and in an event stream."""

import hashlib
from datetime import datetime
from typing import NamedTuple

from core.clock import microseconds

ACHIEVEMENT_UNLOCKED = "achievement.unlocked"
ACHIEVEMENT_REVOKED = "achievement.revoked"
ACHIEVEMENT_PROGRESS = "achievement.progress"
LEADERBOARD_UPDATED = "leaderboard.updated"
FRIEND_REQUEST = "friend.request"
FRIEND_ACCEPTED = "friend.accepted"
FRIEND_UNLOCKED = "friend.unlocked"
REPORT_ANSWERED = "report.answered"
KINDS = (
    ACHIEVEMENT_UNLOCKED,
    ACHIEVEMENT_REVOKED,
    ACHIEVEMENT_PROGRESS,
    LEADERBOARD_UPDATED,
    FRIEND_REQUEST,
    FRIEND_ACCEPTED,
    FRIEND_UNLOCKED,
    REPORT_ANSWERED,
)
MOST_OF_ONE_FACT = 2**20


class Event(NamedTuple):
    """One event of a player's inbox; `at` and `data` are finished JSON text, `uuid` its canonical form.

    `trace` is the `traceparent` of what it tells of, if that was sampled; no player is told of it.
    """

    seq: int
    uuid: str
    kind: str
    at: str
    data: str
    trace: str = ""

    def json(self) -> str:
        """Return the event as it is sent."""
        return f'{{"id":"{self.uuid}","type":"{self.kind}","at":"{self.at}","data":{self.data}}}'


def id_prefix(*, fact_id: int, seed: str, at: datetime) -> str:
    """Return what the ids of one fact's events begin with; five hex digits of the event's place in it follow.

    Together they are a UUIDv7 (RFC 9562) that is a function of the fact, so that a replay of the log meets its own
    events and adds none. `seed` is random and part of the fact: without it the id would give away the fact's number.
    """
    ms = microseconds(at) // 1000
    digest = int.from_bytes(hashlib.blake2b(f"{fact_id} {seed}".encode(), digest_size=7).digest(), "big")
    a, b, c = digest & 0xFFF, digest >> 12 & 0x3FFF, digest >> 26 & 0xFFFFFFF
    return f"{ms >> 16:08x}-{ms & 0xFFFF:04x}-7{a:03x}-{0x8000 | b:04x}-{c:07x}"
