"""Quiet hours are what a player's clock shows: past midnight, and in the nights in which it is set."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from social.rules import is_quiet, minute_of, time_of

BERLIN = ZoneInfo("Europe/Berlin")
MINUTES = st.integers(0, 1439)
TIMES = st.datetimes(datetime(2000, 1, 1), datetime(2037, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001
ZONES = st.sampled_from(
    [ZoneInfo(name) for name in ("UTC", "Europe/Berlin", "Australia/Lord_Howe", "Asia/Kathmandu")]
)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-01-10T20:59", False),  # 21:59 in Berlin
        ("2026-01-10T21:00", True),
        ("2026-01-10T23:00", True),  # midnight
        ("2026-01-11T05:59", True),
        ("2026-01-11T06:00", False),
        ("2026-07-10T19:59", False),  # summer: an hour earlier
        ("2026-07-10T20:00", True),
        ("2026-07-11T04:59", True),
        ("2026-07-11T05:00", False),
        ("2026-03-29T04:59", True),  # the clock went forward this night
        ("2026-03-29T05:00", False),
        ("2026-10-25T05:59", True),  # and back
        ("2026-10-25T06:00", False),
    ],
)
def test_quiet_hours_pass_midnight_and_follow_the_clock(at: str, expected: bool) -> None:
    moment = datetime.fromisoformat(at).replace(tzinfo=UTC)
    assert is_quiet(moment, zone=BERLIN, begins=22 * 60, ends=7 * 60) is expected


def test_an_hour_that_comes_twice_is_quiet_twice_and_one_that_is_left_out_never() -> None:
    def quiet_minutes(day: datetime) -> int:
        minutes = (day + timedelta(minutes=n) for n in range(24 * 60))
        return sum(is_quiet(minute, zone=BERLIN, begins=120, ends=180) for minute in minutes)

    assert quiet_minutes(datetime(2026, 10, 24, 12, tzinfo=UTC)) == 120
    assert quiet_minutes(datetime(2026, 3, 28, 12, tzinfo=UTC)) == 0
    assert quiet_minutes(datetime(2026, 6, 1, 12, tzinfo=UTC)) == 60


@pytest.mark.slow
@given(TIMES, ZONES, MINUTES, MINUTES)
def test_it_is_quiet_in_a_time_or_in_the_rest_of_the_day(
    at: datetime, zone: ZoneInfo, begins: int, ends: int
) -> None:
    inside = is_quiet(at, zone=zone, begins=begins, ends=ends)
    outside = is_quiet(at, zone=zone, begins=ends, ends=begins)
    assert (inside != outside) if begins != ends else not (inside or outside)
    local = at.astimezone(zone)
    assert is_quiet(at, zone=zone, begins=local.hour * 60 + local.minute, ends=ends) is (
        local.hour * 60 + local.minute != ends
    )


@given(MINUTES)
def test_a_time_of_day_is_read_as_it_is_written(minute: int) -> None:
    assert minute_of(time_of(minute)) == minute


@pytest.mark.parametrize(
    "text", ["", "24:00", "7:00", "07:60", "07:00:00", " 07:00", "07:00\n", "\u0660\u0667:00", "0700"]
)
def test_what_is_no_time_of_day_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="time of day"):
        minute_of(text)
