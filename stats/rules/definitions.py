"""What a stat's declared values may be: pure, one place for every door.

Each rule takes a value as JSON gives it (numbers exact, as core.strict_json.ExactJSONParser reads them), returns it as
it is stored, and raises ValueError with one sentence that says what is wrong and what to do.
"""

import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any, Final

from core import texts
from core.texts import quoted
from stats.rules import values

AUTHORITIES: Final = ("server", "client")
FIXED_BY_VALUES: Final = ("aggregation",)  # what values were made by; it stays while there are any


def clean_key(value: object) -> str:
    """Return a stat's key."""
    key = texts.clean_key(value)
    if key in (".", ".."):  # clients take them out of an address
        raise ValueError(f"The key {quoted(key)} can't stand in an address: don't give dots alone.")
    return key


def folded(key: str) -> str:
    """Return what two keys of one game may not have in common, whatever their script's spelling."""
    return unicodedata.normalize("NFKC", key).casefold()


def clean_number(value: object) -> Decimal | None:
    """Return a bound or a default, None for none."""
    return None if value is None else values.to_value(value)


def clean_max_delta(value: object) -> Decimal | None:
    """Return how far one report may change a value, None for any distance."""
    number = clean_number(value)
    if number is not None and number <= 0:
        raise ValueError("The largest change is a number above 0, or null for any.")
    return number


def _flag(what: str) -> Callable[[object], bool]:
    def clean(value: object) -> bool:
        if not isinstance(value, bool):
            raise ValueError(f"{what} is {quoted(value)}: give true or false.")
        return value

    return clean


def _one_of(what: str, choices: tuple[str, ...]) -> Callable[[object], str]:
    return lambda value: texts.clean_choice(value, what, choices)


CLEAN: Final[Mapping[str, Callable[[object], object]]] = {
    "name": texts.clean_name,
    "aggregation": _one_of("aggregation", values.AGGREGATIONS),
    "min": clean_number,
    "max": clean_number,
    "max_delta": clean_max_delta,
    "increment_only": _flag("Increment only"),
    "authority": _one_of("authority", AUTHORITIES),
    "default": clean_number,
    "archived": _flag("Archived"),
}
"""Every field of a stat but its key, with its rule."""

DEFAULTS: Final[Mapping[str, object]] = {
    "aggregation": "sum",
    "min": None,
    "max": None,
    "max_delta": None,
    "increment_only": False,
    "authority": "server",
    "default": None,
    "archived": False,
}


def contradictions(stat: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what a stat's clean values, all of them, say against each other: `{"pointer", "detail"}` each."""
    found: list[dict[str, str]] = []
    lowest, highest, default = stat["min"], stat["max"], stat["default"]
    if lowest is not None and highest is not None and lowest > highest:
        found.append(_wrong("min", "The lowest value is above the highest: swap them."))
    elif default is not None and (
        (lowest is not None and default < lowest) or (highest is not None and default > highest)
    ):
        found.append(_wrong("default", "The default lies outside of `min` and `max`: give one between them."))
    if stat["increment_only"] and stat["aggregation"] == "min":
        found.append(_wrong("increment_only", "A stat with the aggregation `min` only falls: leave it out."))
    return found


def _wrong(name: str, detail: str) -> dict[str, str]:
    return {"pointer": f"/{name}", "detail": detail}
