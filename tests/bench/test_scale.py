"""What something costs with more stored, as a multiple; and memory that grows."""

import pytest

from bench.figures import Figure, Latency
from bench.measures import soak
from bench.scale import cost_ratio, growth


@pytest.mark.parametrize(
    ("before", "after", "ratio"),
    [
        (Figure("reads", 1_000, "requests/s"), Figure("reads", 800, "requests/s"), 1.25),
        (Figure("cost", 200, "µs"), Figure("cost", 300, "µs"), 1.5),
        (Figure("loaded: players", 10, "players"), Figure("loaded: players", 100, "players"), None),
        (
            Figure("singles at 167/s", 167, "unlocks/s", latency=Latency(2, 4, 6)),
            Figure("singles at 167/s", 167, "unlocks/s", latency=Latency(3, 9, 9)),
            1.5,
        ),
    ],
)
def test_a_rate_costs_its_inverse_and_a_fixed_rate_its_latency(
    before: Figure, after: Figure, ratio: float | None
) -> None:
    assert cost_ratio(before, after) == ratio


def test_growth_compares_each_size_with_the_smallest() -> None:
    name = "cost of an unlock, one a request: CPU"
    sizes = {100: [Figure(name, 10, "µs")], 10: [Figure(name, 8, "µs")], 1_000: [Figure("new", 1, "µs")]}

    (found,) = growth(sizes)

    assert (found.name, found.value) == (f"{name}: at 100 stored instead of 10", 1.25)
    assert found.bar == "≤ 1.2 × the cost"


def test_memory_that_grows_only_while_it_warms_up_is_flat() -> None:
    assert soak.grown([1.0, *[100.0] * 19]) == 1.0
    assert soak.grown([100.0 + n for n in range(100)]) > 1.4
