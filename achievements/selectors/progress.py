"""How far players are with achievements, and why one is locked."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from achievements import flagging, goals, rules
from achievements.goals import Condition, Goal
from achievements.models import ConditionMet, FlaggedUnlock, State, Type, Unlock
from achievements.selectors import unlocks
from achievements.selectors.definitions import Definition, GameCatalogue
from stats.selectors import definitions as declared
from stats.selectors import values as stats

Steps = tuple[int, int]  # how far, and the target


@dataclass(frozen=True, slots=True)
class Standing:
    """What a player holds of what drives a game's achievements."""

    steps: dict[int, int] = field(default_factory=dict)
    values: dict[str, Decimal] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    met: dict[tuple[int, str], ConditionMet] = field(default_factory=dict)

    def holds(self, achievement_id: int, condition: Condition) -> bool:
        """Say whether a condition holds, by now or for good."""
        is_kept = goals.latches(condition, self.kinds) and (achievement_id, condition.name) in self.met
        return is_kept or condition.holds(self.values, self.kinds)


def standing(player_id: int, catalogue: GameCatalogue, listed: Iterable[Definition]) -> Standing:
    """Return how a player stands with some of a game's achievements, in at most three queries."""
    return standings([player_id], catalogue, listed)[player_id]


def standings(
    player_ids: Collection[int], catalogue: GameCatalogue, listed: Iterable[Definition]
) -> dict[int, Standing]:
    """Return how players stand with some of a game's achievements, by player, in at most three queries."""
    counted = [one for one in listed if one.type == Type.INCREMENTAL]
    own_steps = [one.id for one in counted if not one.is_driven]
    driven = [one.id for one in counted if one.is_driven]
    found = {player_id: Standing() for player_id in player_ids}
    if own_steps:
        for player_id, pk, current in unlocks.progress_of(player_ids, own_steps):
            found[player_id].steps[pk] = current
    if not driven:
        return found
    values = stats.values_of((player_id, catalogue.game_id) for player_id in player_ids)
    kinds = stats.aggregations(catalogue.game_id)
    found = {
        player_id: Standing(one.steps, values[player_id, catalogue.game_id], kinds)
        for player_id, one in found.items()
    }
    for row in ConditionMet.objects.filter(player_id__in=player_ids, achievement_id__in=driven):
        found[row.player_id].met[row.achievement_id, row.condition] = row
    return found


