"""Which claims are plausible: pure."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from achievements import plausibility
from achievements.pace import Fastest, Way
from achievements.plausibility import MINUTE_US, SECOND_US, Known, Pace, Rules, Session, broken, densest

NOW = 1_800_000_000 * SECOND_US
PROLOGUE, FINALE = 1, 2


def names(found: list[dict[str, Any]]) -> list[str]:
    return [one["rule"] for one in found]


def known(**fields: Any) -> Known:
    return Known(**{"named_us": NOW - 3600 * SECOND_US, **fields})


def test_without_rules_everything_is_plausible() -> None:
    assert broken(Rules(), FINALE, at_us=NOW, known=Known()) == []


def test_time_counts_from_the_first_session_else_from_when_the_player_was_named() -> None:
    rules = Rules(earliest_s=60, times={FINALE: 1800})
    session = Session(1, NOW - 42 * SECOND_US, NOW - 42 * SECOND_US, NOW)
    assert broken(rules, FINALE, at_us=NOW, known=known(session=session)) == [
        {"rule": "earliest", "seconds": 42, "needed": 1800, "since": "session"}
    ]
    assert broken(rules, FINALE, at_us=NOW, known=known()) == []
    assert names(broken(rules, PROLOGUE, at_us=NOW, known=known(session=session))) == ["earliest"]
    assert broken(rules, PROLOGUE, at_us=NOW, known=known()) == []
    assert broken(rules, PROLOGUE, at_us=NOW, known=Known())[0]["since"] == "now"


def test_a_time_is_kept_to_the_second() -> None:
    rules = Rules(earliest_s=60)
    at_last = known(named_us=NOW - 60 * SECOND_US)
    assert broken(rules, FINALE, at_us=NOW, known=at_last) == []
    assert names(broken(rules, FINALE, at_us=NOW - 1, known=at_last)) == ["earliest"]


def test_what_comes_before_must_count_already() -> None:
    rules = Rules(before={FINALE: (PROLOGUE,)})
    assert broken(rules, FINALE, at_us=NOW, known=known()) == [
        {"rule": "order", "first": PROLOGUE, "state": "locked"}
    ]
    assert broken(rules, FINALE, at_us=NOW, known=known(flagged={PROLOGUE: "open"}))[0]["state"] == "open"
    assert broken(rules, FINALE, at_us=NOW, known=known(has={PROLOGUE})) == []


def test_a_session_has_to_be_known_from_about_that_time() -> None:
    rules = Rules(needs_session=True)
    session = Session(3, NOW - 10 * MINUTE_US, NOW - 5 * MINUTE_US, NOW - MINUTE_US)
    assert broken(rules, FINALE, at_us=NOW, known=known(session=session)) == []
    assert names(broken(rules, FINALE, at_us=NOW + 2 * MINUTE_US, known=known(session=session))) == [
        "session"
    ]
    assert names(broken(rules, FINALE, at_us=NOW, known=known())) == ["session"]


@given(st.lists(st.integers(0, 10 * MINUTE_US), max_size=40), st.integers(0, 10 * MINUTE_US))
def test_the_fullest_minute_is_found(moments: list[int], at_us: int) -> None:
    every = [*moments, at_us]
    begins = [one for one in every if at_us - MINUTE_US < one <= at_us]
    slow = max(sum(begin <= one < begin + MINUTE_US for one in every) for begin in begins)
    assert densest(every, at_us) == slow


@given(st.lists(st.integers(0, 5 * MINUTE_US), max_size=40), st.integers(1, 6))
def test_in_no_order_of_arrival_more_are_let_through_than_a_minute_may_have(
    moments: list[int], most: int
) -> None:
    rules, held, passed = Rules(per_minute=most), Known(named_us=0), []
    for at_us in moments:
        if not broken(rules, FINALE, at_us=at_us, known=held):
            passed.append(at_us)
        held.moments.append(at_us)
    for begin in passed:
        assert sum(begin <= one < begin + MINUTE_US for one in passed) <= most


@pytest.mark.parametrize("value", [0, -1, True, 1.5, "60", plausibility.LONGEST_S + 1, [], {}])
def test_a_time_that_cannot_be_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="seconds"):
        plausibility.clean_seconds(value)


@pytest.mark.parametrize(
    "value",
    [
        None,
        {},
        [1],
        [{}],
        [{"achievement": "a"}],
        [{"achievement": "a", "earliest_seconds": 1, "more": 1}],
        [{"achievement": 1, "earliest_seconds": 1}],
        [{"achievement": "a", "earliest_seconds": None}],
        [{"achievement": "a", "progress_a_minute": None}],
        [{"achievement": "a", "earliest_seconds": 1, "progress_a_minute": None}],
        [{"achievement": "a", "progress_a_minute": 0}],
        [{"achievement": "a", "progress_a_minute": plausibility.MOST_STEPS_A_MINUTE + 1}],
        [{"achievement": "a", "progress_a_minute": 1.5}],
        [{"achievement": "a", "progress_a_minute": True}],
        [{"achievement": "a", "progress_a_minute": "5"}],
        [{"earliest_seconds": 1, "progress_a_minute": 1}],
        [{"achievement": "a", "earliest_seconds": 1}] * 2,
        [{"achievement": f"a{n}", "earliest_seconds": 1} for n in range(plausibility.MOST_LINES + 1)],
    ],
)
def test_times_that_cannot_be_are_refused(value: object) -> None:
    with pytest.raises(ValueError, match=" "):
        plausibility.clean_lines(value)


@pytest.mark.parametrize(
    "value", [None, {}, [["a", "b"]], [{"first": "a"}], [{"first": "a", "then": "b"}] * 2]
)
def test_an_order_that_cannot_be_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=" "):
        plausibility.clean_order(value)


def test_what_names_an_achievement_that_is_gone_holds_for_nobody() -> None:
    document = {
        **plausibility.nothing(),
        "achievements": {"finale": 9, "gone": 9},
        "paces": {"steps": 20, "kills": 30, "gone": 9, "prologue": 9},
        "order": [["prologue", "finale"], ["gone", "finale"], ["archived", "finale"]],
    }
    ids = {"prologue": PROLOGUE, "finale": FINALE, "archived": 3, "steps": 4, "kills": 5}
    read = plausibility.read(document, ids, {"prologue", "finale"}, {"steps": 100, "kills": None})
    paces = {4: Pace(20, 100), 5: Pace(30, None)}
    assert read == Rules(times={FINALE: 9}, before={FINALE: (PROLOGUE,)}, paces=paces)


def test_rules_that_were_stored_before_there_were_paces_are_read() -> None:
    document = {name: value for name, value in plausibility.nothing().items() if name != "paces"}
    assert plausibility.read(document, {}, set(), {}) == Rules()


def test_a_way_that_was_too_fast_is_told_with_what_the_rule_allows_now() -> None:
    rules = Rules(paces={FINALE: Pace(10, 100)})
    way = Way(10, 100, (), Fastest(25, 90, NOW))
    assert broken(rules, FINALE, at_us=NOW, known=known(ways={FINALE: way})) == [
        {"rule": "pace", "steps": 25, "seconds": 90, "until_us": NOW, "most": 20, "a_minute": 10}
    ]
    wider = Rules(paces={FINALE: Pace(13, 100)})
    assert broken(wider, FINALE, at_us=NOW, known=known(ways={FINALE: way})) == []
    assert broken(rules, FINALE, at_us=NOW, known=known()) == []
