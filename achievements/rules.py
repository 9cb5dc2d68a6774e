"""What a definition's values may be, and how rare an achievement is: pure, one place for every door.

Each `clean_…` takes a value as JSON gives it, returns it as it is stored, and raises ValueError with one
sentence that says what is wrong and what to do.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Final, Literal
from urllib.parse import urlsplit

from achievements import goals
from core import languages
from core.texts import (
    clean_choice,
    clean_integer,
    clean_key,
    clean_name,
    clean_text,
    clean_time,
    clean_trimmed,
    quoted,
)

DESCRIPTION_LENGTH: Final = 2_000
GROUP_LENGTH: Final = 128
DEFAULT_GROUP: Final = "base"
URL_LENGTH: Final = 2_000
MAX_POINTS: Final = 100_000
MAX_TARGET: Final = 1_000_000_000
MAX_SORT_ORDER: Final = 1_000_000
MAX_REQUIRES: Final = 1_000
MAX_TRANSLATIONS: Final = 100

TRANSLATED: Final = ("name", "description")

TYPES: Final = ("standard", "incremental", "meta")
AUTHORITIES: Final = ("server", "client")
STATES: Final = ("draft", "published", "archived")

# Said of whatever is to become a draft again.
NEVER_A_DRAFT_AGAIN: Final = (
    "Players may hold this achievement: archive it instead of making it a draft again."
)

# Under this many players a percentage says more about chance than about the achievement.
RARITY_SAMPLE: Final = 20

Tier = Literal["common", "uncommon", "rare", "epic", "legendary"]


def clean_description(value: object) -> str:
    """Return a description without outer white space: up to 2,000 characters of any text, or none."""
    return clean_trimmed(value, "description", DESCRIPTION_LENGTH)


def clean_group(value: object) -> str:
    """Return the name of the group that an achievement belongs to; empty or null is the base game."""
    return (clean_trimmed(value, "group", GROUP_LENGTH) if value is not None else "") or DEFAULT_GROUP


def clean_points(value: object) -> int:
    """Return the points that an unlock is worth: 0 to 100,000."""
    return clean_integer(value, "Points", 0, MAX_POINTS)


def clean_target(value: object) -> int | None:
    """Return the steps that an incremental achievement takes, or None."""
    return None if value is None else clean_integer(value, "The target", 1, MAX_TARGET)


def clean_sort_order(value: object) -> int:
    """Return the place in the game's list; equal places are listed by key."""
    return clean_integer(value, "The sort order", -MAX_SORT_ORDER, MAX_SORT_ORDER)


def clean_hidden(value: object) -> bool:
    """Return whether the achievement stays secret until it is unlocked."""
    if not isinstance(value, bool):
        raise ValueError(f"Hidden is {quoted(value)}: give true or false.")
    return value


def clean_type(value: object) -> str:
    """Return how the achievement is earned: `standard`, `incremental` or `meta`."""
    return clean_choice(value, "type", TYPES)


def clean_authority(value: object) -> str:
    """Return who may unlock it: `server` or `client`."""
    return clean_choice(value, "authority", AUTHORITIES)


def clean_state(value: object) -> str:
    """Return `draft`, `published` or `archived`."""
    return clean_choice(value, "state", STATES)


def clean_stat(value: object) -> str | None:
    """Return the key of the stat that drives an incremental achievement, or None."""
    return None if value is None else clean_key(value, what="stat")


