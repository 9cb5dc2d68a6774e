"""The points curve that the server draws."""

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from core.curve import Curve
from social.curve import points_curve

FIRST = date(2026, 10, 25)


def _curve(values: list[int]) -> Curve:
    curve = points_curve([(FIRST + timedelta(days=n), value) for n, value in enumerate(values)])
    assert curve is not None
    return curve


def test_less_than_two_days_make_no_curve() -> None:
    assert points_curve([]) is None
    assert points_curve([(FIRST, 10)]) is None


def test_the_curve_says_what_it_shows() -> None:
    assert _curve([16900, 17000, 18420]).sentence == "Points over 3 days, from 16,900 to 18,420"
    assert _curve([5, 5]).sentence == "Points over 2 days, unchanged at 5"


def test_the_curve_is_a_step_line_from_the_first_day_to_today() -> None:
    drawing = _curve([0, 10, 30]).wide
    assert drawing.line == "M56 112.0H301.0V81.3H546.0V20.0"
    assert drawing.area.startswith(drawing.line)
    assert (drawing.end_x, drawing.end_y) == (546, 20.0)
    assert [label.text for label in drawing.labels] == ["0", "10", "20", "30", "25 Oct", "26 Oct", "Today"]


def test_nothing_is_painted_below_zero() -> None:
    assert _curve([0, 30]).wide.area.endswith("V112H56Z")
    assert _curve([16900, 18420]).wide.area.endswith("V124H56Z")


def test_large_values_are_labelled_in_thousands_only_when_the_labels_differ() -> None:
    assert [label.text for label in _curve([16900, 18420]).wide.labels][:4] == [
        "16.0k",
        "17.0k",
        "18.0k",
        "19.0k",
    ]
    assert [label.text for label in _curve([18420, 18423]).wide.labels][:4] == [
        "18,420",
        "18,421",
        "18,422",
        "18,423",
    ]


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=30).map(sorted))
def test_every_day_lies_inside_the_drawing(values: list[int]) -> None:
    curve = _curve(values)
    for drawing in (curve.wide, curve.narrow):
        assert 20 <= drawing.end_y <= 112
        assert len(set(drawing.grid)) == 4
