"""How scores are written for people."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leaderboards.rules.scores import LARGEST
from leaderboards.rules.showing import example_ranks, shown


@pytest.mark.parametrize(
    ("units", "decimals", "format", "written"),
    [
        (12345, 0, "number", "12,345"),
        (-1234560, 2, "number", "-12,345.60"),
        (0, 3, "number", "0.000"),
        (1250, 1, "percent", "125.0%"),
        (999, 2, "currency", "9.99"),
        (83456, 0, "time_ms", "1:23.456"),
        (3456, 0, "time_ms", "3.456 s"),
        (3723004, 0, "time_ms", "1:02:03.004"),
        (-83456, 0, "time_ms", "-1:23.456"),
        (83, 0, "time_s", "1:23"),
        (8341, 2, "time_s", "1:23.41"),
        (5999, 2, "time_s", "59.99 s"),
        (0, 0, "time_s", "0 s"),
    ],
)
def test_scores_are_written_by_the_board_s_format(
    units: int, decimals: int, format: str, written: str
) -> None:
    assert shown(units, decimals=decimals, format=format) == written


@given(
    st.integers(-LARGEST, LARGEST),
    st.integers(0, 6),
    st.sampled_from(["time_ms", "time_s", "number", "percent"]),
)
def test_no_digit_is_lost(units: int, decimals: int, format: str) -> None:
    text = shown(units, decimals=decimals, format=format).replace(",", "")
    sign = -1 if text.startswith("-") else 1
    parts = [Decimal(part) for part in text.strip("-%").removesuffix(" s").split(":")]
    total = sum((part * 60**place for place, part in enumerate(reversed(parts))), Decimal(0))
    scale = decimals + 3 if format == "time_ms" else decimals
    assert sign * total == Decimal(units).scaleb(-scale)


def test_the_example_shows_what_each_tie_rule_does() -> None:
    assert example_ranks("shared") == (1, 2, 2, 4)
    assert example_ranks("dense") == (1, 2, 2, 3)
    assert example_ranks("earliest") == (1, 2, 3, 4)