def clean_requires(value: object) -> tuple[str, ...]:
    """Return the keys of the achievements that a meta achievement asks for; empty (or null) for none."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or len(value) > MAX_REQUIRES:
        raise ValueError(f"Requires is not a list of at most {MAX_REQUIRES:,} keys: give one.")
    keys = tuple(clean_key(key, what="required key") for key in value)
    if len(set(keys)) < len(keys):
        raise ValueError("Requires names a key twice: name each once.")
    return keys


def clean_requires_count(value: object) -> int | None:
    """Return how many of the required achievements a meta achievement asks for, or None for all of them."""
    return (
        None
        if value is None
        else clean_integer(value, "The number of required achievements", 1, MAX_REQUIRES)
    )


def clean_goal(value: object) -> dict[str, Any] | None:
    """Return what stats must say for an incremental achievement to unlock, as the API shows it, or None."""
    return None if value is None else goals.to_json(goals.read(value))


def clean_icon_url(value: object) -> str:
    """Return an absolute http or https address of an icon; empty (or null) for none."""
    if value is None or value == "":
        return ""
    text = clean_text(value, "icon's address")
    is_plain = len(text) <= URL_LENGTH and text.isprintable() and " " not in text
    if not is_plain or not _is_web_address(text):
        raise ValueError(
            f"The icon's address {quoted(text)} can't be used: give an http or https URL of at most"
            f" {URL_LENGTH:,} characters, without a user name."
        )
    return text


def clean_language(value: object) -> str:
    """Return a BCP 47 tag from any platform's spelling of a language."""
    return languages.normalise(clean_text(value, "language"))


def clean_translations(value: object) -> dict[str, dict[str, str]]:
    """Return `{language: {"name": …, "description": …}}` with BCP 47 tags; either text may be left out."""
    if value is None:
        return {}
    if not isinstance(value, Mapping) or len(value) > MAX_TRANSLATIONS:
        raise ValueError(f"Translations are not an object of at most {MAX_TRANSLATIONS} languages: give one.")
    translations: dict[str, dict[str, str]] = {}
    for code, texts in value.items():
        tag = clean_language(code)
        if tag in translations:
            raise ValueError(f"The language {quoted(code)} is given twice as {tag}: give it once.")
        translations[tag] = _translation(tag, texts)
    return translations


CLEAN: Final[Mapping[str, Callable[[object], object]]] = {
    "name": clean_name,
    "description": clean_description,
    "points": clean_points,
    "type": clean_type,
    "target": clean_target,
    "stat": clean_stat,
    "goal": clean_goal,
    "requires": clean_requires,
    "requires_count": clean_requires_count,
    "hidden": clean_hidden,
    "authority": clean_authority,
    "state": clean_state,
    "group": clean_group,
    "sort_order": clean_sort_order,
    "icon_url": clean_icon_url,
    "icon_locked_url": clean_icon_url,
    "available_from": clean_time,
    "available_until": clean_time,
    "translations": clean_translations,
}
"""Every field of a definition but its key, in the order in which files list them, with its rule."""


def contradictions(definition: Mapping[str, object]) -> list[str]:
    """Return what a definition's clean values say against each other; absent values are the defaults."""
    kind = definition.get("type", "standard")
    target, stat = definition.get("target"), definition.get("stat")
    requires, key = definition.get("requires") or (), definition.get("key")
    goal, count = definition.get("goal"), definition.get("requires_count")
    found = []
    if kind == "incremental" and target is None and goal is None:
        found.append("An incremental achievement needs a target, the number of steps, or a goal of stats.")
    if goal is not None and (target is not None or stat is not None):
        found.append("A goal says all about stats: leave target and stat out.")
    if kind != "incremental" and (target is not None or stat is not None or goal is not None):
        found.append("Only an incremental achievement has a target, a stat or a goal: leave them out.")
    if isinstance(count, int) and isinstance(requires, list | tuple) and count > len(requires):
        found.append("More achievements are required than requires names: lower requires_count.")
    if kind == "meta" and not requires:
        found.append("A meta achievement needs the keys it requires: give at least one.")
    if kind != "meta" and requires:
        found.append("Only a meta achievement requires others: leave requires out or change the type.")
    if isinstance(requires, list | tuple) and key in requires:
        found.append("The achievement requires itself: take its own key out of requires.")
    return found + _window_contradictions(definition.get("available_from"), definition.get("available_until"))


@dataclass(frozen=True, kw_only=True, slots=True)
class Rarity:
    """How many of a game's players unlocked an achievement; percent and tier are None under 20 players."""

    unlocked_percent: float | None
    unlocked: int
    players: int
    tier: Tier | None


