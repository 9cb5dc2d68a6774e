"""A studio's upload as named files: the body itself, or the files of a small zip held in memory."""

import io
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Final

from achievements.formats.document import Unreadable
from core.texts import quoted

Files = Mapping[str, bytes]
"""Base name → content; a body that is no zip has the name ""."""

MAX_BYTES: Final = 10 * 1024 * 1024
MAX_FILES: Final = 100
# Pictures that studios pack beside the texts are listed, never unpacked; Google Play allows 403 files in all.
_MAX_ENTRIES: Final = 1_000
_READ_SUFFIXES = frozenset({".csv", ".json", ".txt", ".vdf", ".xml"})
_METHODS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
# NotImplementedError is a RuntimeError; what zipfile lets through of a damaged directory is a struct.error.
_BROKEN = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError)
_ZIP_MARKS, _ENTRY_MARK = (b"PK\x03\x04", b"PK\x05\x06"), b"PK\x01\x02"
_TOO_MANY = f"The zip holds more than {_MAX_ENTRIES:,} entries: take out what is not needed."
_IS_ENCRYPTED: Final = 0x1


def open_upload(body: bytes) -> Files:
    """Return the files of an upload of at most 10 MiB.

    Raises: Unreadable for a larger one, and for a zip that is broken, encrypted, nested, or too large.
    """
    if len(body) > MAX_BYTES:
        raise Unreadable(f"The upload is larger than {MAX_BYTES // 1024**2} MiB: split it.")
    if not body.startswith(_ZIP_MARKS):
        return {"": body}
    # zipfile makes an object of each before anybody can count them.
    if body.count(_ENTRY_MARK) > _MAX_ENTRIES:
        raise Unreadable(_TOO_MANY)
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            return _unpack(archive)
    except Unreadable:
        raise
    except _BROKEN:
        raise Unreadable("The zip is broken: pack it again.") from None


def _unpack(archive: zipfile.ZipFile) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    room = MAX_BYTES
    for entry in _readable(archive.infolist()):
        name = _base_name(entry.filename)
        if name in files:
            raise Unreadable(f"The zip holds two files named {quoted(name)}: keep one.")
        if len(files) == MAX_FILES:
            raise Unreadable(f"The zip holds more than {MAX_FILES} files of text: take some out.")
        # What the entry says of its size is the sender's word: only what comes out counts.
        with archive.open(entry) as unpacked:
            content = unpacked.read(room + 1)
        room -= len(content)
        if room < 0:
            raise Unreadable(f"The zip unpacks to more than {MAX_BYTES // 1024**2} MiB: split it.")
        if content.startswith(_ZIP_MARKS):
            raise Unreadable(f"{quoted(name)} in the zip is a zip itself: pack the files directly.")
        files[name] = content
    if not files:
        raise Unreadable("The zip holds no .csv, .json, .txt, .vdf or .xml file: add one.")
    return files


def _readable(entries: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    wanted = []
    for entry in entries:
        name = _base_name(entry.filename)
        suffix = PurePosixPath(name).suffix.lower()
        if suffix == ".zip":
            raise Unreadable(f"{quoted(name)} in the zip is a zip itself: pack the files directly.")
        # macOS packs a shadow "._name" of every file.
        if entry.is_dir() or name.startswith(".") or suffix not in _READ_SUFFIXES:
            continue
        if entry.compress_type not in _METHODS or entry.flag_bits & _IS_ENCRYPTED:
            raise Unreadable(f"{quoted(name)} in the zip is encrypted or oddly packed: pack it plainly.")
        wanted.append(entry)
    return wanted


def _base_name(path: str) -> str:
    return path.replace("\\", "/").rstrip("/").rpartition("/")[2]
