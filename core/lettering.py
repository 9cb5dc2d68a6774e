"""Text in pictures: the fonts that draw it, sign by sign, whatever script somebody's name is in.

Inter is read as the pages load it (WOFF2, which FreeType unpacks); what it has no glyph for is looked for in the
subsets of Noto beside this module, and then in fonts of the machine (docs/adr/0060). A text of which a letter has none
is not drawn at all: half a name is somebody else's.
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
# A name is in one script mostly; which font comes first matters only for signs that several of them have.
_NOTO: Final = (
    "sans-thai",
    "sans-arabic",
    "sans-hebrew",
    "sans-devanagari",
    "sans-bengali",
    "sans-tamil",
    "sans-jp",
    "sans-sc",
    "sans-kr",
    "emoji",  # the last one: see _joined
)
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
_SELECTORS: Final = frozenset(
    map(chr, range(0xFE00, 0xFE10))
)  # of a picture in colours: there is one of each here
_BLANK: Final = "\u115f\u1160\u2800\u3164\uffa0"  # letters and signs of which nothing is seen
_TO_BE_SHAPED: Final = ((0x0900, 0x109F), (0x1780, 0x17FF))  # Devanagari to Myanmar, Khmer
Run = tuple[str, str]  # a font's file, and what it draws


def clean(text: str) -> str:
    """Return a text as one line without what turns, hides or breaks it: controls, overrides, strange signs."""
    kept = (sign if not sign.isspace() else " " for sign in unicodedata.normalize("NFC", text)[:LONGEST])
    return " ".join("".join(sign for sign in kept if sign in _JOINERS or _is_visible(sign)).split())


def _is_visible(sign: str) -> bool:
    return unicodedata.category(sign) not in ("Cc", "Cf", "Cs", "Co", "Cn") and sign not in _BLANK


def drawable(text: str) -> str:
    """Return a text without the marks and signs that no font here has.

    Empty if a letter or digit has no glyph, and if there is neither letter, digit nor picture.
    """
    cleaned = clean(text)
    with lock:
        lacking = {sign for sign in cleaned if sign not in _JOINERS and _file_for(sign) is None} | _SELECTORS
    shown = "".join(sign for sign in cleaned if sign not in lacking)
    is_whole = not any(sign.isalnum() for sign in lacking)
    return " ".join(shown.split()) if is_whole and initial(shown) else ""


def initial(text: str) -> str:
    """Return what stands for a name in a portrait: its first letter or digit, else its first picture, else nothing."""
    found = next((sign for sign in text if sign.isalnum()), "")
    return found.upper()[:1] or next((sign for sign in text if unicodedata.category(sign) == "So"), "")


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

    What only the machine's fonts have is drawn by one of them if one has it all: letters of one word are joined by it.
    """
    files = [_file_for(sign) or "" for sign in text]
    if not set(files) <= {*_inter(), *_noto()}:
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
    """Let marks, joiners and spaces be drawn by the font of the sign before them; a picture's spaces are too wide."""
    before = ""
    for file, sign in pairs:
        is_space = sign == " " and before != _noto()[-1]
        follows = before and (sign in _JOINERS or is_space or unicodedata.combining(sign))
        before = before if follows else file
        yield before, sign


def _is_from_right(text: str) -> bool:
    strong = (unicodedata.bidirectional(sign) for sign in text)
    return next((kind != "L" for kind in strong if kind in ("L", "R", "AL")), False)


@lru_cache(maxsize=8192)
def _file_for(sign: str) -> str | None:
    """Return the first font that has a sign."""
    return next((file for file in (*_inter(), *_noto(), *_system()) if _has(file, sign)), None)


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
def _noto() -> tuple[str, ...]:
    folder = Path(__file__).parent / "fonts"
    return tuple(str(folder / f"noto-{script}.woff2") for script in _NOTO)


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


def _font(file: str, size: int, weight: int) -> ImageFont.FreeTypeFont:
    return _opened(file, size, weight if file in _inter() else None)


@lru_cache(maxsize=128)  # each up to a megabyte, unpacked
def _opened(file: str, size: int, weight: int | None) -> ImageFont.FreeTypeFont:
    font = ImageFont.truetype(file, size)
    if weight is not None:
        font.set_variation_by_axes([weight])
    return font
