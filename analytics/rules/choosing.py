"""What a request may ask of analytics: its window, its last day, and the steps of a funnel. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from analytics.rules import windows

FEWEST_STEPS: Final = 2
MOST_STEPS: Final = 8
DEFAULT_WINDOW: Final = "30d"
EARLIEST: Final = date(1980, 1, 1)  # no unlock is older
_ESCAPED: Final = re.compile(r"%(2[Cc]|25)")


class Unreadable(ValueError):
    """What was asked can't be read; its text says why."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What was asked.

    Attributes:
        window: one of `windows.WINDOWS`.
        until: its last day.
        compare: whether the span before is wanted too.

    """

    window: str
    until: date
    compare: bool


def choice(asked: Mapping[str, str], *, today: date) -> Choice:
    """Read `window` (30d), `until` (today) and `compare` (false). Raises Unreadable."""
    window = asked.get("window", DEFAULT_WINDOW)
    if window not in windows.WINDOWS:
        raise Unreadable(f"`window` is {window[:40]!r}; it takes one of {', '.join(windows.WINDOWS)}.")
    compare = asked.get("compare", "false")
    if compare not in ("true", "false"):
        raise Unreadable(f"`compare` is {compare[:40]!r}; it takes true or false.")
    return Choice(window, _last_day(asked.get("until"), today=today), compare == "true")


def _last_day(text: str | None, *, today: date) -> date:
    if text is None:
        return today
    try:
        day = date.fromisoformat(text) if re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII) else None
    except ValueError:
        day = None
    if day is None or not EARLIEST <= day <= today:
        raise Unreadable(
            f"`until` is {text[:40]!r}; it takes a day from {EARLIEST} to today, {today}, in UTC."
        )
    return day


def split_steps(text: str) -> list[str]:
    """Return the keys of a list `a,b,c`, in which a comma of a key is written `%2C` and a percent sign `%25`.

    Any client may encode the list as it encodes any other value.

    Raises:
        Unreadable: too few, too many, an empty key, or one that is there twice.

    """
    keys = [
        _ESCAPED.sub(lambda found: "," if found[1] in ("2C", "2c") else "%", part) for part in text.split(",")
    ]
    if not FEWEST_STEPS <= len(keys) <= MOST_STEPS:
        raise Unreadable(f"A funnel has {FEWEST_STEPS} to {MOST_STEPS} achievements; these are {len(keys)}.")
    if not all(keys):
        raise Unreadable("A key of `achievements` is empty: write the keys with single commas between them.")
    for n, key in enumerate(keys):
        if key in keys[:n]:
            raise Unreadable(f"The achievement {key[:128]!r} is there twice: each step stands once.")
    return keys


def join_steps(keys: list[str]) -> str:
    """Return keys as `split_steps` reads them."""
    return ",".join(key.replace("%", "%25").replace(",", "%2C") for key in keys)
