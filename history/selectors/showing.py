"""Who looks at a player's history, and unlocks as it shows them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from accounts import selectors as accounts
from accounts.selectors import GameInfo
from achievements.selectors import definitions
from achievements.selectors.definitions import Definition
from achievements.selectors.unlocks import HeldUnlock
from core.clock import rfc3339


@dataclass(frozen=True, slots=True)
class Audience:
    """Who looks: a player sees all of his games, a studio its own, a key of one game that one.

    Attributes:
        studio_id: whose ids of players are shown; None to the player himself.
        game_id: the only game that is shown; None for all that are the audience's.

    """

    studio_id: int | None = None
    game_id: int | None = None

    def game_ids(self) -> list[int] | None:
        """Return the games that are shown, None for all; one query for a studio."""
        if self.game_id is not None:
            return [self.game_id]
        return None if self.studio_id is None else accounts.game_ids_of(self.studio_id)

    def sees(self, game: GameInfo) -> bool:
        """Say whether a game is shown."""
        return self.studio_id in (None, game.studio_id) and self.game_id in (None, game.id)


def unlocks(
    held: Iterable[HeldUnlock], games: Mapping[int, GameInfo], *, language: str | None = None
) -> dict[int, dict[str, Any]]:
    """Return unlocks as the API shows them by achievement, in three queries; without those of which it is gone."""
    listed = list(held)
    found = definitions.definitions_by_id(one.achievement_id for one in listed)
    rarities = definitions.rarities(found)
    return {
        one.achievement_id: _unlock(
            one, games[one.game_id], found[one.achievement_id], rarities[one.achievement_id], language
        )
        for one in listed
        if one.achievement_id in found and one.game_id in games
    }


def _unlock(
    held: HeldUnlock, game: GameInfo, definition: Definition, rarity: object, language: str | None
) -> dict[str, Any]:
    name, description = definition.texts(language)
    return {
        "game_id": str(game.uuid),
        "game": game.title,
        "key": definition.key,
        "name": name,
        "description": description,
        "icon_url": definition.icon_url,
        "points": held.points,
        "unlocked_at": rfc3339(held.unlocked_at),
        "rarity": rarity,
    }
