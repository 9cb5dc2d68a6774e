"""How fast somebody came on: pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from achievements.pace import MINUTE_S, SECOND_US, Fastest, Way, advance

NOW = 1_800_000_000
MINUTE, HOUR = 60, 3600


def walked(*reports: tuple[float, int], a_minute: int = 10, since: float | None = None) -> Way:
    """Return the way of who was so far in each second."""
    way, before = None, 0
    for second, after in reports:
        way = advance(
            way,
            a_minute=a_minute,
            before=before,
            after=after,
            at_us=NOW * SECOND_US + round(second * SECOND_US),
            since_us=None if since is None else NOW * SECOND_US + round(since * SECOND_US),
        )
        before = after
    assert way is not None
    return way


def fastest(*reports: tuple[float, int], a_minute: int = 10) -> tuple[int, int] | None:
    found = walked(*reports, a_minute=a_minute).fastest
    return None if found is None else (found.steps, found.seconds)


@pytest.mark.parametrize(
    ("reports", "found"),
    [
        ([(0, 10)], None),
        ([(0, 11)], (11, 0)),
        ([(0, 10), (0.5, 20)], (20, 59)),
        ([(0, 6), (1, 12)], (12, 35)),
        ([(0, 1), *((second, second + 1) for second in range(1, 11))], (11, 15)),
        ([(0, 10), (60, 20), (120, 30), (180, 40)], None),
        ([(0, 10), (59.4, 20), (119.9, 30), (178.8, 40)], None),
        ([(0, 1), (HOUR, 600)], None),
        ([(0, 1), (HOUR, 602)], (601, HOUR)),
        ([(0, 1), (HOUR, 300), (HOUR + 1, 311)], (11, 1)),
        ([(0, 1), (HOUR, 300), (HOUR + 1, 310), (HOUR + 2, 311)], (11, 2)),
        ([(0, 9), (30, 10), (55, 19)], None),
        ([(0, 9), (30, 10), (55, 21)], (12, 55)),
    ],
)
def test_who_is_too_fast_in_any_minute(
    reports: list[tuple[float, int]], found: tuple[int, int] | None
) -> None:
    assert fastest(*reports) == found


def test_a_slow_climb_of_hours_is_kept_in_a_mark_or_two() -> None:
    way = walked(*((37.7 * number, 5 * number) for number in range(1, 500)))
    assert way.fastest is None
    assert len(way.marks) <= 2


def test_who_is_too_fast_for_hours_is_kept_in_sixty_marks_and_the_worst_is_told() -> None:
    way = walked(*((number, 5 * number) for number in range(1, 4000)), (4000, 30_000))
    assert len(way.marks) <= MINUTE_S + 1
    assert way.fastest == Fastest(10_005, 1, (NOW + 4000) * SECOND_US)


@given(
    st.lists(st.tuples(st.integers(0, 100), st.integers(1, 12)), min_size=1, max_size=40),
    st.integers(1, 15),
)
def test_the_marks_that_are_kept_say_as_much_as_all_reports(
    moves: list[tuple[int, int]], a_minute: int
) -> None:
    at, current, reports = 0, 0, []
    for passed, gained in moves:
        at, current = at + passed, current + gained
        reports.append((at, current))
    took = 58 * min(moves[0][1], a_minute) // a_minute
    every = [(reports[0][0] - took, 0), *reports]
    breaks = moves[0][1] > a_minute or any(
        after - before > a_minute * max(1, -(-(end - begin) // MINUTE_S))
        for place, (begin, before) in enumerate(every)
        for end, after in every[max(place + 1, 2) :]
    )
    way = walked(*reports, a_minute=a_minute)
    assert (way.fastest is not None) == breaks
    assert len(way.marks) <= MINUTE_S + 1


@given(st.lists(st.integers(0, 20 * MINUTE * 10), min_size=1, max_size=60), st.integers(1, 9), st.data())
def test_who_keeps_to_the_rule_is_never_too_fast_whenever_he_reports(
    moments: list[int], a_minute: int, data: st.DataObject
) -> None:
    """Steps in tenths of a second, as many in any minute as there may be, reported now and then."""
    steps: list[int] = []
    for moment in sorted(moments):
        if len(steps) < a_minute or moment - steps[-a_minute] >= MINUTE * 10:
            steps.append(moment)
    waits = data.draw(st.lists(st.integers(1, 200), min_size=1, max_size=30))
    way = None
    before, at = 0, steps[0]
    for wait in [0, *waits]:
        at += wait
        after = sum(step <= at for step in steps)
        if after > before:
            at_us = NOW * SECOND_US + at * SECOND_US // 10
            way = advance(way, a_minute=a_minute, before=before, after=after, at_us=at_us)
            before = after
    assert way is None or way.fastest is None


def test_what_is_told_late_has_a_minute_and_hurries_nobody_after_it() -> None:
    way = walked((HOUR, 5), (HOUR - MINUTE, 15), (HOUR + 1, 20))
    assert way.fastest is None
    assert fastest((HOUR, 5), (HOUR - MINUTE, 16)) == (11, 0)
    assert fastest((HOUR, 5), (HOUR - MINUTE, 15), (HOUR + 1, 21)) == (11, 30)


def test_who_waited_for_a_lock_gains_nothing_by_it() -> None:
    assert fastest((3.0, 6), (1.5, 11)) == (11, 34)


def test_who_was_set_back_to_nothing_begins_anew() -> None:
    way = walked((0, 30))
    assert way.fastest is not None
    at_us = (NOW + HOUR) * SECOND_US
    assert advance(way, a_minute=10, before=0, after=10, at_us=at_us) == walked((HOUR, 10))


def test_a_stat_that_fell_is_counted_from_there() -> None:
    assert walked((0, 10), (1, 2), (2, 10)).fastest is None
    assert fastest((0, 10), (1, 2), (2, 13)) == (13, 60)


def test_what_another_rule_or_nobody_looked_at_is_judged_from_the_last_report() -> None:
    way = walked((0, 10))
    later = NOW * SECOND_US + 5 * MINUTE * SECOND_US
    since = later - MINUTE * SECOND_US

    def then(a_minute: int, before: int, after: int) -> Fastest | None:
        return advance(
            way, a_minute=a_minute, before=before, after=after, at_us=later, since_us=since
        ).fastest

    assert then(10, 10, 60) is None
    assert then(10, 40, 50) is None
    assert then(10, 40, 51) == Fastest(11, 60, later)
    assert then(3, 10, 13) is None
    assert then(3, 10, 14) == Fastest(4, 60, later)


def test_what_a_rule_forgives_that_was_changed_is_forgiven() -> None:
    way = walked((0, 15))
    at_us = NOW * SECOND_US + HOUR * SECOND_US
    assert way.fastest is not None
    assert advance(way, a_minute=12, before=15, after=16, at_us=at_us).fastest == way.fastest
    assert advance(way, a_minute=15, before=15, after=16, at_us=at_us).fastest is None
