"""Which of the formats an upload is of, told by what stands in it; a pure function, no database."""

import csv
import re
from typing import Final

from achievements.formats.archive import Files
from achievements.formats.document import Unreadable
from achievements.formats.encoding import decode

_LOOKED_AT: Final = 4_096  # characters of a file; each format shows itself in its first lines
_STEAM_SCHEMA = re.compile(r'\[|\{\s*"(?:game|availableGameStats)"')
_BLOCK_OF_VDF = re.compile(r'"[^"\r\n]*"\s*\{')
_SECOND_COLUMNS_OF_EPIC: Final = frozenset({"hidden", "locale", "aggregationType"})
_STATES_OF_GOOGLE_PLAY: Final = frozenset({"hidden", "revealed"})
_STATE: Final = 4  # the cell of AchievementsMetadata.csv, which has no header line


def recognise(files: Files) -> str | None:
    """Name the format of an upload's files, as formats.IMPORT_FORMATS has it; None where nothing tells.

    An answer goes by names and first lines: whether the files can be read, their reader says.
    """
    if any(name.lower() == "achievementsmetadata.csv" for name in files):
        return "google-play"
    # The first file that tells speaks for all: studios pack a read-me beside.
    return next(filter(None, map(_format_of, files.values())), None)


def _format_of(body: bytes) -> str | None:
    try:
        start = decode(body)[:_LOOKED_AT].lstrip()
    except Unreadable:
        return None
    if start.startswith(("{", "[")):
        return "steam" if _STEAM_SCHEMA.match(start) else "laurel"
    if start.startswith("<"):
        return "xbox"
    return "steam-vdf" if _BLOCK_OF_VDF.match(start) else _format_of_table(start)


def _format_of_table(start: str) -> str | None:
    cells = [cell.strip() for cell in next(csv.reader(start.splitlines()[:1]), [])]
    if "name" in cells and not _SECOND_COLUMNS_OF_EPIC.isdisjoint(cells):
        return "eos"
    is_metadata = len(cells) > _STATE and cells[_STATE].lower() in _STATES_OF_GOOGLE_PLAY
    return "google-play" if is_metadata else None
