"""What icons are called: their files in the store, their addresses, and how a text names one. Pure."""

import re
from typing import Final
from uuid import UUID

from core.artwork import LARGE, MEDIA, SMALL

SIDES: Final = (LARGE, SMALL)
_FOLDER: Final = "icons/"
_NAME: Final = re.compile(
    rf"{re.escape(MEDIA + _FOLDER)}([0-9a-f-]{{36}})/([0-9a-f]{{32}})-(?:{LARGE}|{SMALL})\.webp"
)


def file(game: UUID, digest: str, side: int) -> str:
    """Return the name of an icon's file in the store."""
    return f"{_FOLDER}{game}/{digest}-{side}.webp"


def url(game: UUID, digest: str) -> str:
    """Return the address, without the host, that a definition has of an icon: that of the large one."""
    return MEDIA + file(game, digest, LARGE)


def digest_in(url: str, game: UUID) -> str | None:
    """Return which of a game's icons an address is of, None for any other address."""
    found = _NAME.search(url)
    return found[2] if found is not None and found[1] == str(game) else None