# From the rarest to the one before the last, which takes all that is above.
_LIMITED: Final[tuple[Tier, ...]] = ("legendary", "epic", "rare", "uncommon")
# The largest share of each in per mille: whole numbers, as exact as the percent that is shown.
DEFAULT_TIERS: Final = (10, 50, 200, 500)


def rarity(unlocked: int, players: int, tiers: Sequence[int] = DEFAULT_TIERS) -> Rarity:
    """Return the rarity of an achievement that `unlocked` of `players` have, by a game's tiers in per mille.

    The tier goes by the percent that is shown (one decimal, halves up): no page contradicts itself. The two
    counts may be read at different moments: more unlocks than players count as all players.
    """
    if players < RARITY_SAMPLE:
        return Rarity(unlocked_percent=None, unlocked=unlocked, players=players, tier=None)
    per_mille = (min(unlocked, players) * 2_000 + players) // (2 * players)
    limits = zip(tiers, _LIMITED, strict=True)
    tier: Tier = next((name for limit, name in limits if per_mille <= limit), "common")
    return Rarity(unlocked_percent=per_mille / 10, unlocked=unlocked, players=players, tier=tier)


def clean_tiers(value: object) -> tuple[int, ...]:
    """Return tiers, given as the largest percent of each, in per mille.

    Raises:
        ValueError: not exactly the four names, or not rising numbers from 0 to 100 with a decimal at most.

    """
    if not isinstance(value, Mapping) or value.keys() != set(_LIMITED):
        raise ValueError(
            f"Give the largest percent of each of {', '.join(_LIMITED)}, or null for the default."
        )
    limits = [_per_mille(value[name], name) for name in _LIMITED]
    if any(later <= earlier for earlier, later in pairwise(limits)):
        raise ValueError("The percents must rise from legendary to uncommon.")
    return tuple(limits)


def shown_tiers(tiers: Sequence[int]) -> dict[str, float]:
    """Return tiers by name, as the largest percent of each."""
    return {name: limit / 10 for name, limit in zip(_LIMITED, tiers, strict=True)}


def _per_mille(percent: object, name: str) -> int:
    if isinstance(percent, bool) or not isinstance(percent, int | float) or not 0 <= percent <= 100:
        raise ValueError(f"The percent of {name} must be a number from 0 to 100.")
    if percent != round(percent, 1):
        raise ValueError(
            f"The percent of {name} has more than one decimal: tiers go by the percent that is shown."
        )
    return round(percent * 10)


MAX_STEPS: Final = 2**53  # what every JSON reader still takes for a whole number


def clean_steps(value: object) -> int:
    """Return the steps of a report: 1 to 2^53."""
    return clean_integer(value, "Steps", 1, MAX_STEPS)


def advance(current: int, steps: int, *, adds: bool, target: int) -> int:
    """Return how far a player is after a report: never less than before, and no further than the target.

    Steps are added, or they say how far the player is at least. Of a target that was lowered since, `current` may be
    past it, and stays.
    """
    reached = current + steps if adds else steps
    return max(current, min(reached, target))


def shown_progress(current: int, *, target: int, unlocked: bool) -> int:
    """Return how far a player is as he sees it: who unlocked it is at the target, whatever it was then."""
    return target if unlocked else min(current, target)


language_fallbacks = languages.fallbacks


def _is_web_address(text: str) -> bool:
    try:
        parts = urlsplit(text)
        has_port = parts.port is None or parts.port > 0
    except ValueError:
        return False
    return has_port and parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc


def _translation(tag: str, texts: object) -> dict[str, str]:
    if not isinstance(texts, Mapping) or not texts.keys() <= set(TRANSLATED):
        raise ValueError(f'The translation for {tag} must be an object with "name", "description" or both.')
    rules: dict[str, Callable[[object], str]] = {"name": clean_name, "description": clean_description}
    return {field: rules[field](texts[field]) for field in TRANSLATED if field in texts}


def _window_contradictions(start: object, end: object) -> list[str]:
    if isinstance(start, datetime) and isinstance(end, datetime) and end <= start:
        return ["The achievement stops being available before it starts: swap the two times."]
    return []
