"""Studios' files to definitions and back: pure functions, no database."""

from collections.abc import Callable
from typing import Final

from achievements.formats import eos, google_play, laurel, steam_schema, steam_vdf, xbox
from achievements.formats.archive import Files, open_upload
from achievements.formats.document import ImportedFile, RowError, TooManyErrors, Unreadable
from achievements.formats.recognising import recognise as _recognise

_READERS: Final[dict[str, Callable[[Files], ImportedFile]]] = {
    "laurel": laurel.read,
    "steam": steam_schema.read,
    "steam-vdf": steam_vdf.read,
    "eos": eos.read,
    "google-play": google_play.read,
    "xbox": xbox.read,
}
IMPORT_FORMATS: Final = tuple(_READERS)
LINE_FORMATS: Final = frozenset({"eos", "google-play"})
"""Those whose files show no end: half of one is one, too."""


def recognise(body: bytes) -> str | None:
    """Name the one of IMPORT_FORMATS that an upload of at most 10 MiB shows itself to be; None where none.

    Raises: Unreadable for one that is too large, and for a zip that can't be unpacked.
    """
    return _recognise(open_upload(body))


class UnknownFormat(ValueError):
    """No reader has this name."""


def parse(format: str, body: bytes) -> ImportedFile:
    """Read an upload (a file, or a zip of files) of at most 10 MiB in one of IMPORT_FORMATS.

    Whatever the bytes, what is wrong comes back as the file's errors, row 0 for the file as a whole.
    Raises: UnknownFormat.
    """
    if format not in _READERS:
        raise UnknownFormat(f"The format is not known: use one of {', '.join(IMPORT_FORMATS)}.")
    try:
        imported = _READERS[format](open_upload(body))
    except TooManyErrors as problem:
        return ImportedFile(errors=(*problem.found.errors, RowError(0, str(problem))))
    except Unreadable as problem:
        return ImportedFile(errors=(RowError(0, str(problem)),))
    if not (imported.achievements or imported.parts or imported.errors):
        return ImportedFile(errors=(RowError(0, "The file holds no achievements: add one."),))
    return imported
