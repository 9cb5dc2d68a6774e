"""Buckets of time as a player sees them: hours, days, ISO weeks and months of his own time zone. Pure.

An hour is named by the instant at which it begins, anything longer by its first local date. Hours of zones that are
half an hour off begin at the half hour, and where clocks change an hour may be longer, shorter, or come twice: every
instant still lies in exactly one bucket (Source: PEP 495, zoneinfo).
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Final, Literal

from core.clock import from_microseconds

Level = Literal["hour", "day", "week", "month"]
LEVELS: Final[tuple[Level, ...]] = ("hour", "day", "week", "month")
Bucket = datetime | date
_FINEST = timedelta(minutes=15)  # no zone's hour begins at anything else (since 1972)
_FINEST_US = _FINEST // timedelta(microseconds=1)


def hour_of(at: datetime, zone: tzinfo) -> datetime:
    """Return the instant at which the local hour of an instant begins, in UTC."""
    local = at.astimezone(zone)
    return local.replace(minute=0, second=0, microsecond=0).astimezone(UTC)


def bucket_of(level: Level, at: datetime, zone: tzinfo) -> Bucket:
    """Return the bucket in which an instant lies."""
    if level == "hour":
        return hour_of(at, zone)
    day = at.astimezone(zone).date()
    if level == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if level == "month" else day


def every_bucket(at_us: int, zone: tzinfo) -> tuple[Bucket, ...]:
    """Return the bucket of each of LEVELS in which an instant since 1972 lies, given in microseconds since 1970."""
    return _of_quarter(at_us // _FINEST_US, zone)


@lru_cache(maxsize=16_384)  # what happens now happens within one quarter of an hour, in some hundred zones
def _of_quarter(quarter: int, zone: tzinfo) -> tuple[Bucket, ...]:
    at = from_microseconds(quarter * _FINEST_US)
    return tuple(bucket_of(level, at, zone) for level in LEVELS)


def begins_at(bucket: Bucket, zone: tzinfo) -> datetime:
    """Return the instant at which a bucket begins, in UTC."""
    if isinstance(bucket, datetime):
        return bucket.astimezone(UTC)
    return datetime.combine(bucket, time(), tzinfo=zone).astimezone(UTC)


def buckets(level: Level, *, days: int, now: datetime, zone: tzinfo) -> list[Bucket]:
    """Return every bucket of the last days up to now, oldest first: hours, days or weeks."""
    if level == "hour":
        steps = days * timedelta(days=1) // _FINEST
        now = now.astimezone(UTC)  # a local time would be reckoned with as its clock shows it
        return sorted({hour_of(now - step * _FINEST, zone) for step in range(steps + 1)})
    today = now.astimezone(zone).date()
    listed = {today - timedelta(days=ago) for ago in range(days)}
    if level == "week":
        listed = {day - timedelta(days=day.weekday()) for day in listed}
    return sorted(listed)


def split(level: Level, begin: datetime, end: datetime, zone: tzinfo) -> Iterator[tuple[Bucket, int]]:
    """Yield the buckets that an interval touches with its milliseconds in each; together they are all of it."""
    told_ms, at = 0, begin
    while at < end:
        bucket = bucket_of(level, at, zone)
        upto = min(end, _end_of(level, at, bucket, zone))
        # Reckoned from the beginning each time, so that what is cut off adds up.
        until_ms = (upto - begin) // timedelta(milliseconds=1)
        if until_ms > told_ms:
            yield bucket, until_ms - told_ms
        told_ms, at = until_ms, upto


def _end_of(level: Level, at: datetime, bucket: Bucket, zone: tzinfo) -> datetime:
    if level == "hour":
        step = at - (at - datetime(1970, 1, 1, tzinfo=UTC)) % _FINEST
        while True:
            step += _FINEST
            if bucket_of(level, step, zone) != bucket:
                return step
    assert not isinstance(bucket, datetime)  # days and longer are dates
    following = {"day": timedelta(days=1), "week": timedelta(days=7), "month": timedelta(days=32)}[level]
    after = bucket + following
    return begins_at(after.replace(day=1) if level == "month" else after, zone)
