"""What docs say of measurements is what was measured."""

from dataclasses import replace

import pytest

from bench import document, kept
from bench.kept import Kept, Source

_SOURCE = Source("some.json", "2026-11-27T01:00:00Z", {})
_FIGURE = Kept(
    "thing", 100.0, "things/s", None, None, {"p50": 1.0, "p95": 12.0, "p99": 30.0}, None, "", _SOURCE
)


def test_the_pages_are_what_make_benchmarks_writes() -> None:
    for file, text in document.pages().items():
        assert file.read_text() == text, f"make benchmarks writes another {file.name}"


@pytest.mark.parametrize(
    ("bar", "is_met", "by"),
    [
        ("≥ 80/s", True, 0.25),
        ("≥ 2,000/s", False, 0.95),
        ("< 50", False, 1.0),
        ("p95 < 10, p99 < 25 ms", False, 0.2),
        ("p95 < 20, p99 < 25 ms", False, 0.2),
        ("≥ 50/s, p95 < 20 ms", True, 0.4),
        ("≥ 0.9 of the peak, p99 < 1 s", False, 1 / 3),
        ("≤ 0", False, 100.0),
        ("1 … 80", False, 0.25),
    ],
)
def test_a_figure_is_held_against_the_worst_of_its_promises(bar: str, *, is_met: bool, by: float) -> None:
    found = kept.verdict(replace(_FIGURE, bar=bar, ratio={"value": 0.6, "of": "the peak"}))
    assert found is not None
    assert found.is_met is is_met
    assert found.by == pytest.approx(by)


@pytest.mark.parametrize(("bar", "told"), [("≤ 0", "100"), ("< 50", "100%")])
def test_how_far_off_is_told_in_the_figures_unit_where_none_was_to_be(bar: str, told: str) -> None:
    found = kept.verdict(replace(_FIGURE, bar=bar))
    assert found is not None
    assert found.told == told


def test_what_is_promised_nothing_of_has_no_verdict() -> None:
    assert kept.verdict(_FIGURE) is None


def test_each_bar_that_is_kept_is_understood() -> None:
    strange = {one.bar for one in kept.newest().values() if one.bar and kept.verdict(one) is None}
    assert strange == set()


def test_of_each_promise_that_is_missed_the_page_says_why() -> None:
    missed = [one for one in kept.newest().values() if (found := kept.verdict(one)) and not found.is_met]
    assert [one.name for one in missed if not document.why(one)] == []
