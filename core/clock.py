"""What time it is, by PostgreSQL's clock; and times as the API writes and reads them: RFC 3339 in UTC."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

# Seconds may carry a fraction; the zone must be named (RFC 3339 §5.6). Leap seconds are not taken.
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
# The parts of a time as they are written, which looking up is cheaper than writing.
_MINUTES = [f"T{minute // 60:02d}:{minute % 60:02d}:" for minute in range(1440)]
_SECONDS = [f"{second:02d}." for second in range(60)]
_MILLISECONDS = [f"{millisecond:03d}Z" for millisecond in range(1000)]


_behind = timedelta()


def now() -> datetime:
    """Return the time by PostgreSQL's clock, which is the same wherever a process runs (core/server_time.py)."""
    return datetime.now(UTC) + _behind


def set_behind(by: timedelta) -> None:
    """Note by how much this machine's clock is behind PostgreSQL's."""
    global _behind  # noqa: PLW0603 - the process has one
    _behind = by


def zone(name: str) -> ZoneInfo:
    """Return a time zone that somebody chose; UTC where the machine's database knows (or lost) none of that name."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def rfc3339(at: datetime) -> str:
    """Return `at` as `2026-11-23T12:26:00.123Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def rfc3339_us(us: int) -> str:
    """Return `rfc3339` of microseconds since 1970, at a tenth of its price: lists show a thousand of them."""
    day, ms = divmod(us // 1000, 86_400_000)
    return f"{_day(day)}{_MINUTES[ms // 60_000]}{_SECONDS[ms // 1000 % 60]}{_MILLISECONDS[ms % 1000]}"


@lru_cache(maxsize=4096)
def _day(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).date().isoformat()


def parse_rfc3339(text: str) -> datetime:
    """Read an RFC 3339 time.

    Raises:
        ValueError: not an RFC 3339 time, no zone, or a date that does not exist.

    """
    if not _RFC3339.fullmatch(text):
        raise ValueError("not an RFC 3339 time such as 2026-11-23T12:26:00Z")
    # Python reads at most six digits of the fraction.
    shortened = re.sub(r"(\.\d{6})\d+", r"\1", text.upper())
    try:
        return datetime.fromisoformat(shortened).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("a date or time that does not exist") from None


def microseconds(at: datetime) -> int:
    """Return whole microseconds since 1970, exactly."""
    return (at - _EPOCH) // _MICROSECOND


def from_microseconds(value: int) -> datetime:
    """Return the time `value` microseconds after 1970."""
    return _EPOCH + value * _MICROSECOND
