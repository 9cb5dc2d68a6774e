"""Pictures that studios upload, and files that are none."""

import io
import struct
import zlib
from typing import Any

from PIL import Image, ImageDraw

PNG = b"\x89PNG\r\n\x1a\n"


def drawn(width: int = 96, height: int = 96, *, mode: str = "RGB") -> Image.Image:
    """Return a picture: a red disc on blue."""
    image = Image.new("RGB", (width, height), (30, 40, 160))
    ImageDraw.Draw(image).ellipse(
        (width // 4, height // 4, 3 * width // 4, 3 * height // 4), fill=(220, 40, 30)
    )
    return image.convert(mode)


def saved(image: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    """Return a picture's file."""
    opened = io.BytesIO()
    image.save(opened, kind, **options)
    return opened.getvalue()


def picture(kind: str = "PNG", **options: Any) -> bytes:
    """Return the file of a picture."""
    return saved(drawn(), kind, **options)


def opened(body: bytes) -> Image.Image:
    """Return a file's picture."""
    with Image.open(io.BytesIO(body)) as image:
        image.load()
        return image


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return a part of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def header(width: int, height: int) -> bytes:
    """Return a PNG's header, of eight bits of grey."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))


def png_that_claims(width: int, height: int) -> bytes:
    """Return a whole PNG of a few bytes that unfolds to megabytes."""
    data = zlib.compress(b"\0" * 4_000_000, 9)
    return PNG + header(width, height) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def second_header() -> bytes:
    """Return a PNG that says at first that it is small."""
    body = picture()
    return body[:33] + header(50_000, 50_000) + body[33:]


def text_bomb() -> bytes:
    """Return a PNG whose comments unfold to megabytes each."""
    body = picture()
    one = chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"x" * 900_000, 9))
    return body[:33] + one * 200 + body[33:]


def apng() -> bytes:
    """Return a PNG that moves."""
    return saved(drawn(), save_all=True, append_images=[drawn(), drawn(mode="L").convert("RGB")])


def moving_webp() -> bytes:
    """Return a WebP that moves."""
    frames = [Image.new("RGB", (64, 64), (shade, 0, 0)) for shade in range(0, 250, 10)]
    return saved(frames[0], "WEBP", save_all=True, append_images=frames[1:])


def webp_that_claims(width: int, height: int) -> bytes:
    """Return a WebP without loss whose bitstream says that it is large."""
    bits = (width - 1) | (height - 1) << 14
    part = b"\x2f" + struct.pack("<I", bits) + b"\0" * 8
    told = struct.pack("<4sI", b"VP8L", len(part)) + part + b"\0" * (len(part) % 2)
    return struct.pack("<4sI4s", b"RIFF", 4 + len(told), b"WEBP") + told


def jpeg_that_claims(width: int, height: int) -> bytes:
    """Return a JPEG whose frame says that it is large."""
    body = picture("JPEG")
    at = body.index(b"\xff\xc0")
    return body[: at + 5] + struct.pack(">HH", height, width) + body[at + 9 :]


def scans(count: int) -> bytes:
    """Return a progressive JPEG that goes over the whole picture again and again."""
    body = saved(drawn(1024, 1024, mode="L"), "JPEG", progressive=True)
    at = body.rindex(b"\xff\xda")
    return body[:-2] + body[at:-2] * count + body[-2:]


SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(document.cookie)</script>"
GIF = saved(drawn(), "GIF")
