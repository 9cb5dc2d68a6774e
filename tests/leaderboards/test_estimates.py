"""Estimated places of very large boards, against the places themselves."""

from bisect import bisect_left

from hypothesis import given
from hypothesis import strategies as st

from leaderboards.rules import estimates
from leaderboards.rules.estimates import Position, Sketch

ORDERS = st.one_of(
    st.lists(st.integers(-5, 5), min_size=1, max_size=400),  # nearly all are tied
    st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=400),
    st.lists(st.integers(0, 40).map(lambda power: 2**power), min_size=1, max_size=400),
).map(lambda values: sorted((value, n, n) for n, value in enumerate(values)))


def sketch(order: list[Position], step: int) -> Sketch:
    positions = order[step::step]
    values = [value for value, _, _ in order]
    return Sketch(
        players=len(order),
        step=step,
        positions=positions,
        scores_before=[len({other for other in values if other < value}) for value, _, _ in positions],
        scores=len(set(values)),
    )


@given(ORDERS, st.integers(1, 50))
def test_a_place_is_off_by_less_than_a_step(order: list[Position], step: int) -> None:
    made = sketch(order, step)
    for place, position in enumerate(order):
        assert abs(made.place(position) - place) <= step


@given(ORDERS, st.integers(1, 50))
def test_so_is_the_number_of_players_before_any_score(order: list[Position], step: int) -> None:
    made = sketch(order, step)
    values = [value for value, _, _ in order]
    for value in {*values, min(values) - 1, max(values) + 1, 0}:
        assert abs(made.before(value) - bisect_left(values, value)) <= step


@given(ORDERS, st.integers(1, 50))
def test_different_scores_are_off_by_those_of_a_step(order: list[Position], step: int) -> None:
    made = sketch(order, step)
    values = [value for value, _, _ in order]
    for value in set(values):
        assert abs(made.different(value) - len({other for other in values if other < value})) <= step


@given(ORDERS, st.integers(1, 50), st.integers(0, 500))
def test_a_page_begins_less_than_a_step_behind_a_known_position(
    order: list[Position], step: int, place: int
) -> None:
    position, known = sketch(order, step).start(place)
    assert place - known < step or known + step >= len(order)
    assert position == (order[known] if known else None)


@given(st.integers(1, 10**9))
def test_a_step_and_the_changes_until_the_next_sketch_stay_within_a_percent(players: int) -> None:
    changes = players * estimates.CHANGES_PER_MILLE // 1000
    assert not estimates.is_stale(players=players, changes=changes)
    if players >= 2_000_000:
        assert estimates.step_of(players) + changes <= players / 100
