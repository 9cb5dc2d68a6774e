"""How scores are read, kept and weighed against each other: pure, exact, whole numbers only.

A score is kept as a whole number of its smallest declared step (`decimals` 2: 81.25 is 8125), and boards are sorted by
its *sort value*: that number, negated where more is better, so that smaller is always better. Both fit a double exactly
(2^53), which is what Valkey's sorted sets compare.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

Operator = Literal["best", "last", "sum"]
Sort = Literal["desc", "asc"]
OPERATORS: Final = ("best", "last", "sum")
SORTS: Final = ("desc", "asc")

LARGEST: Final = 2**53  # what a double holds exactly, in the score's smallest step
MOST_DECIMALS: Final = 6
_LONGEST: Final = 20  # digits: more than LARGEST has, so that nothing longer is reckoned with


def to_units(value: object, *, decimals: int) -> int:
    """Return a JSON number as a whole number of the board's smallest step.

    Raises:
        ValueError: no number, not finite, more decimals than the board keeps, or too large to be kept exactly.

    """
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise ValueError("A score is a number.")
    number = Decimal(value)
    if not number.is_finite():
        raise ValueError("A score is a finite number.")
    sign, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)  # of a finite one
    power = exponent + decimals
    if not number:
        return 0  # whatever its exponent says: 0e999999999 is not to be written out
    if number.adjusted() + decimals > _LONGEST:
        raise ValueError(_too_large(decimals))
    whole, rest = int("".join(map(str, digits))), 0
    if power >= 0:
        whole *= 10**power
    elif -power > len(digits):
        whole, rest = 0, whole
    else:
        whole, rest = divmod(whole, 10**-power)
    if rest:
        kept = "whole numbers" if decimals == 0 else f"{decimals} decimals at most"
        raise ValueError(f"This board keeps {kept}: send the score rounded to that.")
    if whole > LARGEST:
        raise ValueError(_too_large(decimals))
    return -whole if sign else whole


def to_number(units: int, *, decimals: int) -> int | float:
    """Return a kept score as a JSON number: the one that was sent, if it has at most 15 digits.

    Of a longer one with decimals the double nearest to it, whose last digit may be another.
    """
    return units if decimals == 0 else float(Decimal(units).scaleb(-decimals))


def exact(units: int, *, decimals: int) -> Decimal:
    """Return a kept score as the decimal number that it is."""
    return Decimal(units).scaleb(-decimals)


def sort_value(units: int, *, sort: Sort) -> int:
    """Return the number that boards are sorted by, smallest first; its own inverse."""
    return -units if sort == "desc" else units


@dataclass(frozen=True, slots=True)
class Held:
    """What a player holds in one period.

    Attributes:
        sort_value: the score, as boards sort it.
        reached_us: when it was reached, in microseconds since 1970.
        attempts: how many submissions were taken.

    """

    sort_value: int
    reached_us: int
    attempts: int


@dataclass(frozen=True, slots=True)
class Weighed:
    """What a submission makes of what a player held.

    Attributes:
        held: what he holds now.
        is_new_best: the score is better than before; the first one is.
        counts: score or time are the submission's doing, so that the board's order may be another one.

    """

    held: Held
    is_new_best: bool
    counts: bool


def weigh(held: Held | None, *, sort_value: int, at_us: int, operator: Operator) -> Weighed:
    """Return what a submission at a time makes of what the player held.

    `best` compares whole submissions, and of equal ones the earlier by time counts; `last` takes the later one: so an
    order of arrival changes nothing. `sum` adds; adding nothing makes nobody later.

    Raises:
        ValueError: the sum is too large to be kept exactly.

    """
    if held is None:
        return Weighed(Held(sort_value, at_us, 1), is_new_best=True, counts=True)
    total, reached_us = held.sort_value, held.reached_us
    if operator == "sum":
        total += sort_value
        if abs(total) > LARGEST:
            raise ValueError("The sum would be larger than what is kept exactly (2^53 of its smallest step).")
        reached_us = reached_us if sort_value == 0 else max(reached_us, at_us)
    elif (sort_value, at_us) < (total, reached_us) if operator == "best" else at_us >= reached_us:
        total, reached_us = sort_value, at_us
    return Weighed(
        Held(total, reached_us, held.attempts + 1),
        is_new_best=total < held.sort_value,
        counts=(total, reached_us) != (held.sort_value, held.reached_us),
    )


def _too_large(decimals: int) -> str:
    most = to_number(LARGEST, decimals=decimals)
    return f"A score lies between -{most:,} and {most:,}: what is larger could not be kept exactly."
