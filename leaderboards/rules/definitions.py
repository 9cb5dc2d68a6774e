"""What a board's declared values may be: pure, one place for every door.

Each rule takes a value as JSON gives it (numbers exact, as core.strict_json.ExactJSONParser reads them), returns it as
it is stored, and raises ValueError with one sentence that says what is wrong and what to do.
"""

import json
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from core import texts
from core.texts import quoted
from leaderboards.rules import periods, scores
from leaderboards.rules.ranks import TIE_BREAKS

FORMATS: Final = ("number", "time_ms", "time_s", "currency", "percent")
AUTHORITIES: Final = ("server", "client")
MOST_ATTEMPTS: Final = 1_000_000
LARGEST_METADATA: Final = 4096  # bytes of JSON
DEEPEST_METADATA: Final = 31  # levels: one less than a body may have, which it is sent in
RESERVED: Final = ("points", "global")
# What scores were weighed, ranked and filed by; it stays while there are any.
FIXED_BY_SCORES: Final = (
    *("sort", "operator", "tie_break", "decimals", "stat"),
    *("reset", "cron", "time_zone", "spans"),
)


def clean_key(value: object) -> str:
    """Return a board's key; whether it is the platform's own is asked with `reserved_as`."""
    key = texts.clean_key(value)
    # A part of an address: a slash would begin the next one, and clients take a dot or two out.
    if "/" in key or key in (".", ".."):
        raise ValueError(
            f"The key {quoted(key)} can't stand in an address: leave out slashes, and don't give dots alone."
        )
    return key


def reserved_as(key: str) -> str | None:
    """Return the platform's own key that a key is or looks like, None for any other."""
    return next((own for own in RESERVED if folded(own) == folded(key)), None)


def folded(key: str) -> str:
    """Return what two keys of one game may not have in common, whatever their script's spelling."""
    return unicodedata.normalize("NFKC", key).casefold()


def clean_decimals(value: object) -> int:
    """Return how many decimals scores keep."""
    return texts.clean_integer(value, "Decimals", 0, scores.MOST_DECIMALS)


def clean_attempts_limit(value: object) -> int | None:
    """Return how many submissions a player has in a period, or None for any number."""
    return None if value is None else texts.clean_integer(value, "The attempts limit", 1, MOST_ATTEMPTS)


def clean_spans(value: object) -> tuple[periods.Span, ...]:
    """Return the spans kept beside the main one."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or len(value) > len(periods.EXTRA_SPANS):
        raise ValueError(f"Spans is a list of any of {', '.join(periods.EXTRA_SPANS)}: give one.")
    found = tuple(next((span for span in periods.EXTRA_SPANS if span == one), None) for one in value)
    if None in found or len(set(found)) < len(found):
        raise ValueError(
            f"Spans names something unknown or twice: give {', '.join(periods.EXTRA_SPANS)}, each once."
        )
    return tuple(span for span in periods.EXTRA_SPANS if span in found)


def clean_cron(value: object) -> str:
    """Return a cron expression; empty (or null) for none."""
    return "" if value in (None, "") else periods.clean_cron(value)


def clean_bound(value: object) -> Decimal | int | None:
    """Return a bound of scores as it was sent, or None; how it fits the board's decimals is asked later."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("A bound of scores is a number or null.")
    return value


def clean_metadata(value: object) -> dict[str, Any]:
    """Return what a studio keeps beside a board: an object of at most 4 KiB."""
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        raise ValueError("The metadata is an object.")
    _require_showable(value)
    text = json.dumps(value, default=float, ensure_ascii=False)
    if len(text.encode()) > LARGEST_METADATA:
        raise ValueError(f"The metadata has more than {LARGEST_METADATA:,} bytes as JSON: shorten it.")
    read: dict[str, Any] = json.loads(text)  # whose numbers are no Decimals any more
    return read


def _require_showable(value: object) -> None:
    """Raise ValueError for what could not be kept or shown again, by whichever door it came."""
    level = [value]
    for _ in range(DEEPEST_METADATA + 1):
        for one in level:
            if isinstance(one, str):
                texts.clean_text(one, "metadata")
            # PostgreSQL writes every digit of a large one, whole or not.
            elif isinstance(one, int | float | Decimal) and not -(2**63) <= one < 2**64:
                raise ValueError("The metadata holds a number of more than 64 bits: send it as text.")
        level = [inner for outer in level for inner in _inner(outer)]
        if not level:
            return
    raise ValueError(f"The metadata is nested deeper than {DEEPEST_METADATA} levels.")


