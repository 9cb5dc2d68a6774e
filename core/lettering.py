"""Text in pictures: the fonts that draw it, sign by sign, whatever script somebody's name is in.

Inter is read as the pages load it (WOFF2, which FreeType unpacks); what it has no glyph for is looked for in fonts of
the machine. A sign that none of them has is left out, so that nobody's name is drawn as a row of boxes.
"""

import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from itertools import groupby
from pathlib import Path
from threading import RLock
from typing import Any, Final

from django.conf import settings
from PIL import ImageDraw, ImageFont, features

LONGEST: Final = 128
ELLIPSIS: Final = "…"
lock = RLock()
"""Held by whoever draws or measures: a font is one state in the whole process."""

_SUBSETS: Final = ("latin", "latin-ext", "cyrillic", "cyrillic-ext", "greek", "greek-ext", "vietnamese")
_FOLDERS: Final = (
    "/usr/share/fonts",
    "/usr/local/share/fonts",
    "/System/Library/Fonts",
    "/Library/Fonts",
    "C:/Windows/Fonts",
)
# The widest first; of these a machine has a few at most.
_SYSTEM: Final = (
    "NotoSans-Regular.ttf",
    "NotoSansCJK-Regular.ttc",
    "NotoSansArabic-Regular.ttf",
    "NotoSansHebrew-Regular.ttf",
    "NotoSansDevanagari-Regular.ttf",
    "NotoSansBengali-Regular.ttf",
    "NotoSansTamil-Regular.ttf",
    "NotoSansThai-Regular.ttf",
    "NotoSansGeorgian-Regular.ttf",
    "NotoSansArmenian-Regular.ttf",
    "DejaVuSans.ttf",
    "DroidSansFallbackFull.ttf",
    "wqy-microhei.ttc",
    "Arial Unicode.ttf",
    "PingFang.ttc",
    "AppleGothic.ttf",
    "msyh.ttc",
    "malgun.ttf",
    "segoeui.ttf",
)
_NO_SIGN: Final = "\U0010fffe"  # no character, so that every font draws what it draws for what it lacks
_JOINERS: Final = "\u200c\u200d"
_TO_BE_SHAPED: Final = ((0x0900, 0x109F), (0x1780, 0x17FF))  # Devanagari to Myanmar, Khmer
Run = tuple[str, str]  # a font's file, and what it draws


def clean(text: str) -> str:
    """Return a text as one line without what turns, hides or breaks it: controls, overrides, strange signs."""
    kept = (sign if not sign.isspace() else " " for sign in unicodedata.normalize("NFC", text)[:LONGEST])
    return " ".join("".join(sign for sign in kept if sign in _JOINERS or _is_visible(sign)).split())


def _is_visible(sign: str) -> bool:
    return unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co", "Cn")


def drawable(text: str) -> str:
    """Return what of a text there are glyphs for; empty if no letter or digit is left."""
    with lock:
        shown = "".join(sign for sign in clean(text) if sign in _JOINERS or _file_for(sign) is not None)
    return " ".join(shown.split()) if any(sign.isalnum() for sign in shown) else ""


def width(text: str, *, size: int, weight: int, unknown: float = 0.0) -> float:
    """Return how wide a text is drawn, in pixels.

    Signs without a glyph here take no room; where somebody else draws the text, `unknown` times the size each.
    """
    with lock:
        missing = sum(1 for sign in text if _file_for(sign) is None) if unknown else 0
        known = sum(_font(file, size, weight).getlength(part) for file, part in _runs(text))
        return known + missing * size * unknown


def cut(text: str, *, size: int, weight: int, most: float, unknown: float = 0.0) -> str:
    """Return a text, shortened with an ellipsis if it is wider than `most` pixels, as `width` reckons."""
    if width(text, size=size, weight=weight, unknown=unknown) <= most:
        return text
    shortest, longest = 0, len(text)
    while shortest < longest:
        middle = (shortest + longest + 1) // 2
        shown = text[:middle].rstrip() + ELLIPSIS
        if width(shown, size=size, weight=weight, unknown=unknown) <= most:
            shortest = middle
        else:
            longest = middle - 1
    return text[:shortest].rstrip() + ELLIPSIS


