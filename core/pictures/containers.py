"""What a picture's file is, by its bytes alone: its kind and size, and the parts of it that are the picture.

Nothing is decoded here. What is not the picture (profiles, comments, thumbnails, other people's chunks) is left out, so
that a decoder never meets it, and whatever else a file may be besides (a page, a program, an archive) is refused.

Source: PNG (W3C, third edition), JPEG (ITU-T T.81 annex B), WebP (RFC 9649).
"""

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

LARGEST_BYTES: Final = 512 * 1024
LARGEST_SIDE: Final = 1024
# An ordinary progressive JPEG has about ten; each one is work over the whole picture, however few bytes it has.
_MOST_SCANS: Final = 64

TOO_LARGE = "The picture has more than 512 KiB: save it smaller, 256 × 256 pixels are enough."
OTHER_KIND = "This is no PNG, JPEG or WebP picture: save it as one of them and choose that file."
ANIMATED = "The picture moves: save one frame of it as PNG, JPEG or WebP."
CUT_OFF = "The picture's file is not whole: save or download it again."
BROKEN = "The picture can't be read: save it again with an image editor, as PNG, JPEG or WebP."
MORE_BEHIND = "The file goes on behind the picture: save it again with an image editor, as PNG, JPEG or WebP."


class Unusable(ValueError):
    """The file is refused, with one sentence that says what to do."""


class TooLarge(Unusable):
    """It has too many bytes."""


@dataclass(frozen=True, slots=True)
class Container:
    """A picture's file without what is not the picture; `kind` is Pillow's name of its format."""

    kind: str
    width: int
    height: int
    body: bytes


def read(body: bytes) -> Container:
    """Return what a file is. Raises Unusable."""
    if len(body) > LARGEST_BYTES:
        raise TooLarge(TOO_LARGE)
    if body.startswith(_PNG):
        found = _png(body)
    elif body.startswith(b"\xff\xd8\xff"):
        found = _jpeg(body)
    elif body[:4] == b"RIFF" and body[8:12] == b"WEBP":
        found = _webp(body)
    else:
        raise Unusable(OTHER_KIND)
    if not (1 <= found.width <= LARGEST_SIDE and 1 <= found.height <= LARGEST_SIDE):
        raise Unusable(
            f"The picture has {found.width} × {found.height} pixels, at most {LARGEST_SIDE} × {LARGEST_SIDE} are taken:"
            " save it smaller, 256 × 256 are enough."
        )
    return found


def _require(holds: bool, otherwise: str = BROKEN) -> None:
    if not holds:
        raise Unusable(otherwise)


_PNG: Final = b"\x89PNG\r\n\x1a\n"
# A profile or text is compressed and may unfold to megabytes; eXIf says how the picture is turned.
_PNG_PARTS: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"eXIf", b"IDAT", b"IEND"})


def _png(body: bytes) -> Container:
    kept, at, kind = [_PNG], len(_PNG), b""
    while kind != b"IEND":
        _require(at + 12 <= len(body), CUT_OFF)
        length, kind = struct.unpack_from(">I4s", body, at)
        end = at + 12 + length
        _require(end <= len(body), CUT_OFF)
        _require(kind not in (b"acTL", b"fcTL", b"fdAT"), ANIMATED)
        # A second header would change the size that was checked.
        _require((kind == b"IHDR") == (len(kept) == 1) and (kind != b"IHDR" or length == 13))
        if kind in _PNG_PARTS:
            kept.append(body[at:end])
        at = end
    _require(at == len(body), MORE_BEHIND)
    width, height = struct.unpack_from(">II", body, 16)
    return Container("PNG", width, height, b"".join(kept))


_SIZES: Final = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended, progressive
_OTHER_SIZES: Final = frozenset({0xC3, 0xC5, 0xC6, 0xC7, 0xC9, 0xCA, 0xCB, 0xCD, 0xCE, 0xCF})
_JFIF, _EXIF, _ADOBE, _COMMENT = 0xE0, 0xE1, 0xEE, 0xFE
_SCAN, _END = 0xDA, 0xD9
# Within a scan FF is followed by 00, by a restart's number, or by the marker that ends it.
_MARKER: Final = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def _jpeg(body: bytes) -> Container:
    kept, size, scans, has_exif = [body[:2]], None, 0, False
    for marker, at, end in _segments(body):
        part = body[at:end]
        if marker in _SIZES:
            _require(size is None and len(part) >= 9)
            height, width = struct.unpack_from(">HH", part, 5)
            size = (width, height)
        scans += marker == _SCAN
        _require(marker not in _OTHER_SIZES and scans <= _MOST_SCANS)
        is_exif = marker == _EXIF and part[4:10] == b"Exif\0\0" and not has_exif
        has_exif |= is_exif
        is_told = 0xE0 <= marker <= 0xEF or marker == _COMMENT
        if not is_told or is_exif or marker in (_JFIF, _ADOBE):
            kept.append(part)
    if size is None or not scans:
        raise Unusable(BROKEN)
    return Container("JPEG", *size, b"".join(kept))


