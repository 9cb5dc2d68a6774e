"""Why an achievement is locked, told to the player himself: the verdict first, then every condition; no ids of events.

What the API's `…/explain` tells, in words. Of what is hidden from him it says only that it is hidden.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from achievements.models import State, Type
from achievements.selectors import cards, progress
from achievements.selectors.definitions import Definition, GameCatalogue
from core import spoken
from stats.selectors import definitions as declared

OK, OPEN, IDLE = "ok", "open", "idle"  # it holds, it is on its way, nothing of it was reached
MOST_REQUIRED: Final = 60


@dataclass(frozen=True, slots=True)
class Line:
    """A condition: whether it holds, what it is, how far it is; `depth` is how deep in groups it lies.

    Attributes:
        counts: whether the achievement waits for it while it is open.

    """

    state: str
    name: str
    value: str
    percent: float | None = None
    to_go: str = ""
    depth: int = 0
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Why:
    """An explanation; `may_report`: there is something that a studio could look into."""

    is_unlocked: bool
    verdict: str
    detail: str
    lines: tuple[Line, ...] = ()
    may_report: bool = True


def why(player_id: int, catalogue: GameCatalogue, definition: Definition, *, at: datetime) -> Why:
    """Return why a player has an achievement or not, in eight queries at most."""
    found = progress.explain(player_id, catalogue, definition, at=at)
    if found.unlocked_at is not None:
        return Why(True, "You have it.", "", may_report=False)
    if found.flagged is not None:
        detail = "The studio looks at it before it counts." if found.flagged == "open" else ""
        return Why(False, found.why_locked[0], detail, may_report=found.flagged != "open")
    closed = _closed(definition, at=at)
    lines = tuple(_reached(catalogue, definition, found.conditions))
    verdict, detail = closed or _verdict(definition, lines)
    return Why(False, verdict, detail, lines)


def _closed(definition: Definition, *, at: datetime) -> tuple[str, str] | None:
    if definition.state == State.ARCHIVED:
        return "It can't be unlocked any more.", "The studio has taken it out of the game."
    begins, ends = definition.available_from, definition.available_until
    if begins is not None and at < begins:
        return "It can't be unlocked yet.", f"It returns on {spoken.day(begins)}."
    if ends is not None and at >= ends:
        return "It can't be unlocked now.", f"It was there until {spoken.day(ends)}."
    return None


def _verdict(definition: Definition, lines: tuple[Line, ...]) -> tuple[str, str]:
    if definition.type == Type.STANDARD:
        return "The game has not reported it.", "It unlocks in the moment that the game says so."
    missing = [one for one in lines if one.state != OK and one.counts]
    if not missing:
        return "Every condition holds.", "The next thing that the game reports of it unlocks it."
    if len(missing) == 1:
        only = missing[0]
        return (only.to_go, "") if only.to_go else ("One condition is open.", "")
    return f"{len(missing)} conditions are open.", ""


def _reached(
    catalogue: GameCatalogue, definition: Definition, conditions: tuple[dict[str, Any], ...]
) -> Iterator[Line]:
    if definition.type == Type.META:
        count = sum(bool(one["met"]) for one in conditions)
        enough = definition.requires_count or len(definition.requires)
        yield _counted("Achievements that it takes", count >= enough, count, enough)
        return
    for one in conditions:
        yield from _lines(one, catalogue)


def _lines(condition: Mapping[str, Any], catalogue: GameCatalogue) -> Iterator[Line]:
    """Yield a condition's line; of a group one for itself and those of its parts."""
    is_met = bool(condition["met"])
    name = next((name for name in ("all", "any") if name in condition), None)
    if name is not None:
        parts, needs_all = condition[name], name == "all"
        count = sum(bool(part["met"]) for part in parts)
        title = "All of these" if needs_all else "One of these"
        yield replace(_counted(title, is_met, count, len(parts) if needs_all else 1), counts=not needs_all)
        for part in parts:
            for line in _lines(part, catalogue):
                yield replace(line, depth=line.depth + 1, counts=line.counts and needs_all and not is_met)
    elif "steps" in condition:
        yield _counted("Steps", is_met, condition["current"], condition["steps"]["at_least"])
    else:
        yield _of_stats(condition, catalogue)


def _of_stats(condition: Mapping[str, Any], catalogue: GameCatalogue) -> Line:
    known = declared.stats(catalogue.game_id)
    keys = [condition["stat"]] if "stat" in condition else list(condition["sum"])
    name = " + ".join(known[key].name if key in known else key for key in keys)
    current = condition["current"]
    if "at_least" in condition:
        return _counted(name, bool(condition["met"]), current or 0, condition["at_least"])
    most = f"{name}, {_number(condition['at_most'])} or less"
    shown = "–" if current is None else _number(current)
    return Line(OK if condition["met"] else OPEN if current is not None else IDLE, most, shown)


def _counted(name: str, is_met: bool, count: float, target: float) -> Line:
    if is_met:
        return Line(OK, name, _number(target) if count < target else _number(count))
    value = f"{_number(count)} of {_number(target)}"
    percent = max(0.0, min(100.0, 100 * count / target)) if target > 0 else None
    left = Decimal(str(target)) - Decimal(str(count))
    return Line(OPEN if count else IDLE, name, value, percent, f"{_number(float(left))} to go.")


def _number(value: float) -> str:
    return spoken.whole(int(value)) if value == int(value) else spoken.average(value)


@dataclass(frozen=True, slots=True)
class Required:
    """An achievement that another one takes; a hidden one that is locked has neither key, name, icon nor address."""

    is_unlocked: bool
    key: str = ""
    name: str = ""
    language: str = ""
    icon_url: str = ""
    url: str = ""


def required(
    catalogue: GameCatalogue,
    definition: Definition,
    holding: cards.Holding,
    *,
    game: UUID,
    language: str | None,
) -> list[Required]:
    """Return what a meta achievement takes, in the studio's order, as the reader stands to it."""
    wanted = [catalogue.by_key[key] for key in definition.requires if key in catalogue.by_key]
    return [
        _required(one, holding, game=game, language=language)
        for one in wanted
        if one.is_published or one.id in holding.held
    ][:MOST_REQUIRED]


def _required(one: Definition, holding: cards.Holding, *, game: UUID, language: str | None) -> Required:
    is_unlocked = one.id in holding.held
    if cards.is_masked(one, holding):
        return Required(is_unlocked)
    said = cards.texts(one, language)
    icon = one.icon_url if is_unlocked else one.icon_locked_url or one.icon_url
    return Required(is_unlocked, one.key, said.name, said.name_language, icon, cards.address(game, one))


def visible(catalogue: GameCatalogue, holding: cards.Holding) -> list[Definition]:
    """Return the achievements that a reader may be told of, in the studio's order."""
    had: Collection[int] = {*holding.held, *holding.flagged}
    return [
        one
        for one in catalogue.by_key.values()
        if (one.is_published or one.id in had) and not cards.is_masked(one, holding)
    ]
