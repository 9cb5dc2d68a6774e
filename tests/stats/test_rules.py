"""How values are read and weighed, as pure functions."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stats.rules import values
from stats.rules.values import Held, Rule

D = Decimal


@pytest.mark.parametrize(
    "number",
    [
        0,
        1,
        -1,
        2**53,
        -(2**53),
        D("81.2"),
        D("-0.000001"),
        D("123456789.123456"),
        D("1e15"),
        D("1.50000000000"),
    ],
)
def test_a_number_that_a_double_shows_is_kept_and_shown_as_it_was_sent(number: Decimal | int) -> None:
    assert values.to_value(number) == number
    assert D(repr(values.to_number(values.to_value(number)))) == number


@pytest.mark.parametrize(
    "number",
    [
        True,
        "5",
        None,
        1.5,
        2**53 + 1,
        -(2**53) - 1,
        10**30,
        D("9007199254740992.5"),
        D("0.0000001"),
        D("1e300"),
        D("1e-300"),
        D("1234567890.123456"),
        D("NaN"),
        D("Infinity"),
    ],
)
def test_a_number_that_would_be_rounded_is_refused(number: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        values.to_value(number)


def test_nothing_is_written_out_that_only_its_exponent_makes_long() -> None:
    assert values.to_value(D("0e999999999")) == 0
    with pytest.raises(ValueError, match="between"):
        values.to_value(D("1e999999"))


@given(st.decimals(min_value=-(2**53), max_value=2**53, places=6))
def test_what_is_kept_is_shown_without_loss(number: Decimal) -> None:
    try:
        value = values.to_value(number)
    except ValueError:
        return
    assert value == number
    assert D(repr(values.to_number(value))) == number


def weigh(rule: Rule, held: int | None, amount: int, *, at_us: int = 5, since: int = 3) -> Decimal:
    before = None if held is None else Held(D(held), since)
    return values.weigh(rule, before, amount=D(amount), at_us=at_us).value


@pytest.mark.parametrize(
    ("rule", "held", "amount", "after"),
    [
        (Rule("sum"), None, 5, 5),
        (Rule("sum"), 3, -5, -2),
        (Rule("sum", start=D(10)), None, 5, 15),
        (Rule("sum", highest=D(8)), 3, 5, 8),
        (Rule("sum", lowest=D(0)), 5, -5, 0),
        (Rule("max"), None, -5, -5),
        (Rule("max"), 3, 2, 3),
        (Rule("max"), 3, 4, 4),
        (Rule("max", start=D(0)), None, -5, 0),
        (Rule("max", increment_only=True), 3, 2, 3),
        (Rule("max", max_delta=D(1)), 3, 4, 4),
        (Rule("max", max_delta=D(1)), 3, -100, 3),
        (Rule("max", max_delta=D(1)), None, 100, 100),
        (Rule("min"), 3, 2, 2),
        (Rule("min"), 3, 4, 3),
        (Rule("last"), 3, 2, 2),
        (Rule("last", increment_only=True), 3, 3, 3),
        (Rule("last", max_delta=D(2)), 3, 1, 1),
    ],
)
def test_a_report_makes_of_what_is_held_what_the_stat_declares(
    rule: Rule, held: int | None, amount: int, after: int
) -> None:
    values.require_fit(rule, op=rule.op, amount=D(amount))
    assert weigh(rule, held, amount) == after


@pytest.mark.parametrize(
    ("rule", "held", "amount"),
    [
        (Rule("sum", highest=D(8)), 3, 6),
        (Rule("sum", lowest=D(0)), 5, -6),
        (Rule("sum", lowest=D(10)), None, 5),
        (Rule("sum"), 2**53, 1),
        (Rule("max", max_delta=D(1)), 3, 5),
        (Rule("max", max_delta=D(1), start=D(0)), None, 2),
        (Rule("min", max_delta=D(1)), 3, 1),
        (Rule("last", increment_only=True), 3, 2),
        (Rule("last", increment_only=True, start=D(3)), None, 2),
        (Rule("last", max_delta=D(2)), 3, 0),
        (Rule("last", max_delta=D(2)), 3, 6),
    ],
)
def test_what_does_not_go_with_what_is_held_is_refused(rule: Rule, held: int | None, amount: int) -> None:
    with pytest.raises(ValueError, match=r"."):
        weigh(rule, held, amount)


@pytest.mark.parametrize(
    ("rule", "op", "amount"),
    [
        (Rule("sum"), "set", 1),
        (Rule("max"), "add", 1),
        (Rule("sum", increment_only=True), "add", -1),
        (Rule("sum", max_delta=D(5)), "add", 6),
        (Rule("sum", max_delta=D(5)), "add", -6),
        (Rule("last", lowest=D(5)), "set", 4),
        (Rule("last", highest=D(5)), "set", 6),
    ],
)
def test_an_amount_that_never_fits_is_refused_whatever_is_held(
    rule: Rule, op: values.Op, amount: int
) -> None:
    with pytest.raises(ValueError, match=r"."):
        values.require_fit(rule, op=op, amount=D(amount))


def test_the_last_value_is_that_of_the_latest_time() -> None:
    rule = Rule("last")
    assert weigh(rule, 3, 7, at_us=2, since=3) == 3
    assert weigh(rule, 3, 7, at_us=3, since=3) == 7
    moved = values.weigh(rule, Held(D(3), 3), amount=D(3), at_us=9)
    assert moved == Held(D(3), 9)


def test_a_sum_that_needs_more_digits_than_are_kept_is_refused() -> None:
    held = Held(D("123456789012345"), 0)
    with pytest.raises(ValueError, match="exactly"):
        values.weigh(Rule("sum"), held, amount=D("0.5"), at_us=1)


@given(
    st.sampled_from(["sum", "max", "min", "last"]),
    st.none() | st.integers(-5, 5),
    st.lists(st.tuples(st.booleans(), st.integers(-9, 9)), min_size=2),
)
def test_two_values_of_one_person_come_to_what_one_would_hold(
    aggregation: values.Aggregation, start: int | None, reports: list[tuple[bool, int]]
) -> None:
    rule = Rule(aggregation, start=None if start is None else D(start))
    held: dict[bool | None, Held] = {}
    for at_us, (is_other, amount) in enumerate(reports):
        for whose in (is_other, None):
            held[whose] = values.weigh(rule, held.get(whose), amount=D(amount), at_us=at_us)
    if len(held) == 3:
        assert values.joined(rule, held[False], held[True]).value == held[None].value


def test_a_sum_of_two_stays_within_its_bounds_or_is_refused() -> None:
    near = Held(D(2**53 - 1), 3)
    assert values.joined(Rule("sum", highest=D(8)), Held(D(5), 1), Held(D(6), 2)) == Held(D(8), 2)
    assert values.joined(Rule("sum", lowest=D(-8)), Held(D(-5), 2), Held(D(-6), 1)) == Held(D(-8), 2)
    with pytest.raises(ValueError, match="kept exactly"):
        values.joined(Rule("sum"), near, near)
