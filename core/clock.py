"""Times as the API writes and reads them: RFC 3339 in UTC with milliseconds and a `Z`."""

import re
from datetime import UTC, datetime, timedelta
from functools import lru_cache

# Seconds may carry a fraction; the zone must be named (RFC 3339 §5.6). Leap seconds are not taken.
_RFC3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def rfc3339(at: datetime) -> str:
    """Return `at` as `2026-11-23T12:26:00.123Z`."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def rfc3339_us(us: int) -> str:
    """Return `rfc3339` of microseconds since 1970, at a third of its price: lists show a thousand of them."""
    seconds, rest = divmod(us, 1_000_000)
    day, second = divmod(seconds, 86_400)
    hour, minute = divmod(second // 60, 60)
    return f"{_day(day)}T{hour:02d}:{minute:02d}:{second % 60:02d}.{rest // 1000:03d}Z"


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
