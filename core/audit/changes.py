"""What an edit changed, as the log keeps it."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from core.clock import rfc3339


def changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return `{"before", "after"}` of every value that is another one now, by name, as JSON values.

    Numbers with decimals are kept as text, digit by digit.
    """
    return {
        name: {"before": plain(before.get(name)), "after": plain(value)}
        for name, value in after.items()
        if before.get(name) != value
    }


def plain(value: Any) -> Any:
    """Return a value as JSON can have it."""
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Decimal):
        return f"{value.normalize():f}"
    if isinstance(value, Mapping):
        return {name: plain(inner) for name, inner in value.items()}
    return [plain(inner) for inner in value] if isinstance(value, list | tuple) else value
