"""Numbers and times as they are typed in the reader's language, for the rules to judge."""

import re
from datetime import UTC
from decimal import Decimal
from typing import Any

from core import spoken
from core.clock import parse_rfc3339

_WHOLE = re.compile(r"[+-]?\d{1,18}")
_DECIMAL = re.compile(r"[+-]?\d{1,18}\.\d{1,12}")
_LOCAL = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,6})?)?")


def number(text: str) -> Any:
    """Return a number; what is none stays the text, which no rule takes, and nothing is None."""
    typed = spoken.typed(text.strip())
    if _WHOLE.fullmatch(typed) and typed.isascii():
        return int(typed)
    if _DECIMAL.fullmatch(typed) and typed.isascii():
        return Decimal(typed)
    return text.strip() or None


def number_text(value: float) -> str:
    """Return a number as it is typed."""
    return spoken.spelled(f"{Decimal(repr(value)):f}")


def time(text: str) -> Any:
    """Return a time in UTC as the API takes it; what is none stays the text, and nothing is None."""
    typed = text.strip()
    found = _LOCAL.fullmatch(typed)
    if found is None:
        return typed or None
    return typed.replace(" ", "T") + ("" if found[1] else ":00") + "Z"


def time_text(value: str | None) -> str:
    """Return a time of the API as a field for local times takes it, in UTC."""
    if not value:
        return ""
    at = parse_rfc3339(value).astimezone(UTC)
    return at.replace(tzinfo=None).isoformat(timespec="seconds" if at.second else "minutes")