def _segments(body: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield each segment's marker, beginning and end, a scan with its data; the end of the picture comes last."""
    at = 2
    while True:
        _require(at + 2 <= len(body), CUT_OFF)
        _require(body[at] == 0xFF)
        marker = body[at + 1]
        if marker == _END:
            _require(not body[at + 2 :].strip(b"\0"), MORE_BEHIND)  # some cameras fill up with zeros
            yield marker, at, at + 2
            return
        if marker == 0xFF:  # may stand before any marker
            at += 1
            continue
        _require(at + 4 <= len(body), CUT_OFF)
        (length,) = struct.unpack_from(">H", body, at + 2)
        end = at + 2 + length
        _require(length >= 2)
        _require(end <= len(body), CUT_OFF)
        if marker == _SCAN:
            behind = _MARKER.search(body, end)
            if behind is None:
                raise Unusable(CUT_OFF)
            end = behind.start()
        yield marker, at, end
        at = end


_MOVES, _HAS_EXIF, _HAS_ALPHA = 0x02, 0x08, 0x10
_WEBP_PARTS: Final = frozenset({b"VP8X", b"ALPH", b"VP8 ", b"VP8L", b"EXIF"})


def _webp(body: bytes) -> Container:
    (length,) = struct.unpack_from("<I", body, 4)
    _require(8 + length <= len(body), CUT_OFF)
    _require(8 + length == len(body), MORE_BEHIND)
    parts: dict[bytes, bytes] = {}
    at = 12
    while at < len(body):
        _require(at + 8 <= len(body), CUT_OFF)
        name, size = struct.unpack_from("<4sI", body, at)
        _require(at + 8 + size <= len(body), CUT_OFF)
        _require(name not in (b"ANIM", b"ANMF"), ANIMATED)
        if name in _WEBP_PARTS:
            _require(name not in parts)
            parts[name] = body[at + 8 : at + 8 + size]
        at += 8 + size + size % 2
    _require(not int.from_bytes(parts.get(b"VP8X", b"")[:1]) & _MOVES, ANIMATED)
    _require((b"VP8 " in parts) != (b"VP8L" in parts), CUT_OFF)
    width, height, has_alpha = _webp_size(parts)
    return Container("WEBP", width, height, _webp_of(parts, width, height, has_alpha=has_alpha))


def _webp_size(parts: dict[bytes, bytes]) -> tuple[int, int, bool]:
    if b"VP8L" in parts:
        _require(len(parts[b"VP8L"]) >= 5 and parts[b"VP8L"][0] == 0x2F)
        (bits,) = struct.unpack_from("<I", parts[b"VP8L"], 1)
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1, bool(bits >> 28 & 1)
    _require(len(parts[b"VP8 "]) >= 10 and parts[b"VP8 "][3:6] == b"\x9d\x01\x2a")
    width, height = struct.unpack_from("<HH", parts[b"VP8 "], 6)
    return width & 0x3FFF, height & 0x3FFF, b"ALPH" in parts


def _webp_of(parts: dict[bytes, bytes], width: int, height: int, *, has_alpha: bool) -> bytes:
    """Return a file of these parts and no others, which says of itself what is in it."""
    flags = has_alpha * _HAS_ALPHA | (b"EXIF" in parts) * _HAS_EXIF
    chunks: list[tuple[bytes, bytes]] = [
        (name, parts[name]) for name in (b"ALPH", b"VP8 ", b"VP8L", b"EXIF") if name in parts
    ]
    if b"ALPH" in parts or b"EXIF" in parts:
        canvas = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        chunks.insert(0, (b"VP8X", struct.pack("<I", flags) + canvas))
    told = b"".join(
        struct.pack("<4sI", name, len(part)) + part + b"\0" * (len(part) % 2) for name, part in chunks
    )
    return struct.pack("<4sI4s", b"RIFF", 4 + len(told), b"WEBP") + told
