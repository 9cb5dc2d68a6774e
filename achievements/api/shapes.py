"""Definitions as the API writes and documents them."""

from typing import Any

from rest_framework import serializers

from achievements import rules
from achievements.rules import Rarity
from achievements.selectors.definitions import Definition
from core import texts
from core.clock import rfc3339
from core.refusals import Malformed, pointer

EXAMPLE = {
    "key": "first-blood",
    "name": "First blood",
    "description": "Win a duel.",
    "points": 10,
    "type": "standard",
    "target": None,
    "stat": None,
    "goal": None,
    "requires": [],
    "requires_count": None,
    "hidden": False,
    "authority": "server",
    "state": "published",
    "group": "base",
    "sort_order": 0,
    "icon_url": "",
    "icon_locked_url": "",
    "available_from": None,
    "available_until": None,
    "translations": {"fr": {"name": "Premier sang", "description": "Gagnez un duel."}},
    "rarity": {"unlocked_percent": 12.3, "unlocked": 123, "players": 1000, "tier": "rare"},
}


class RarityOutput(serializers.Serializer[Any]):
    """How many of a game's players have it; percent and tier are null under 20 players.

    Who has played counts, unless the studio bans or excludes him.
    """

    unlocked_percent = serializers.FloatField(allow_null=True)
    unlocked = serializers.IntegerField()
    players = serializers.IntegerField()
    tier = serializers.ChoiceField(["common", "uncommon", "rare", "epic", "legendary"], allow_null=True)


class Translation(serializers.Serializer[Any]):
    """What a definition is called in one language."""

    name = serializers.CharField(max_length=texts.NAME_LENGTH, required=False)
    description = serializers.CharField(max_length=rules.DESCRIPTION_LENGTH, required=False)


class DefinitionChange(serializers.Serializer[Any]):
    """A definition's fields, as documented; the rules of achievements/rules.py read them."""

    name = serializers.CharField(max_length=texts.NAME_LENGTH, required=False)
    description = serializers.CharField(max_length=rules.DESCRIPTION_LENGTH, required=False)
    points = serializers.IntegerField(min_value=0, max_value=rules.MAX_POINTS, required=False)
    type = serializers.ChoiceField(rules.TYPES, required=False, help_text="Default: standard.")
    target = serializers.IntegerField(
        min_value=1, required=False, allow_null=True, help_text="Incremental ones only."
    )
    stat = serializers.CharField(required=False, allow_null=True, help_text="The stat that drives it.")
    requires = serializers.ListField(
        child=serializers.CharField(), required=False, help_text="Meta ones only."
    )
    requires_count = serializers.IntegerField(
        min_value=1, required=False, allow_null=True, help_text="How many of them; null: all."
    )
    goal = serializers.DictField(
        required=False,
        allow_null=True,
        help_text='Incremental ones only: `{"stat": key, "at_least": n}` (or `at_most`), `{"sum": {key: factor},'
        ' "at_least": n}`, `{"all": […]}`, `{"any": […]}`.',
    )
    hidden = serializers.BooleanField(required=False)
    authority = serializers.ChoiceField(rules.AUTHORITIES, required=False, help_text="Default: server.")
    state = serializers.ChoiceField(rules.STATES, required=False, help_text="Default: published.")
    group = serializers.CharField(max_length=rules.GROUP_LENGTH, required=False)
    sort_order = serializers.IntegerField(required=False)
    icon_url = serializers.CharField(required=False)
    icon_locked_url = serializers.CharField(required=False)
    available_from = serializers.DateTimeField(required=False, allow_null=True)
    available_until = serializers.DateTimeField(required=False, allow_null=True)
    translations = serializers.DictField(
        child=Translation(),
        required=False,
        help_text="By languages' tags (BCP 47), as `fr`; PATCH replaces all of them.",
    )


class DefinitionInput(DefinitionChange):
    """A new definition."""

    key = serializers.CharField(max_length=texts.KEY_LENGTH)
    name = serializers.CharField(max_length=texts.NAME_LENGTH)


class DefinitionOutput(DefinitionInput):
    """A definition."""

    rarity = RarityOutput()


class DefinitionPage(serializers.Serializer[Any]):
    """A page of definitions."""

    results = DefinitionOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_next_page = serializers.BooleanField()
    total_count = serializers.IntegerField()


def read_fields(body: Any, *, new: bool) -> dict[str, Any]:
    """Return a body's fields. Raises Malformed for another shape or an unknown name."""
    if not isinstance(body, dict):
        raise Malformed("An object is expected.")
    known = {*rules.CLEAN, "key"} if new else set(rules.CLEAN)
    unknown = [name for name in body if name not in known]
    if unknown:
        raise Malformed.names(unknown, known=known)
    _check_translations(body.get("translations"))
    return body


def _check_translations(languages: Any) -> None:
    """Refuse names that no translation has; what else is wrong with them is the rules' to say. Raises Malformed."""
    for code, said in languages.items() if isinstance(languages, dict) else ():
        unknown = [name for name in said if name not in rules.TRANSLATED] if isinstance(said, dict) else []
        if unknown:
            raise Malformed.names(unknown, known=rules.TRANSLATED, within=pointer("translations", code))


def definition_json(definition: Definition, rarity: Rarity) -> dict[str, Any]:
    """Return a definition in the API's shape."""
    return {
        "key": definition.key,
        "name": definition.name,
        "description": definition.description,
        "points": definition.points,
        "type": definition.type,
        "target": definition.target,
        "stat": definition.stat,
        "goal": definition.goal,
        "requires": list(definition.requires),
        "requires_count": definition.requires_count,
        "hidden": definition.hidden,
        "authority": definition.authority,
        "state": definition.state,
        "group": definition.group,
        "sort_order": definition.sort_order,
        "icon_url": definition.icon_url,
        "icon_locked_url": definition.icon_locked_url,
        "available_from": definition.available_from and rfc3339(definition.available_from),
        "available_until": definition.available_until and rfc3339(definition.available_until),
        "translations": {
            language: {"name": name, "description": description}
            for language, (name, description) in definition.translations.items()
        },
        "rarity": rarity,
    }
