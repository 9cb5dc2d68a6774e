"""Reading what game servers send by the thousand: a serializer costs thirty times as much per item.

Each function takes a value as JSON gives it; what is wrong with an item is collected, so that its sender sees it all.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from core.clock import parse_rfc3339
from core.ids import parse_id
from core.refusals import Invalid, Malformed

LARGEST_BATCH = 1000
Errors = list[dict[str, str]]


def error(pointer: str, detail: str) -> dict[str, str]:
    """Return what is wrong with one value."""
    return {"pointer": pointer, "detail": detail}


def read_object(value: Any, known: frozenset[str]) -> Mapping[str, Any]:
    """Return an object with known names only. Raises Malformed."""
    if not isinstance(value, dict):
        raise Malformed("An object is expected.")
    if not known.issuperset(value):
        raise Malformed.names((name for name in value if name not in known), known=known)
    return value


def read_list(body: Mapping[str, Any], name: str) -> list[Any]:
    """Return a batch's items, 1 to LARGEST_BATCH. Raises Malformed, Invalid."""
    items = body.get(name)
    if not isinstance(items, list):
        raise Malformed(
            f"`{name}` is missing or not a list.", errors=[error(f"/{name}", "A list is expected.")]
        )
    if not 1 <= len(items) <= LARGEST_BATCH:
        raise Invalid.value(f"/{name}", f"Takes 1 to {LARGEST_BATCH} items; {len(items)} were sent.")
    return items


def read_time(item: Mapping[str, Any], name: str, errors: Errors) -> datetime | None:
    """Return an RFC 3339 time, None if there is none."""
    value = item.get(name)
    if value is None:
        return None
    try:
        return parse_rfc3339(value if isinstance(value, str) else "")
    except ValueError as problem:
        errors.append(error(f"/{name}", f"The time is {problem}: correct it."))
        return None


def read_event_id(item: Mapping[str, Any], errors: Errors) -> UUID | None:
    """Return the sender's id for the event, None if there is none."""
    value = item.get("event_id")
    if value is None:
        return None
    uuid = parse_id(value)
    if uuid is None:
        errors.append(error("/event_id", "A UUID is expected."))
    return uuid


def sent_event_id(item: Any) -> str | None:
    """Return the sender's id for an event, also of an item that is refused; None for what is no id."""
    uuid = read_event_id(item, []) if isinstance(item, Mapping) else None
    return None if uuid is None else str(uuid)


def require_none(errors: Collection[Mapping[str, str]]) -> None:
    """Raise Invalid with what was collected."""
    if errors:
        raise Invalid("A value of the request can't be.", errors=list(errors))
