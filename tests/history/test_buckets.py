"""Buckets of a player's own time: every instant lies in one, and an interval is split without loss."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as some

from core.clock import microseconds
from history.buckets import LEVELS, Level, begins_at, bucket_of, buckets, every_bucket, hour_of, split

ZONES = [ZoneInfo(name) for name in ("UTC", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")]
MOMENTS = some.integers(1_704_000_000, 1_830_000_000).map(lambda s: datetime.fromtimestamp(s, UTC))


@pytest.mark.parametrize("day", ["2026-03-08", "2026-11-01", "2026-07-01"])
def test_a_window_of_seven_days_is_as_long_where_clocks_change(day: str) -> None:
    zone = ZoneInfo("America/New_York")
    now = datetime.fromisoformat(f"{day}T12:30:00").replace(tzinfo=zone)
    listed = buckets("hour", days=7, now=now, zone=zone)
    assert len(listed) == 169  # the first and the last of them are cut
    assert listed[-1] == hour_of(now, zone)


def test_days_and_weeks_of_a_window() -> None:
    now, zone = datetime(2026, 11, 25, 3, tzinfo=UTC), ZoneInfo("America/New_York")
    days = buckets("day", days=30, now=now, zone=zone)
    assert (len(days), days[-1]) == (30, date(2026, 11, 24))
    weeks = buckets("week", days=365, now=now, zone=zone)
    assert len(weeks) in (53, 54)
    assert weeks[-1] == date(2026, 11, 23)


@given(MOMENTS, some.sampled_from(ZONES), some.sampled_from(LEVELS))
def test_a_bucket_begins_before_what_lies_in_it(at: datetime, zone: ZoneInfo, level: Level) -> None:
    bucket = bucket_of(level, at, zone)
    assert begins_at(bucket, zone) <= at
    assert bucket_of(level, begins_at(bucket, zone), zone) == bucket


@given(
    some.integers(315_532_800, 2_208_988_800).map(lambda s: datetime.fromtimestamp(s, UTC)),
    some.sampled_from(sorted(available_timezones())).map(ZoneInfo),
)
def test_what_happens_within_a_quarter_of_an_hour_lies_in_the_same_buckets(
    at: datetime, zone: ZoneInfo
) -> None:
    assert every_bucket(microseconds(at), zone) == tuple(bucket_of(level, at, zone) for level in LEVELS)


@pytest.mark.slow
@given(MOMENTS, some.sampled_from(ZONES))
def test_hours_of_a_window_are_those_in_which_its_moments_lie(at: datetime, zone: ZoneInfo) -> None:
    listed = buckets("hour", days=1, now=at, zone=zone)
    assert {hour_of(at - timedelta(minutes=step), zone) for step in range(24 * 60)} <= set(listed)
    assert listed == sorted(listed)


@given(
    MOMENTS,
    some.timedeltas(timedelta(0), timedelta(days=3)),
    some.sampled_from(ZONES),
    some.sampled_from(LEVELS),
)
def test_what_an_interval_is_split_into_adds_up(
    begin: datetime, length: timedelta, zone: ZoneInfo, level: Level
) -> None:
    parts = list(split(level, begin, begin + length, zone))
    assert sum(ms for _, ms in parts) == length // timedelta(milliseconds=1)
    assert len({bucket for bucket, _ in parts}) == len(parts)
    assert all(ms > 0 for _, ms in parts)
