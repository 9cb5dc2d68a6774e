"""What a game's achievements lack, by the rules of achievements/linting and the stores that the game goes to."""

from collections.abc import Sequence
from datetime import datetime

from accounts.selectors import GameInfo
from achievements import linting
from achievements.linting import Entry, Finding
from achievements.models import Catalogue, State
from achievements.selectors import definitions, icons
from achievements.selectors.definitions import Definition
from achievements.selectors.icons import Contrast


def findings(game: GameInfo, *, stores: Sequence[str], at: datetime) -> list[Finding]:
    """Return what is to be seen to, what weighs most first."""
    everything = list(definitions.fresh_catalogue(game.id).by_key.values())
    shown = [one for one in everything if one.state != State.ARCHIVED]
    rarities = definitions.rarities([one.id for one in shown])
    contrasts = icons.contrasts(game, shown)
    entries = [_entry(one, rarities[one.id].unlocked_percent, contrasts.get(one.key)) for one in shown]
    gone = [one.key for one in everything if one.state == State.ARCHIVED]
    return linting.lint(entries, gone=gone, for_stores=stores, at=at)


def stores_of(game_id: int) -> tuple[str, ...]:
    """Return the stores that a game goes to, all of them until somebody said so."""
    row = Catalogue.objects.filter(game_id=game_id).values_list("stores", flat=True).first()
    return tuple(linting.STORES) if row is None else tuple(store for store in linting.STORES if store in row)


def _entry(definition: Definition, percent: float | None, contrast: Contrast | None) -> Entry:
    return Entry(
        key=definition.key,
        name=definition.name,
        description=definition.description,
        points=definition.points,
        type=definition.type,
        target=definition.target,
        state=definition.state,
        hidden=definition.hidden,
        group=definition.group,
        requires=definition.requires,
        requires_count=definition.requires_count,
        available_from=definition.available_from,
        available_until=definition.available_until,
        translations=definition.translations,
        icon=definition.icon_url,
        poor_on=contrast.poor_on if contrast else "",
        unlocked_percent=percent if definition.is_published else None,
    )
