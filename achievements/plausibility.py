"""What is plausible of unlocks: the rules that a studio sets for a game, and which of them a claim breaks. Pure.

Times are microseconds since 1970. A claim that breaks a rule is kept apart until somebody looks at it (ADR 0040).
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from achievements.pace import Way
from core import texts

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
SLACK_US: Final = 2 * MINUTE_US  # between two signs of life of a session
LONGEST_S: Final = 10 * 366 * 86_400
MOST_A_MINUTE: Final = 1_000
MOST_STEPS_A_MINUTE: Final = 10**9
MOST_LINES: Final = 500  # of a list of rules
NAMES: Final = ("earliest", "rate", "order", "session", "pace")
FIELDS: Final = ("earliest_seconds", "unlocks_a_minute", "session_required", "achievements", "order")
Since = Literal["session", "studio", "now"]


@dataclass(frozen=True, slots=True)
class Pace:
    """How much progress any minute may bring; `target` is that of its own steps, None where a stat counts."""

    a_minute: int
    target: int | None


@dataclass(frozen=True, slots=True)
class Rules:
    """A game's rules, by the ids of achievements.

    Attributes:
        earliest_s: how long after the player's beginning anything may be unlocked at the earliest.
        times: the same of single achievements, instead.
        per_minute: how many unlocks a minute may have at most.
        needs_session: whether a session has to be known from about that time.
        before: what has to be unlocked before.
        paces: how fast one may come on.

    """

    earliest_s: int | None = None
    times: Mapping[int, int] = field(default_factory=dict)
    per_minute: int | None = None
    needs_session: bool = False
    before: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    paces: Mapping[int, Pace] = field(default_factory=dict)

    def earliest_of(self, achievement_id: int) -> int | None:
        """Return how many seconds after the player's beginning an achievement may be unlocked."""
        return self.times.get(achievement_id, self.earliest_s)

    def a_minute_of(self, achievement_id: int) -> int | None:
        """Return how much progress towards an achievement any minute may bring."""
        return self.paces[achievement_id].a_minute if achievement_id in self.paces else None


@dataclass(frozen=True, slots=True)
class Session:
    """What is known of a player's sessions in a game; `began_us` and `seen_us` are of the last one."""

    count: int
    first_us: int
    began_us: int
    seen_us: int

    def may_cover(self, at_us: int) -> bool:
        """Say whether a session may have been going on: of those before the last one only the first moment is kept."""
        return self.first_us - SLACK_US <= at_us <= self.seen_us + SLACK_US


@dataclass
class Known:
    """What is known of a player in a game while claims are weighed one after the other.

    Attributes:
        named_us: when the studio named him first, or unlocked something for him.
        has: the achievements that he has, of those that matter.
        flagged: those that were kept apart, with their state.
        moments: when he unlocked anything about that time.
        ways: how he came to those that have a pace.

    """

    named_us: int | None = None
    session: Session | None = None
    has: set[int] = field(default_factory=set)
    flagged: dict[int, str] = field(default_factory=dict)
    moments: list[int] = field(default_factory=list)
    ways: dict[int, Way] = field(default_factory=dict)

    def beginning(self, at_us: int) -> tuple[int, Since]:
        """Return since when he plays, as far as is known: the first session, else when he was first heard of."""
        if self.session is not None:
            return self.session.first_us, "session"
        return (at_us, "now") if self.named_us is None else (self.named_us, "studio")


def broken(rules: Rules, achievement_id: int, *, at_us: int, known: Known) -> list[dict[str, Any]]:
    """Return which rules a claim breaks, with the figures that say so; an empty list if it is plausible."""
    found = []
    since_us, since = known.beginning(at_us)
    needed = rules.earliest_of(achievement_id)
    if needed is not None and at_us - since_us < needed * SECOND_US:
        passed = (at_us - since_us) // SECOND_US
        found.append({"rule": "earliest", "seconds": passed, "needed": needed, "since": since})
    if rules.per_minute is not None:
        count = densest([*known.moments, at_us], at_us)
        if count > rules.per_minute:
            found.append({"rule": "rate", "count": count, "most": rules.per_minute})
    found += [
        {"rule": "order", "first": first, "state": known.flagged.get(first, "locked")}
        for first in rules.before.get(achievement_id, ())
        if first not in known.has
    ]
    if rules.needs_session and not (known.session and known.session.may_cover(at_us)):
        found.append({"rule": "session", "sessions": known.session.count if known.session else 0})
    return found + _too_fast(rules, achievement_id, known)


def _too_fast(rules: Rules, achievement_id: int, known: Known) -> list[dict[str, Any]]:
    way, a_minute = known.ways.get(achievement_id), rules.a_minute_of(achievement_id)
    if a_minute is None or way is None or way.fastest is None or not way.fastest.breaks(a_minute):
        return []
    one = way.fastest
    told = {"steps": one.steps, "seconds": one.seconds, "until_us": one.until_us}
    return [{"rule": "pace", **told, "most": one.most(a_minute), "a_minute": a_minute}]


