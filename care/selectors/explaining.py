"""Why somebody has an achievement or not: the verdict first, then every condition with what speaks for it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.finding import Known
from achievements.selectors import definitions, progress
from achievements.selectors.definitions import Definition, GameCatalogue
from care import spelling
from care.selectors.profile import InGame
from core import spoken
from stats.selectors import persons as stats
from stats.selectors.persons import Held

OK, OPEN, IDLE = "ok", "open", "idle"  # it holds, it is on its way, nothing of it was reached
MOST_STATS = 500  # of a game whose last changes are looked up
_TOLD: Final = 3  # of what is open, beside the verdict
_OFFERED: Final = 500  # achievements that one may ask about


@dataclass(frozen=True, slots=True)
class Line:
    """A condition: whether it holds, what speaks for it, how far it is.

    Attributes:
        depth: how deep in groups it lies.
        counts: whether the achievement waits for it while it is open; a group's parts stand for it, or it for them.

    """

    state: str
    name: str
    evidence: str
    value: str
    percent: float | None = None
    depth: int = 0
    counts: bool = True


@dataclass(frozen=True, slots=True)
class Why:
    """An explanation; `answer` tells it in plain text, for the player."""

    definition: Definition
    is_unlocked: bool
    verdict: str
    detail: str
    lines: tuple[Line, ...]
    answer: str


def offered(catalogue: GameCatalogue) -> list[Definition]:
    """Return the achievements that one may ask about, those that are published first."""
    every = sorted(catalogue.by_key.values(), key=lambda one: not one.is_published)
    return every[:_OFFERED]


def why(studio_id: int, person: Known, in_game: InGame, key: str, *, at: datetime) -> Why | None:
    """Return why somebody has an achievement of a game or not; None if the game has no such achievement.

    It costs nine queries at most.
    """
    catalogue = definitions.fresh_catalogue(in_game.game.id)
    definition = catalogue.by_key.get(key)
    if definition is None:
        return None
    found = progress.explain(person.id, catalogue, definition, at=at)
    if found.unlocked_at is not None:
        told = _("It is unlocked since %(when)s.") % {"when": _time(found.unlocked_at)}
        detail = _("Event %(event)s.") % {"event": spelling.short(found.event_id)}
        return Why(definition, True, told, detail, (), _plain(definition, told, ()))
    if found.flagged is not None:
        told, detail = _kept_apart(found.flagged)
        return Why(definition, False, told, detail, (), _plain(definition, told, ()))
    held = stats.held(studio_id, person.id, game_ids=[in_game.game.id], limit=MOST_STATS)
    by_key = {one.key: one for one in held}
    lines = (
        _state(definition, tests=in_game.tests),
        _window(definition, at=at),
        *_reached(catalogue, definition, found.conditions, by_key),
        _may(person),
    )
    verdict, detail = _verdict(lines)
    return Why(definition, False, verdict, detail, lines, _plain(definition, verdict, lines))


def _kept_apart(flagged: str) -> tuple[str, str]:
    """Return the verdict on an unlock that broke a rule, and what the studio can do."""
    if flagged == "rejected":
        return _("It was reported, and the studio rejected it."), _("The review queue says who and why.")
    return (
        _("It was reported, and counts once the studio has checked it."),
        _("It waits in the review queue."),
    )


def _state(definition: Definition, *, tests: bool) -> Line:
    name = _("Published")
    if definition.state == "archived":
        return Line(IDLE, name, _("It is archived and can't be unlocked any more."), _("No"))
    if definition.state == "draft":
        if tests:
            return Line(OK, name, _("It is a draft, and the player tests this game."), _("Draft"))
        return Line(OPEN, name, _("It is a draft: only testers of the game unlock it."), _("No"))
    return Line(OK, name, "", _("Yes"))


def _window(definition: Definition, *, at: datetime) -> Line:
    name, begins, ends = _("Inside its window"), definition.available_from, definition.available_until
    if begins is None and ends is None:
        return Line(OK, name, _("No window is set."), _("Yes"))
    if begins is not None and at < begins:
        return Line(OPEN, name, _("It opens %(when)s.") % {"when": _time(begins)}, _("Not yet"))
    if ends is not None and at >= ends:
        return Line(IDLE, name, _("It closed %(when)s.") % {"when": _time(ends)}, _("Over"))
    until = _("It closes %(when)s.") % {"when": _time(ends)} if ends else _("It does not close.")
    return Line(OK, name, until, _("Yes"))


def _may(person: Known) -> Line:
    name = _("Player may unlock")
    if person.banned_at is not None:
        since = _("Banned from the studio's games since %(when)s.") % {"when": _time(person.banned_at)}
        return Line(OPEN, name, since, _("No"))
    return Line(OK, name, _("Not banned."), _("Yes"))


def _reached(
    catalogue: GameCatalogue,
    definition: Definition,
    conditions: tuple[dict[str, Any], ...],
    held: Mapping[str, Held],
) -> Iterator[Line]:
    if not conditions and definition.type == "standard":
        yield Line(
            OPEN, _("Reported by the game"), _("No report has unlocked it since it was locked."), _("No")
        )
        return
    enough = definition.requires_count if definition.type == "meta" else None
    if enough is not None:
        count = sum(bool(one["met"]) for one in conditions)
        yield _counted(_("Enough of what it requires"), count >= enough, count, enough)
    for one in conditions:
        for line in _lines(one, catalogue, held):
            yield replace(line, counts=False, depth=1) if enough is not None else line


def _lines(
    condition: Mapping[str, Any], catalogue: GameCatalogue, held: Mapping[str, Held]
) -> Iterator[Line]:
    """Yield a condition's line; of a group one for itself and those of its parts."""
    is_met = bool(condition["met"])
    name = next((name for name in ("all", "any") if name in condition), None)
    if name is not None:
        parts, needs_all = condition[name], name == "all"
        count = sum(bool(part["met"]) for part in parts)
        title = _("All of these") if needs_all else _("One of these")
        yield replace(_counted(title, is_met, count, len(parts) if needs_all else 1), counts=not needs_all)
        for part in parts:
            for line in _lines(part, catalogue, held):
                yield replace(line, depth=line.depth + 1, counts=line.counts and needs_all and not is_met)
    elif "achievement" in condition:
        yield _required(condition, catalogue)
    elif "steps" in condition:
        yield _counted(_("Its own steps"), is_met, condition["current"], condition["steps"]["at_least"])
    else:
        yield _of_stats(condition, held)


