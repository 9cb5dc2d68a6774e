"""Where a reader of facts is, sealed as a cursor, and what facts are called.

Positions and ids say how much happens on the whole platform: to studios they are opaque. The same position of a game
always makes the same cursor (RFC 5297).
"""

import base64
import binascii
import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings

from core import reopening
from core.clock import microseconds
from core.facts import Fact
from core.refusals import Malformed, Refused

WHOLE: Final = 2**31 - 1  # all lines of a fact are read
_LAYOUT: Final = struct.Struct(">QQI")
_LONGEST = 100


class CursorTooOld(Refused):
    """What comes next is kept no more, or is of another log."""

    slug = "cursor-too-old"


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """After the line `place` of the fact `(tx, fact_id)`."""

    tx: int
    fact_id: int
    place: int = WHOLE

    @property
    def before(self) -> tuple[int, int]:
        """The last place in the log of which nothing has to be read any more."""
        return self.tx, self.fact_id if self.place == WHOLE else self.fact_id - 1

    def is_past(self, fact: Fact, place: int) -> bool:
        """Say whether a line was read already."""
        return (fact.tx, fact.id, place) <= (self.tx, self.fact_id, self.place)


BEGINNING: Final = Position(0, 0)


def seal(position: Position, game: UUID, *, log: int) -> str:
    """Return a position in the facts of a game, in the log of that number, as a cursor."""
    packed = _LAYOUT.pack(position.tx, position.fact_id, position.place)
    sealed = _cipher(settings.SECRET_KEY).encrypt(packed, _about(game, log))
    return base64.urlsafe_b64encode(sealed).decode()


def unseal(cursor: str, game: UUID) -> Position:
    """Return the position in a cursor.

    Raises:
        Malformed: forged, cut, or of another game's facts.
        CursorTooOld: what came before it was lost as the database was restored.

    """
    logs = reopening.logs()
    try:
        if len(cursor) > _LONGEST:
            raise ValueError("too long")
        sealed = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
        log, packed = _opened(sealed, game, [number for number, _ in logs])
        position = Position(*_LAYOUT.unpack(packed))
    except (ValueError, binascii.Error, InvalidTag, struct.error):
        raise Malformed(
            "`since` is not a cursor of this game's facts. Send one unchanged, or none to read from the beginning."
        ) from None
    # Later logs begin with transactions whose numbers the log of the cursor may have given to others.
    if any(number > log and position.before > (first, 0) for number, first in logs):
        raise CursorTooOld(
            "The platform was restored to an earlier moment, and what this cursor comes after did not all happen. Read "
            "again without `since`: facts that are left have the same `id`; drop those that do not come again."
        )
    return position


def fact_uuid(fact: Fact, place: int) -> str:
    """Return the id of one line of a fact, a UUIDv7 that is a function of it: whoever reads it again knows it.

    It is keyed, so that it gives away nothing of how much is in the log.
    """
    ms = microseconds(fact.at) // 1000
    seed = f"{fact.tx} {fact.id} {place}".encode()
    digest = int.from_bytes(
        hashlib.blake2b(seed, digest_size=10, key=_key(settings.SECRET_KEY, b"fact id")).digest()
    )
    high, low = digest & 0xFFF, digest >> 12 & (1 << 62) - 1
    return str(UUID(int=ms << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low))


def _opened(sealed: bytes, game: UUID, logs: Sequence[int]) -> tuple[int, bytes]:
    for log in reversed(logs):
        for secret in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS):
            try:
                return log, _cipher(str(secret)).decrypt(sealed, _about(game, log))
            except InvalidTag:
                continue
    raise InvalidTag


def _about(game: UUID, log: int) -> list[bytes]:
    """Return what a cursor is bound to."""
    return [game.bytes, log.to_bytes(8)] if log else [game.bytes]


@lru_cache(maxsize=16)
def _cipher(secret: str) -> AESSIV:
    return AESSIV(_key(secret, b"fact cursor"))


@lru_cache(maxsize=16)
def _key(secret: str, use: bytes) -> bytes:
    return hashlib.blake2b(secret.encode(), digest_size=32, person=use).digest()
