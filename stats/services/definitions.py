"""Every write of what studios declare of their stats."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from accounts.selectors import GameInfo
from core.refusals import Conflict, Invalid, NotFound
from core.texts import quoted
from stats import locking
from stats.models import Stat, StatValue
from stats.rules import definitions as rules
from stats.selectors import definitions
from stats.selectors.definitions import StatInfo

MOST_STATS = 500  # a game


def create(*, game: GameInfo, values: Mapping[str, Any], at: datetime) -> StatInfo:
    """Create a stat from raw values by field name (`key` and `name` at least).

    Raises:
        Invalid: values that can't be, or that contradict each other.
        Conflict: the key is taken, or the game has as many stats as it may.

    """
    errors: list[dict[str, str]] = []
    key = _clean_key(values.get("key"), errors)
    clean = _clean({name: value for name, value in values.items() if name != "key"}, errors)
    if "name" not in values:
        errors.append({"pointer": "/name", "detail": "A new stat needs a name."})
    stat = {**rules.DEFAULTS, **clean}
    _require_none(errors or rules.contradictions(stat))
    with transaction.atomic():
        _lock(game)
        _require_free(game, key)
        row = Stat.objects.create(studio_id=game.studio_id, game_id=game.id, key=key, **_columns(stat, at=at))
    definitions.forget()
    return definitions.info_of(row)


def update(*, game: GameInfo, key: str, values: Mapping[str, Any], at: datetime) -> StatInfo:
    """Change fields of a stat; what is left out stays, and so do values that new guards would refuse.

    Raises:
        NotFound: the game has no such stat.
        Invalid: values that can't be, or that contradict each other or what is stored.
        Conflict: how values are made can't change while somebody has one.

    """
    errors: list[dict[str, str]] = []
    clean = _clean(values, errors)
    _require_none(errors)
    with transaction.atomic():
        row = _locked(game, key)
        before = as_values(definitions.info_of(row))
        stat = {**before, **clean}
        _require_none(rules.contradictions(stat))
        changed = {name for name, value in clean.items() if before[name] != value}
        if changed:
            locking.take_alone(game.id)
            _require_changeable(row, changed)
            for name, value in _columns(stat, at=row.archived_at or at).items():
                setattr(row, name, value)
            row.version += 1
            row.save()
    definitions.forget()
    return definitions.info_of(row)


def delete(*, game: GameInfo, key: str) -> None:
    """Delete a stat that nobody has a value of.

    Raises:
        NotFound: the game has no such stat.
        Conflict: there are values.

    """
    with transaction.atomic():
        row = _locked(game, key)
        locking.take_alone(game.id)  # reports on their way are waited for; later ones find it gone
        if has_values(row.pk):
            raise Conflict(
                "Players have values of this stat: send PATCH with `archived` set to true instead."
            )
        row.delete()
    definitions.forget()


def has_values(stat_id: int) -> bool:
    """Say whether anybody has a value of a stat."""
    return StatValue.objects.filter(stat_id=stat_id).exists()


def as_values(info: StatInfo) -> dict[str, Any]:
    """Return a stat by field name, as rules have it."""
    return {
        "name": info.name,
        "aggregation": info.rule.aggregation,
        "min": info.rule.lowest,
        "max": info.rule.highest,
        "max_delta": info.rule.max_delta,
        "increment_only": info.rule.increment_only,
        "authority": info.authority,
        "default": info.rule.start,
        "archived": info.archived,
    }


def _columns(stat: Mapping[str, Any], *, at: datetime) -> dict[str, Any]:
    """Return a stat's clean values as they are stored; `at` is when it is archived, if it is."""
    columns = {name: value for name, value in stat.items() if name != "archived"}
    return {**columns, "archived_at": at if stat["archived"] else None}


def _clean_key(value: object, errors: list[dict[str, str]]) -> str:
    try:
        return rules.clean_key(value)
    except ValueError as error:
        errors.append({"pointer": "/key", "detail": str(error)})
        return ""


def _clean(values: Mapping[str, Any], errors: list[dict[str, str]]) -> dict[str, Any]:
    clean: dict[str, Any] = {}
    for name, value in values.items():
        try:
            clean[name] = rules.CLEAN[name](value)
        except ValueError as error:
            errors.append({"pointer": f"/{name}", "detail": str(error)})
    return clean


def _require_none(errors: list[dict[str, str]]) -> None:
    if errors:
        raise Invalid("A value of the request can't be.", errors=errors)


def _require_changeable(row: Stat, changed: set[str]) -> None:
    fixed = sorted(changed.intersection(rules.FIXED_BY_VALUES))
    if fixed and has_values(row.pk):
        detail = f"Players have values of this stat, and {', '.join(fixed)} can't change under them: make another stat."
        raise Conflict(detail, errors=[{"pointer": f"/{name}", "detail": detail} for name in fixed])


def _lock(game: GameInfo) -> None:
    """Make creations of stats of one game wait for each other until commit."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT FROM accounts_game WHERE id = %s FOR NO KEY UPDATE", [game.id])


def _require_free(game: GameInfo, key: str) -> None:
    taken = list(Stat.objects.filter(game_id=game.id).values_list("key", flat=True))
    same = next((other for other in taken if rules.folded(other) == rules.folded(key)), None)
    if same == key:
        raise Conflict(f"The game has a stat with the key {quoted(key)} already.")
    if same is not None:
        raise Conflict(
            f"The key {quoted(key)} would be taken for {quoted(same)}: give one that differs more."
        )
    if len(taken) >= MOST_STATS:
        raise Conflict(f"A game has at most {MOST_STATS} stats.")


def _locked(game: GameInfo, key: str) -> Stat:
    # Its key stays free: somebody's first value refers to the stat while it is waited for.
    row = Stat.objects.select_for_update(no_key=True).filter(game_id=game.id, key=key).first()
    if row is None:
        raise NotFound("The game has no such stat.")
    return row