def write(
    canvas: ImageDraw.ImageDraw,
    at: tuple[float, float],
    text: str,
    *,
    size: int,
    weight: int,
    colour: str,
    anchor: str = "l",
) -> float:
    """Draw a text on its baseline, from its left end, its middle (`m`) or to its right end (`r`); return its width."""
    with lock:
        whole = width(text, size=size, weight=weight)
        x, y = at[0] - {"l": 0.0, "m": whole / 2, "r": whole}[anchor], at[1]
        for file, part in _runs(text):
            font = _font(file, size, weight)
            canvas.text((x, y), part, font=font, fill=colour, anchor="ls")
            x += font.getlength(part)
    return whole


def _runs(text: str) -> list[Run]:
    """Return by which fonts a text is drawn, from left to right.

    What is not Inter's is drawn by one font if one has it all, since letters of one word are joined and turned by it.
    """
    files = [_file_for(sign) or "" for sign in text]
    inter = set(_inter())
    if not set(files) <= inter:
        whole = next((file for file in _system() if all(_has(file, sign) for sign in text)), None)
        if whole is not None:
            return [(whole, text)]
    runs = [
        (file, "".join(sign for _, sign in pairs))
        for file, pairs in groupby(_joined(zip(files, text, strict=True)), key=lambda pair: pair[0])
        if file
    ]
    return runs[::-1] if _is_from_right(text) else runs


def _joined(pairs: Iterator[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Let marks, joiners and spaces be drawn by the font of the sign before them."""
    before = ""
    for file, sign in pairs:
        follows = before and (sign in _JOINERS or sign == " " or unicodedata.combining(sign))
        before = before if follows else file
        yield before, sign


def _is_from_right(text: str) -> bool:
    strong = (unicodedata.bidirectional(sign) for sign in text)
    return next((kind != "L" for kind in strong if kind in ("L", "R", "AL")), False)


@lru_cache(maxsize=8192)
def _file_for(sign: str) -> str | None:
    """Return the first font that has a sign."""
    return next((file for file in (*_inter(), *_system()) if _has(file, sign)), None)


@lru_cache(maxsize=32768)
def _has(file: str, sign: str) -> bool:
    if sign == " " or sign in _JOINERS:
        return True
    if _is_shaped(sign) and not features.check("raqm"):
        return False  # its letters would stand apart, and in the wrong order
    font: Any = _font(file, 24, 400)
    return bytes(font.getmask(sign)) != bytes(font.getmask(_NO_SIGN))


def _is_shaped(sign: str) -> bool:
    turned = unicodedata.bidirectional(sign) in ("R", "AL")
    return turned or any(first <= ord(sign) <= last for first, last in _TO_BE_SHAPED)


@lru_cache(maxsize=1)
def _inter() -> tuple[str, ...]:
    folder = Path(settings.BASE_DIR) / "static" / "vendor" / "inter"
    return tuple(str(folder / f"inter-{subset}-wght-normal.woff2") for subset in _SUBSETS)


@lru_cache(maxsize=1)
def _system() -> tuple[str, ...]:
    """Return those of the machine's fonts that are known to draw names, and can be read."""
    there = {
        path.name: str(path)
        for folder in _FOLDERS
        for path in Path(folder).rglob("*.tt[fc]")
        if path.is_file()
    }
    return tuple(there[name] for name in _SYSTEM if name in there and _is_readable(there[name]))


def _is_readable(file: str) -> bool:
    with suppress(OSError):
        ImageFont.truetype(file, 24)
        return True
    return False


@lru_cache(maxsize=256)
def _font(file: str, size: int, weight: int) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(file, size)
    with suppress(OSError):  # a font of one weight
        font.set_variation_by_axes([weight])
    return font
