"""Rules of periods and of scores, for any moment and any number."""

import json
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.strict_json import loads
from leaderboards.rules import periods, scores
from leaderboards.rules.scores import LARGEST, Held, Operator

ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/Sao_Paulo",  # once skipped midnights
        "America/St_Johns",  # once went back over midnight
        "Asia/Kathmandu",
        "Australia/Lord_Howe",  # by half an hour
        "Africa/Casablanca",
        "Antarctica/Casey",  # by three hours
        "Pacific/Apia",  # once skipped a day
    ]
)
MOMENTS = st.datetimes(datetime(2000, 1, 1), datetime(2049, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001
SPANS = st.sampled_from(["day", "week", "month", "cron"])
CRONS = st.sampled_from(
    ["0 18 * * 5", "30 2 * * *", "0 0 1 */3 *", "15 */6 * * *", "0 * * * *", "30 1 * * 0", "0 0 29 2 *"]
)


@st.composite
def moments_near_clock_changes(draw: st.DrawFn) -> tuple[str, datetime]:
    """Draw a zone, and a moment some hours from when its clocks next changed, if they did within a year."""
    zone, at = draw(ZONES), draw(MOMENTS)
    place = ZoneInfo(zone)
    hours = (at + timedelta(hours=number) for number in range(0, 366 * 24, 12))
    change = next(
        (one for one in hours if one.astimezone(place).utcoffset() != at.astimezone(place).utcoffset()), at
    )
    return zone, change + timedelta(
        minutes=draw(st.integers(-24 * 60, 6 * 60)), seconds=draw(st.integers(0, 59))
    )


def tiles_time(span: periods.Span, at: datetime, zone: str, cron: str) -> None:
    window = periods.window(span, at, zone=zone, cron=cron)
    assert window.starts_at is not None
    assert window.ends_at is not None
    assert window.starts_at <= at < window.ends_at
    following = periods.window(span, window.ends_at, zone=zone, cron=cron)
    assert following.starts_at == window.ends_at
    assert following.id != window.id
    for inside in (window.starts_at, window.ends_at - timedelta(microseconds=1)):
        assert periods.window(span, inside, zone=zone, cron=cron) == window


@given(SPANS, MOMENTS, ZONES, CRONS)
def test_a_moment_lies_in_its_window_and_the_next_one_begins_where_it_ends(
    span: periods.Span, at: datetime, zone: str, cron: str
) -> None:
    tiles_time(span, at, zone, cron)


@given(SPANS, moments_near_clock_changes(), CRONS)
def test_windows_cover_the_hours_in_which_clocks_change_once(
    span: periods.Span, place: tuple[str, datetime], cron: str
) -> None:
    zone, at = place
    tiles_time(span, at, zone, cron)


@pytest.mark.parametrize(
    ("cron", "zone", "at", "starts", "ends"),
    [
        # Skipped: it begins with the skip. There twice: with the first of both.
        ("30 2 * * *", "Europe/Berlin", "2026-03-29T12:00Z", "2026-03-29T01:00Z", "2026-03-30T00:30Z"),
        ("30 2 * * *", "Europe/Berlin", "2026-10-25T01:15Z", "2026-10-25T00:30Z", "2026-10-26T01:30Z"),
        ("0 * * * *", "Europe/Berlin", "2026-10-25T01:15Z", "2026-10-25T00:00Z", "2026-10-25T02:00Z"),
        ("15 */6 * * *", "America/St_Johns", "2004-10-31T02:55Z", "2004-10-30T20:45Z", "2004-10-31T03:45Z"),
    ],
)
def test_a_reset_of_a_skipped_or_repeated_hour_happens_once(
    cron: str, zone: str, at: str, starts: str, ends: str
) -> None:
    window = periods.window("cron", datetime.fromisoformat(at), zone=zone, cron=cron)
    assert (window.starts_at, window.ends_at) == (
        datetime.fromisoformat(starts),
        datetime.fromisoformat(ends),
    )


def test_a_day_that_has_begun_stays_though_clocks_go_back_over_its_midnight() -> None:
    for at in ("2004-10-31T02:29Z", "2004-10-31T02:30Z", "2004-10-31T03:11Z", "2004-10-31T05:00Z"):
        window = periods.window("day", datetime.fromisoformat(at), zone="America/St_Johns")
        assert window.id == ("2004-10-30" if at.endswith("02:29Z") else "2004-10-31")


@pytest.mark.parametrize(
    ("span", "at", "zone", "expected"),
    [
        ("day", "2026-03-29T22:30:00+00:00", "Europe/Berlin", "2026-03-30"),
        ("week", "2026-01-04T23:59:59+00:00", "UTC", "2026-W01"),
        ("week", "2027-01-03T12:00:00+00:00", "UTC", "2026-W53"),
        ("month", "2026-11-01T00:30:00+00:00", "America/Sao_Paulo", "2026-10"),
        ("all", "2026-11-01T00:30:00+00:00", "UTC", "all"),
    ],
)
def test_a_period_is_called_by_its_calendar(span: periods.Span, at: str, zone: str, expected: str) -> None:
    assert periods.window(span, datetime.fromisoformat(at), zone=zone).id == expected


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_a_day_on_which_clocks_change_has_23_or_25_hours(day: str) -> None:
    window = periods.window("day", datetime.fromisoformat(f"{day}T12:00:00+00:00"), zone="Europe/Berlin")
    assert window.starts_at is not None
    assert window.ends_at is not None
    hours = (window.ends_at - window.starts_at) / timedelta(hours=1)
    assert hours == (23 if day == "2026-03-29" else 25)


@given(st.integers(-LARGEST, LARGEST), st.integers(0, 6))
def test_every_score_that_is_kept_is_shown_as_it_was_sent(units: int, decimals: int) -> None:
    number = scores.exact(units, decimals=decimals)
    assert scores.to_units(number, decimals=decimals) == units
    shown = scores.to_number(units, decimals=decimals)
    assert abs(Decimal(shown) - number) <= abs(number) * Decimal(2) ** -52


@given(st.integers(-(10**15), 10**15), st.integers(0, 6))
def test_a_score_of_up_to_15_digits_comes_back_from_json_as_it_was_sent(units: int, decimals: int) -> None:
    sent = json.dumps(scores.to_number(units, decimals=decimals)).encode()
    assert scores.to_units(loads(sent, exact=True), decimals=decimals) == units


@given(st.decimals(allow_nan=True, allow_infinity=True), st.integers(0, 6))
def test_a_number_is_kept_exactly_or_not_at_all(number: Decimal, decimals: int) -> None:
    try:
        units = scores.to_units(number, decimals=decimals)
    except ValueError:
        return
    assert scores.exact(units, decimals=decimals) == number
    assert abs(units) <= LARGEST


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 9)), min_size=1, max_size=30))
def test_the_order_of_arrival_changes_nothing_for_best_and_last_of_different_times(
    sent: list[tuple[int, int]],
) -> None:
    distinct = list({at: (value, at) for value, at in sent}.values())
    operators: tuple[Operator, ...] = ("best", "last")
    for operator in operators:
        ends = set()
        for order in (distinct, distinct[::-1], sorted(distinct)):
            held: Held | None = None
            for value, at in order:
                held = scores.weigh(held, sort_value=value, at_us=at, operator=operator).held
            assert held is not None
            ends.add(held.sort_value)
        assert len(ends) == 1
    best = min(value for value, _ in distinct)
    held = None
    for value, at in distinct:
        held = scores.weigh(held, sort_value=value, at_us=at, operator="best").held
    assert held is not None
    assert held.sort_value == best


def test_a_sum_that_would_not_be_exact_is_refused() -> None:
    held = Held(LARGEST, 0, 1)
    with pytest.raises(ValueError, match="2\\^53"):
        scores.weigh(held, sort_value=1, at_us=1, operator="sum")
    assert scores.weigh(held, sort_value=0, at_us=9, operator="sum").held.reached_us == 0
