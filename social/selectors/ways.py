"""What a player is close to: incremental achievements on the way to which something happened lately."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from accounts import selectors as accounts
from achievements.selectors import definitions
from achievements.selectors.definitions import Definition
from core.db import run_prepared

_LOOKED_AT = 24  # more than are asked for: some may be closed, archived or hidden by now


@dataclass(frozen=True, slots=True)
class Way:
    """How far a player is with a locked achievement; `rarity` as achievements tell it."""

    game_id: UUID
    game_title: str
    key: str
    name: str
    description: str
    icon_url: str
    points: int
    current: int
    target: int
    rarity: Any


# What was told last is as good as what is: a way is told of at each quarter, and its state is noted with every step.
_NEAREST = """
SELECT achievement_id, game_id, current, target FROM social_toldprogress
 WHERE player_id = $1 AND current > 0 AND current < target
 ORDER BY current::float8 / target DESC, told_at DESC, achievement_id LIMIT $2
"""


def nearest(player_id: int, *, language: str | None, at: datetime, limit: int) -> list[Way]:
    """Return what a player is nearest to, over all games, in five queries; empty where nothing moved for 30 days.

    What is hidden, archived, or can't be unlocked at the moment is left out.
    """
    found = run_prepared(_NEAREST, [player_id, _LOOKED_AT])
    if not found:
        return []
    defined = definitions.definitions_by_id((row[0] for row in found), translated=language is not None)
    open_now = [row for row in found if (one := defined.get(row[0])) is not None and _is_open(one, at)][
        :limit
    ]
    rarities = definitions.rarities(row[0] for row in open_now)
    games = accounts.games_by_id(row[1] for row in open_now)
    return [
        _way(defined[pk], games[game_id], current, target, rarities[pk], language)
        for pk, game_id, current, target in open_now
        if game_id in games
    ]


def _is_open(one: Definition, at: datetime) -> bool:
    return one.may_be_named and one.is_open(at)


def _way(
    one: Definition,
    game: accounts.GameInfo,
    current: int,
    target: int,
    rarity: object,
    language: str | None,
) -> Way:
    name, description = one.texts(language)
    return Way(
        game.uuid,
        game.title,
        one.key,
        name,
        description,
        one.icon_locked_url or one.icon_url,
        one.points,
        current,
        target,
        rarity,
    )