def _inner(value: object) -> Iterable[object]:
    if isinstance(value, Mapping):
        return (*value, *value.values())
    return value if isinstance(value, list) else ()


def clean_archived(value: object) -> bool:
    """Return whether the board takes no more scores."""
    if not isinstance(value, bool):
        raise ValueError(f"Archived is {quoted(value)}: give true or false.")
    return value


def clean_stat(value: object) -> str | None:
    """Return the key of the stat that feeds the board, or None."""
    return None if value is None else texts.clean_key(value, what="stat")


def _one_of(what: str, choices: tuple[str, ...]) -> Callable[[object], str]:
    return lambda value: texts.clean_choice(value, what, choices)


CLEAN: Final[Mapping[str, Callable[[object], object]]] = {
    "name": texts.clean_name,
    "sort": _one_of("sort", scores.SORTS),
    "operator": _one_of("operator", scores.OPERATORS),
    "tie_break": _one_of("tie break", TIE_BREAKS),
    "decimals": clean_decimals,
    "format": _one_of("format", FORMATS),
    "authority": _one_of("authority", AUTHORITIES),
    "stat": clean_stat,
    "reset": _one_of("reset", tuple(periods.RESETS)),
    "cron": clean_cron,
    "time_zone": periods.clean_zone,
    "spans": clean_spans,
    "attempts_limit": clean_attempts_limit,
    "min_score": clean_bound,
    "max_score": clean_bound,
    "starts_at": texts.clean_time,
    "ends_at": texts.clean_time,
    "metadata": clean_metadata,
    "archived": clean_archived,
}
"""Every field of a board but its key, with its rule."""

DEFAULTS: Final[Mapping[str, object]] = {
    "sort": "desc",
    "operator": "best",
    "tie_break": "shared",
    "decimals": 0,
    "format": "number",
    "authority": "server",
    "stat": None,
    "reset": "never",
    "cron": "",
    "time_zone": "UTC",
    "spans": (),
    "attempts_limit": None,
    "min_score": None,
    "max_score": None,
    "starts_at": None,
    "ends_at": None,
    "metadata": {},
    "archived": False,
}


def contradictions(board: Mapping[str, Any]) -> list[dict[str, str]]:
    """Return what a board's clean values, all of them, say against each other: `{"pointer", "detail"}` each."""
    found: list[dict[str, str]] = []
    if (board["reset"] == "cron") != bool(board["cron"]):
        found.append(_wrong("cron", "A cron expression goes with the reset `cron`, and that one needs it."))
    if periods.RESETS[board["reset"]] in board["spans"]:
        found.append(
            _wrong("spans", "The main span, which `reset` declares, is kept anyway: leave it out here.")
        )
    bounds = {name: _bound_units(board, name, found) for name in ("min_score", "max_score")}
    lowest, highest = bounds["min_score"], bounds["max_score"]
    if lowest is not None and highest is not None and lowest > highest:
        found.append(_wrong("min_score", "The lowest score is above the highest: swap them."))
    starts_at, ends_at = board["starts_at"], board["ends_at"]
    if isinstance(starts_at, datetime) and isinstance(ends_at, datetime) and ends_at <= starts_at:
        found.append(_wrong("ends_at", "The board ends before it begins: swap the two times."))
    if board["stat"] is not None and board["attempts_limit"] is not None:
        found.append(_wrong("attempts_limit", "A stat makes no attempts: leave the limit or the stat out."))
    elif board["operator"] == "sum" and board["attempts_limit"] == 1:
        found.append(
            _wrong("attempts_limit", "A sum of one submission is that submission: use `best` or `last`.")
        )
    return found


def _bound_units(board: Mapping[str, Any], name: str, found: list[dict[str, str]]) -> int | None:
    value = board[name]
    if value is None:
        return None
    try:
        return scores.to_units(value, decimals=board["decimals"])
    except ValueError as error:
        found.append(_wrong(name, str(error)))
        return None


def _wrong(name: str, detail: str) -> dict[str, str]:
    return {"pointer": f"/{name}", "detail": detail}