def _counted(name: str, is_met: bool, count: float, target: float) -> Line:
    state = OK if is_met else OPEN if count else IDLE
    value = _("%(n)s of %(target)s") % {"n": spelling.number(count), "target": spelling.number(target)}
    percent = None if is_met or target <= 0 else max(0.0, min(100.0, 100 * count / target))
    return Line(state, name, "", value, percent)


def _required(condition: Mapping[str, Any], catalogue: GameCatalogue) -> Line:
    key, by = condition["achievement"], condition["decided_by"]
    required = catalogue.by_key.get(key)
    name = required.name if required else key
    if condition["met"]:
        evidence = _("Required · unlocked %(when)s") % {"when": _time(by["at"])}
        return Line(OK, name, evidence, _("Yes"))
    return Line(IDLE, name, _("It is required, and still locked."), _("No"))


def _of_stats(condition: Mapping[str, Any], held: Mapping[str, Held]) -> Line:
    names = [condition["stat"]] if "stat" in condition else list(condition["sum"])
    is_least = "at_least" in condition
    target, current = condition["at_least" if is_least else "at_most"], condition["current"]
    told = {"stat": " + ".join(names), "target": spelling.number(target)}
    name = (
        _("Stat %(stat)s reaches %(target)s") if is_least else _("Stat %(stat)s is %(target)s or less")
    ) % told
    evidence = _evidence(condition["decided_by"], names, held)
    if condition["met"]:
        return Line(OK, name, evidence, spelling.number(current))
    if current is None:
        return Line(IDLE, name, _("Nothing was reported."), "–")
    if not is_least:
        return Line(OPEN, name, evidence, spelling.number(current))
    return replace(_counted(name, False, current, target), evidence=evidence)


def _evidence(by: Mapping[str, Any] | None, names: list[str], held: Mapping[str, Held]) -> str:
    if by:
        told = {"when": _time(by["at"]), "event": spelling.short(by["event_id"])}
        return _("Held first %(when)s · event %(event)s") % told
    changed = [held[name].reached_at for name in names if name in held]
    if not changed:
        return _("No value is held.")
    return _("Last change %(when)s") % {"when": _time(max(changed))}


def _verdict(lines: tuple[Line, ...]) -> tuple[str, str]:
    missing = [one for one in lines if one.state != OK and one.counts]
    if not missing:
        return (
            _("Every condition holds."),
            _("No report came while it could be unlocked: the next one that is about it unlocks it."),
        )
    count = len(missing)
    verdict = ngettext("%(n)s condition is open.", "%(n)s conditions are open.", count) % {"n": count}
    if count == 1:
        verdict = _("One condition is open.")
    return verdict, " ".join(_lack(one) for one in missing[:_TOLD]) + (" …" if count > _TOLD else "")


def _lack(line: Line) -> str:
    """Return in a sentence what an open condition lacks."""
    if line.percent is not None:
        return _("%(name)s: %(value)s.") % {"name": line.name, "value": line.value}
    return line.evidence or _("%(name)s: %(value)s.") % {"name": line.name, "value": line.value}


def _plain(definition: Definition, verdict: str, lines: tuple[Line, ...]) -> str:
    """Return the explanation as one may send it to a player: without ids."""
    told = [f"{definition.name}: {verdict}"]
    marks = {OK: _("done"), OPEN: _("open"), IDLE: _("open")}
    told += [f"{'  ' * one.depth}- {one.name}: {one.value} ({marks[one.state]})" for one in lines]
    return "\n".join(told)


def _time(at: datetime) -> str:
    return f"{spoken.moment(at)} UTC"
