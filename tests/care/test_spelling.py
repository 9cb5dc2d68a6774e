"""How spans of time, numbers and scores are spelled."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from care import spelling
from care.templatetags.players import score
from core import spoken


@pytest.mark.parametrize(
    ("passed", "spelled"),
    [
        (timedelta(), "0 s"),
        (timedelta(milliseconds=300), "0.3 s"),
        (timedelta(seconds=59.9), "59 s"),
        (timedelta(minutes=5), "5 min"),
        (timedelta(hours=47), "47 h"),
        (timedelta(days=2), "2 days"),
        (timedelta(days=-3), "3 days"),
        (timedelta(days=12_345), "12,345 days"),
    ],
)
def test_a_span_is_spelled_in_one_unit(passed: timedelta, spelled: str) -> None:
    assert spoken.span(passed) == spelled


@pytest.mark.parametrize(
    ("minutes", "spelled"),
    [(0, "0 min"), (59, "59 min"), (60, "1 h"), (72, "1 h 12 min"), (3_660, "61 h"), (60_000, "1,000 h")],
)
def test_a_playtime_is_spelled_in_hours(minutes: int, spelled: str) -> None:
    assert spelling.hours(minutes * 60_000) == spelled


@pytest.mark.parametrize(
    ("value", "kind", "spelled"),
    [
        (1234, "number", "1,234"),
        (1.5, "number", "1.5"),
        (93_440, "time_ms", "1:33.440"),
        (3_600_000, "time_ms", "1:00:00.000"),
        (-1_500, "time_ms", "−0:01.500"),
        (75, "time_s", "1:15"),
        (75.25, "time_s", "1:15.250"),
        (12.5, "percent", "12.5%"),
        (7, "currency", "7"),
    ],
)
def test_a_score_is_written_as_its_board_declares_it(value: float, kind: str, spelled: str) -> None:
    assert score(value, kind) == spelled


@given(st.floats(min_value=-(2**53), max_value=2**53) | st.none())
def test_every_number_can_be_spelled(value: float | None) -> None:
    assert spelling.number(value)
