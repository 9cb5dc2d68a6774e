"""Built-in pictures: which glyph, tint and scene stand in where a studio gave no picture.

The choice depends on a text alone, so the same achievement looks the same everywhere. `static/live.js`
makes the same choice for toasts; the names are symbols of `static/art.svg` and classes of `static/laurel.css`.
"""

import re

# Uploaded pictures: the address of all of them without the host, and the sides of an icon in pixels.
MEDIA = "/media/"
LARGE, SMALL = 256, 112
_PICTURE = re.compile(rf"{MEDIA}[a-z]+/[0-9a-f-]{{36}}/[0-9a-f]{{32}}-(?:{LARGE}|{SMALL})\.webp")

GLYPHS = (
    "flame", "heart", "compass", "diamond", "feather", "crown", "leaf", "ghost",
    "moon", "hourglass", "star", "mountain", "campfire", "mushroom", "candle", "flask",
    "meteor", "chess-knight", "seedling", "butterfly", "fish", "skull", "anchor", "sword",
)  # fmt: skip
TINTS = ("ember", "tide", "dusk", "night", "moss", "copper")
SCENES = ("lighthouse", "forest", "peaks", "harbour")

_FNV_OFFSET = 0x811C9DC5
_FNV_PRIME = 0x01000193
# Glyph and tint are taken from different bits, so that they vary independently.
_TINT_SHIFT = 12


def fingerprint(text: str) -> int:
    """Return the 32-bit FNV-1a hash of the text's UTF-8 bytes (short to write in JavaScript too)."""
    value = _FNV_OFFSET
    for byte in text.encode("utf-8", "replace"):
        value = ((value ^ byte) * _FNV_PRIME) & 0xFFFFFFFF
    return value


def glyph(text: str) -> str:
    """Return the glyph for an achievement's key."""
    return GLYPHS[fingerprint(text) % len(GLYPHS)]


def tint(text: str) -> str:
    """Return the tint for a text."""
    return TINTS[(fingerprint(text) >> _TINT_SHIFT) % len(TINTS)]


def scene(text: str) -> str:
    """Return the scene for a game's id."""
    return SCENES[fingerprint(text) % len(SCENES)]


def own_picture(url: str, public_url: str) -> str:
    """Return the address without the host if it is of a picture of this instance, else nothing."""
    path = url.removeprefix(public_url)
    return path if _PICTURE.fullmatch(path) else ""


def small(url: str) -> str:
    """Return the address of the small size of an icon of this instance; any other as it is."""
    large = f"-{LARGE}.webp"
    return f"{url.removesuffix(large)}-{SMALL}.webp" if url.startswith(MEDIA) and url.endswith(large) else url
