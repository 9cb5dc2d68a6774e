"""How a stat's values are read, kept and weighed against each other: pure and exact.

A value is a decimal number that a double shows without loss: a whole number up to 2^53, or one with at most 15 digits
of which at most 6 are decimals. What would need more, a sum too, is refused and never rounded.
"""

from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

Aggregation = Literal["sum", "max", "min", "last"]
Op = Literal["add", "set"]
AGGREGATIONS: Final = ("sum", "max", "min", "last")
OPS: Final = ("add", "set")

LARGEST: Final = 2**53
MOST_DECIMALS: Final = 6
MOST_DIGITS: Final = 15
_ADJUSTED: Final = 15  # the exponent of LARGEST's first digit


@dataclass(frozen=True, slots=True)
class Rule:
    """What a stat declares of its values; None for what it does not limit.

    Attributes:
        start: what a player holds before the first report, if that is declared.

    """

    aggregation: Aggregation
    lowest: Decimal | None = None
    highest: Decimal | None = None
    max_delta: Decimal | None = None
    increment_only: bool = False
    start: Decimal | None = None

    @property
    def op(self) -> Op:
        """How values are reported: a sum is added to, anything else is set."""
        return "add" if self.aggregation == "sum" else "set"


@dataclass(frozen=True, slots=True)
class Held:
    """What a player holds, and since when by the game's time, in microseconds since 1970."""

    value: Decimal
    reached_us: int


def to_value(number: object) -> Decimal:
    """Return a JSON number as the value that is kept.

    Raises:
        ValueError: no number, not finite, or one that can't be kept exactly.

    """
    if isinstance(number, bool) or not isinstance(number, int | Decimal):
        raise ValueError("A number is expected.")
    given = Decimal(number)
    if not given.is_finite():
        raise ValueError("A finite number is expected.")
    if not given:
        return Decimal(0)  # whatever its exponent says: 0e999999999 is not to be written out
    if given.adjusted() > _ADJUSTED:
        raise ValueError(_too_large())
    sign, digits, exponent = given.as_tuple()
    assert isinstance(exponent, int)  # of a finite one
    text = "".join(map(str, digits))
    kept = text.rstrip("0")
    exponent += len(text) - len(kept)
    if exponent < -MOST_DECIMALS:
        raise ValueError(f"At most {MOST_DECIMALS} decimals are kept: send the value rounded to that.")
    if exponent < 0 and len(kept.lstrip("0")) > MOST_DIGITS:
        raise ValueError(f"A number with decimals is kept exactly up to {MOST_DIGITS} digits: send fewer.")
    value = Decimal((sign, tuple(map(int, kept)), exponent))
    if abs(value) > LARGEST:
        raise ValueError(_too_large())
    return value


def to_number(value: Decimal) -> int | float:
    """Return a kept value as the JSON number that was sent."""
    whole = int(value)
    return whole if whole == value else float(value)


def shown(value: Decimal) -> str:
    """Return a kept value as messages show it."""
    return f"{to_number(value):,}"


def require_fit(rule: Rule, *, op: Op, amount: Decimal) -> None:
    """Check what a report says against what a stat declares, whatever the player holds.

    Raises:
        ValueError: the other operation is due, or the amount alone breaks a guard.

    """
    if op != rule.op:
        raise ValueError(f"Values of a stat with the aggregation `{rule.aggregation}` come by `{rule.op}`.")
    if op == "set":
        _require_within(rule, amount)
        return
    if rule.increment_only and amount < 0:
        raise ValueError("This stat only rises: nothing negative is added to it.")
    _require_near(rule, amount)


def weigh(rule: Rule, held: Held | None, *, amount: Decimal, at_us: int) -> Held:
    """Return what a report that fits its stat makes of what the player holds.

    `last` keeps the value of the latest time, so that a late repetition changes nothing.

    Raises:
        ValueError: together with what is held it breaks a guard, or can't be kept exactly.

    """
    before = rule.start if held is None else held.value
    reached_us = at_us if held is None else max(held.reached_us, at_us)
    if rule.aggregation == "sum":
        after = _sum(before or Decimal(0), amount)
        _require_within(rule, after)
    elif rule.aggregation == "last":
        after = amount
        if held is not None and at_us < held.reached_us:
            return held
    else:
        better = max if rule.aggregation == "max" else min
        after = amount if before is None else better(before, amount)
    if before is not None and after != before:
        if rule.increment_only and after < before:
            raise ValueError(f"This stat only rises, and the player holds {shown(before)}.")
        _require_near(rule, after - before)
    is_moved = held is None or after != held.value or rule.aggregation == "last"
    return Held(after, reached_us) if is_moved or held is None else held


def joined(rule: Rule, kept: Held, brought: Held) -> Held:
    """Return what one person holds who held two values as two players; sums begin once, and stay in their bounds.

    Raises:
        ValueError: the sum can't be kept exactly.

    """
    if rule.aggregation == "sum":
        added = _sum(kept.value, brought.value - (rule.start or 0))
        if rule.lowest is not None:
            added = max(added, rule.lowest)
        if rule.highest is not None:
            added = min(added, rule.highest)
        return Held(added, max(kept.reached_us, brought.reached_us))
    if rule.aggregation == "last":
        return brought if brought.reached_us > kept.reached_us else kept
    better = max if rule.aggregation == "max" else min
    return kept if better(kept.value, brought.value) == kept.value else brought


def _sum(before: Decimal, amount: Decimal) -> Decimal:
    try:
        return to_value(before + amount)  # at most 23 digits: nothing is rounded
    except ValueError:
        raise ValueError(
            f"{shown(before)} and {shown(amount)} come to a value that can't be kept exactly."
        ) from None


def _require_within(rule: Rule, value: Decimal) -> None:
    if rule.lowest is not None and value < rule.lowest:
        raise ValueError(f"{shown(value)} is below {shown(rule.lowest)}, the lowest value of this stat.")
    if rule.highest is not None and value > rule.highest:
        raise ValueError(f"{shown(value)} is above {shown(rule.highest)}, the highest value of this stat.")


def _require_near(rule: Rule, delta: Decimal) -> None:
    if rule.max_delta is not None and abs(delta) > rule.max_delta:
        raise ValueError(f"One report may change this stat by {shown(rule.max_delta)} at most.")


def _too_large() -> str:
    return f"A value lies between -{LARGEST:,} and {LARGEST:,}: what is larger could not be kept exactly."
