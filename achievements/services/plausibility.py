"""Setting the rules by which a game's unlocks are weighed."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.selectors import GameInfo
from achievements import goals, plausibility
from achievements.models import Plausibility, Type
from achievements.selectors import definitions
from achievements.selectors import plausibility as rules
from achievements.selectors.definitions import GameCatalogue
from achievements.services.definitions import next_version
from core import audit
from core.refusals import Invalid, pointer
from core.texts import quoted
from stats.selectors import values as stats


def set_rules(
    *, game: GameInfo, values: Mapping[str, Any], actor: str, at: datetime, keeps: bool = False
) -> bool:
    """Set a game's rules from raw values by field name; return whether any is another one.

    What is left out is no rule, or with `keeps` stays as it is.

    The catalogue's version rises with them, so that no unlock that is on its way is weighed by the old ones.

    Raises:
        Invalid: values that can't be, an achievement that the game does not have, a circle.

    """
    clean = _clean(values)
    with transaction.atomic():
        next_version(game)
        before = rules.document(game.id)
        wanted = {**(before if keeps else plausibility.nothing()), **plausibility.stored(clean)}
        _require_references(wanted, definitions.uncached_catalogue(game.id))
        if wanted == before:
            return False
        Plausibility.objects.update_or_create(game_id=game.id, defaults={"document": wanted})
        audit.record(
            studio_id=game.studio_id,
            actor=actor,
            action="plausibility.change",
            kind="game",
            object_id=game.uuid,
            reason="",
            at=at,
            details={
                "changed": {name: [before[name], new] for name, new in wanted.items() if before[name] != new}
            },
        )
    return True


def _clean(values: Mapping[str, Any]) -> dict[str, Any]:
    clean: dict[str, Any] = {}
    errors = []
    for name, value in values.items():
        try:
            clean[name] = plausibility.CLEAN[name](value)
        except ValueError as error:
            errors.append({"pointer": pointer(name), "detail": str(error)})
    if errors:
        raise Invalid("A value of the request can't be.", errors=errors)
    return clean


def _require_references(wanted: Mapping[str, Any], catalogue: GameCatalogue) -> None:
    by_key, pairs = catalogue.by_key, wanted["order"]
    later = {then for _, then in pairs}
    named = [("achievements", key) for key in (*wanted["achievements"], *wanted["paces"])]
    named += [("order", key) for pair in pairs for key in pair]
    for name, key in named:
        if key not in by_key:
            raise Invalid.value(pointer(name), f"The game has no achievement {quoted(key)}.")
        is_weighed = name == "achievements" or key in later
        if is_weighed and by_key[key].type == Type.META:
            raise Invalid.value(
                pointer(name),
                f"{quoted(key)} is a meta achievement: it follows from others, so give the rule to those.",
            )
    _require_steps(wanted["paces"], catalogue)
    before: dict[str, list[str]] = {}
    for first, then in pairs:
        before.setdefault(then, []).append(first)
    if found := goals.circle(before):
        shown = " → ".join(quoted(key) for key in [*found[:5], found[0]])
        raise Invalid.value(
            "/order", f"These come before each other ({shown}), so all would be held back: break the circle."
        )


def _require_steps(keys: Iterable[str], catalogue: GameCatalogue) -> None:
    """Require that achievements count steps of their own, or those of one stat on its way up to a threshold."""
    kinds = stats.aggregations(catalogue.game_id)
    for key in keys:
        definition = catalogue.by_key[key]
        goal = catalogue.goals.get(definition.id)
        if not definition.is_incremental or (goal is not None and not goals.counts_one_stat(goal, kinds)):
            raise Invalid.value(
                "/achievements",
                f"{quoted(key)} has no steps: only an incremental achievement that counts its own, or one stat up to "
                "a threshold, has a pace.",
            )
