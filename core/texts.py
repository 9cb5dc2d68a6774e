"""What texts and numbers that studios give may be, wherever they give them: pure.

Each `clean_…` takes a value as JSON gives it, returns it as it is stored, and raises ValueError with one sentence that
says what is wrong and what to do.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from typing import Final

from core.clock import parse_rfc3339

KEY_LENGTH: Final = 128
NAME_LENGTH: Final = 200

_SHOWN: Final = 40  # characters of a value in a message
# Controls, lone surrogates and the two invisible line breaks: nothing that could be typed into a key by hand.
_NOT_IN_KEYS = frozenset({"Cc", "Cs", "Zl", "Zp"})
# PostgreSQL stores neither.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def quoted(value: object) -> str:
    """Return a value as a message may show it: one line, at most 40 characters, controls escaped."""
    if isinstance(value, Mapping | list | tuple):
        return "an object" if isinstance(value, Mapping) else "a list"
    text = value if isinstance(value, str) else str(value)
    shown = text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"
    return '"' + "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in shown) + '"'


def clean_key(value: object, *, what: str = "key") -> str:
    """Return a key in NFC: 1 to 128 printable characters of any script, case kept."""
    text = clean_text(value, what)
    key = unicodedata.normalize("NFC", text)
    if not key:
        raise ValueError(f"The {what} is empty: give 1 to {KEY_LENGTH} characters.")
    if key != key.strip():
        raise ValueError(f"The {what} {quoted(key)} begins or ends with white space: remove it.")
    if len(key) > KEY_LENGTH:
        raise ValueError(f"The {what} {quoted(key)} has {len(key):,} characters: {KEY_LENGTH} are allowed.")
    if any(unicodedata.category(c) in _NOT_IN_KEYS for c in key):
        raise ValueError(f"The {what} {quoted(key)} holds control characters: remove them.")
    return key


def clean_name(value: object) -> str:
    """Return a name without outer white space: 1 to 200 characters of any text."""
    name = clean_trimmed(value, "name", NAME_LENGTH)
    if not name:
        raise ValueError(f"The name is empty: give 1 to {NAME_LENGTH} characters.")
    return name


def clean_time(value: object) -> datetime | None:
    """Return a moment in UTC from RFC 3339 text, or None."""
    if value is None:
        return None
    text = clean_text(value, "time")
    try:
        return parse_rfc3339(text)
    except ValueError as problem:
        raise ValueError(f"The time {quoted(text)} is {problem}: correct it.") from None


def clean_text(value: object, what: str) -> str:
    """Return text that can be stored."""
    if not isinstance(value, str):
        raise ValueError(f"The {what} is not text: give it in quotes.")
    if _UNSTORABLE.search(value):
        raise ValueError(f"The {what} {quoted(value)} holds a NUL or half a character: remove it.")
    return value


def clean_trimmed(value: object, what: str, length: int) -> str:
    """Return text without outer white space, of at most `length` characters."""
    text = clean_text(value, what).strip()
    if len(text) > length:
        raise ValueError(f"The {what} {quoted(text)} has {len(text):,} characters: {length:,} are allowed.")
    return text


def clean_integer(value: object, what: str, least: int, most: int) -> int:
    """Return a whole number from `least` to `most`."""
    # bool is an int to Python, and 10.0 == 10: only a JSON integer will do.
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise ValueError(f"{what} must be a whole number from {least:,} to {most:,}.")
    return value


def clean_choice(value: object, what: str, choices: tuple[str, ...]) -> str:
    """Return one of the choices."""
    if not isinstance(value, str) or value not in choices:
        raise ValueError(f"The {what} {quoted(value)} is not known: give one of {', '.join(choices)}.")
    return value
