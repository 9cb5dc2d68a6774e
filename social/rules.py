"""When somebody wants quiet. Pure."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo

_MINUTE = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)


def is_quiet(at: datetime, *, zone: ZoneInfo, begins: int, ends: int) -> bool:
    """Say whether a clock in `zone` shows a minute from `begins` up to (not with) `ends`, perhaps past midnight.

    What counts is what the clock shows: of the night in which an hour is repeated it is quiet in both, and an hour
    that is left out is over before it began. From a minute to itself is never.
    """
    local = at.astimezone(zone)
    minute = local.hour * 60 + local.minute
    if begins <= ends:
        return begins <= minute < ends
    return minute >= begins or minute < ends


def minute_of(text: str) -> int:
    """Return the minute of a day that `22:30` means. Raises ValueError."""
    found = _MINUTE.fullmatch(text)
    if found is None:
        raise ValueError("not a time of day such as 22:00")
    return int(found[1]) * 60 + int(found[2])


def time_of(minute: int) -> str:
    """Return a minute of a day as it is written."""
    return f"{minute // 60:02d}:{minute % 60:02d}"