def densest(moments: Sequence[int], at_us: int) -> int:
    """Return how many of the moments the fullest minute has that `at_us` lies in, however they are ordered."""
    ordered = sorted(moments)
    begins = bisect_right(ordered, at_us - MINUTE_US)
    ends = bisect_right(ordered, at_us)
    return max(
        (bisect_left(ordered, ordered[place] + MINUTE_US) - place for place in range(begins, ends)),
        default=0,
    )


def read(
    document: Mapping[str, Any],
    ids: Mapping[str, int],
    open_keys: Collection[str],
    targets: Mapping[str, int | None],
) -> Rules:
    """Return stored rules by ids.

    What names an achievement that is gone holds for nobody, nor that something comes before which nobody can get any
    more: of `open_keys` are those that can be had. `targets` are those of incremental ones, None where stats count.
    """
    before: dict[int, tuple[int, ...]] = {}
    for first, then in document["order"]:
        if first in open_keys and then in ids:
            before[ids[then]] = (*before.get(ids[then], ()), ids[first])
    return Rules(
        earliest_s=document["earliest_seconds"],
        times={ids[key]: seconds for key, seconds in document["achievements"].items() if key in ids},
        per_minute=document["unlocks_a_minute"],
        needs_session=document["session_required"],
        before=before,
        paces={
            ids[key]: Pace(a_minute, targets[key])
            for key, a_minute in document.get("paces", {}).items()
            if key in targets
        },
    )


def nothing() -> dict[str, Any]:
    """Return the rules of a game that has none, as they are stored."""
    return {
        "earliest_seconds": None,
        "unlocks_a_minute": None,
        "session_required": False,
        "achievements": {},
        "paces": {},
        "order": [],
    }


def stored(clean: Mapping[str, Any]) -> dict[str, Any]:
    """Return clean values, by field, as they are stored: each rule of single achievements by itself."""
    found = {name: value for name, value in clean.items() if name != "achievements"}
    if "achievements" in clean:
        lines = clean["achievements"].items()
        for name, rule in (("achievements", "earliest_seconds"), ("paces", "progress_a_minute")):
            found[name] = {key: line[rule] for key, line in lines if rule in line}
    if "order" in clean:
        found["order"] = [list(pair) for pair in clean["order"]]
    return found


def clean_seconds(value: object) -> int | None:
    """Return how many seconds, None for no rule. Raises ValueError."""
    return _whole(
        value, LONGEST_S, "A time after the beginning is 1 to {most:,} seconds (10 years), or null."
    )


def clean_rate(value: object) -> int | None:
    """Return how many unlocks a minute, None for no rule. Raises ValueError."""
    return _whole(value, MOST_A_MINUTE, "A rate is 1 to {most:,} unlocks a minute, or null.")


def clean_flag(value: object) -> bool:
    """Return whether a session is required. Raises ValueError."""
    if not isinstance(value, bool):
        raise ValueError("It is true or false.")
    return value


def clean_pace(value: object) -> int | None:
    """Return how many steps a minute, None for no rule. Raises ValueError."""
    return _whole(value, MOST_STEPS_A_MINUTE, "A pace is 1 to {most:,} steps a minute.")


def clean_lines(value: object) -> dict[str, dict[str, int]]:
    """Return the rules of single achievements by key and name. Raises ValueError."""
    found: dict[str, dict[str, int]] = {}
    for row in _rows(value, {"achievement"}, any_of=_OF_ONE.keys()):
        key = texts.clean_key(row["achievement"])
        line = {name: number for name in row if name in _OF_ONE and (number := _OF_ONE[name](row[name]))}
        if len(line) + 1 < len(row):
            raise ValueError(f"{texts.quoted(key)}: give a number, or leave it out.")
        if key in found:
            raise ValueError(f"{texts.quoted(key)} is there twice: give each achievement once.")
        found[key] = line
    return found


def clean_order(value: object) -> list[tuple[str, str]]:
    """Return which key comes before which. Raises ValueError."""
    pairs = [
        (texts.clean_key(row["first"]), texts.clean_key(row["then"]))
        for row in _rows(value, {"first", "then"})
    ]
    if len(set(pairs)) < len(pairs):
        raise ValueError("A pair is there twice: give each once.")
    return pairs


_OF_ONE: Final = {"earliest_seconds": clean_seconds, "progress_a_minute": clean_pace}
CLEAN: Final = {
    "earliest_seconds": clean_seconds,
    "unlocks_a_minute": clean_rate,
    "session_required": clean_flag,
    "achievements": clean_lines,
    "order": clean_order,
}


def _whole(value: object, most: int, detail: str) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
        raise ValueError(detail.format(most=most))
    return value


def _rows(value: object, names: Collection[str], *, any_of: Collection[str] = ()) -> list[Mapping[str, Any]]:
    listed = ", ".join(sorted(names)) + (f", and {' or '.join(sorted(any_of))} or both" if any_of else "")
    if not isinstance(value, list) or len(value) > MOST_LINES:
        raise ValueError(f"A list of {MOST_LINES} objects at most is expected, each with {listed}.")
    for row in value:
        given = set(row) - set(any_of) if isinstance(row, Mapping) else None
        if given != set(names) or (any_of and len(row) == len(names)):
            raise ValueError(f"Each object has exactly these names: {listed}.")
    return value