def steps(standing: Standing, definition: Definition, goal: Goal | None, *, unlocked: bool) -> Steps:
    """Return how far a player is with an incremental achievement, and its target."""
    if goal is None:
        current, target = standing.steps.get(definition.id, 0), definition.target or 0
    else:
        current, target = goals.steps(
            goal,
            standing.values,
            standing.kinds,
            lambda condition: standing.holds(definition.id, condition),
        )
    return rules.shown_progress(current, target=target, unlocked=unlocked), target


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why an achievement is unlocked, or still locked; `conditions` as the API shows them.

    Attributes:
        flagged: "open" or "rejected" where an unlock of it broke a rule.

    """

    unlocked_at: datetime | None
    event_id: UUID | None
    why_locked: tuple[str, ...]
    conditions: tuple[dict[str, Any], ...]
    flagged: str | None = None


def explain(player_id: int, catalogue: GameCatalogue, definition: Definition, *, at: datetime) -> Explanation:
    """Return each condition of an achievement, its value, what satisfied it, and why it is still locked."""
    held = unlocks.unlocks_of(player_id, game_id=catalogue.game_id).get(definition.id)
    conditions = _conditions(player_id, catalogue, definition, unlocked=held is not None)
    if held is not None:
        return Explanation(held.unlocked_at, held.event_id, (), tuple(conditions))
    flagged = _flagged(player_id, definition.id)
    why = (*_closed(definition, at=at), *_missing(catalogue, definition, conditions))
    why = (_WHY_FLAGGED[flagged],) if flagged else why
    return Explanation(None, None, why, tuple(conditions), flagged)


_WHY_FLAGGED = {
    str(FlaggedUnlock.State.OPEN): "It was reported, and counts once the studio has checked it.",
    str(FlaggedUnlock.State.REJECTED): "It was reported, and the studio rejected it.",
}


def _flagged(player_id: int, achievement_id: int) -> str | None:
    """Return the state of an unlock that broke a rule, which may be gone, and does not count; None if there is none."""
    pair = (player_id, achievement_id)
    flag = flagging.flags_of([pair]).get(pair)
    return flag.state if flag else None


def _closed(definition: Definition, *, at: datetime) -> list[str]:
    why = []
    if definition.state == State.DRAFT:
        why.append("It is a draft: only testers of the game can unlock it.")
    if definition.state == State.ARCHIVED:
        why.append("It is archived and can't be unlocked any more.")
    if definition.available_from is not None and at < definition.available_from:
        why.append("Its window has not begun yet.")
    if definition.available_until is not None and at >= definition.available_until:
        why.append("Its window is over.")
    return why


def _missing(catalogue: GameCatalogue, definition: Definition, conditions: list[dict[str, Any]]) -> list[str]:
    archived = (
        sorted(
            key
            for key in goals.stats_of(catalogue.goals[definition.id])
            if (stat := declared.stats(catalogue.game_id).get(key)) is not None and stat.archived
        )
        if definition.id in catalogue.goals
        else []
    )
    why = [f"The stat {key} is archived and takes no more reports." for key in archived]
    if definition.type == Type.STANDARD:
        return [*why, "The game has not reported it."]
    met = sum(one["met"] for one in conditions)
    if definition.type == Type.META and met >= (definition.requires_count or len(conditions)):
        return [*why, "What it requires is held, but nothing has unlocked it since."]
    if definition.type != Type.META and met == len(conditions):
        return [*why, "Its conditions hold, but were not met by a report while it could be unlocked."]
    return [*why, "Not all of its conditions are met."]


def _conditions(
    player_id: int, catalogue: GameCatalogue, definition: Definition, *, unlocked: bool
) -> list[dict[str, Any]]:
    if definition.type == Type.META:
        return _required(player_id, catalogue, definition)
    if definition.type != Type.INCREMENTAL:
        return []
    found = standing(player_id, catalogue, [definition])
    goal = catalogue.goals.get(definition.id)
    if goal is not None:
        return [_told(goal, definition, found)]
    current, target = steps(found, definition, None, unlocked=unlocked)
    return [{"steps": {"at_least": target}, "met": unlocked or current >= target, "current": current}]


def _told(goal: Goal, definition: Definition, found: Standing) -> dict[str, Any]:
    """Return a goal as the API explains it: as it was given, with what is met."""
    is_met = goals.reached(goal, lambda condition: found.holds(definition.id, condition))
    if not isinstance(goal, Condition):
        name = "all" if goal.needs_all else "any"
        return {name: [_told(part, definition, found) for part in goal.parts], "met": is_met}
    noted = found.met.get((definition.id, goal.name))
    return {
        **goals.to_json(goals.directed(goal, found.kinds)),
        "met": is_met,
        "current": _number(goal.reckon(found.values)),
        "decided_by": {"event_id": str(noted.event_id), "value": _number(noted.value), "at": noted.met_at}
        if noted
        else None,
    }


def _required(player_id: int, catalogue: GameCatalogue, definition: Definition) -> list[dict[str, Any]]:
    by_id = {one.id: one for one in catalogue.by_key.values() if one.key in definition.requires}
    rows = Unlock.objects.filter(player_id=player_id, achievement_id__in=list(by_id))
    held = {row.achievement_id: row for row in rows}
    told = []
    for key in definition.requires:
        row = held.get(catalogue.by_key[key].id) if key in catalogue.by_key else None
        by = {"event_id": str(row.event_id), "at": row.unlocked_at} if row else None
        told.append({"achievement": key, "met": row is not None, "decided_by": by})
    return told


def _number(value: Decimal | None) -> int | float | None:
    if value is None:
        return None
    return int(value) if value == int(value) else float(value)
