"""How far a new studio has come on its way to the first unlock."""

from dataclasses import dataclass
from typing import Literal

from accounts import selectors as accounts
from accounts.selectors import GameInfo, KeyInfo
from achievements.selectors import definitions, unlocks
from achievements.selectors.definitions import Definition

Step = Literal["game", "achievement", "key", "request", "done"]
STEPS: tuple[Step, ...] = ("game", "achievement", "key", "request")
FIRST_PLAYER = "test-1"


@dataclass(frozen=True, slots=True)
class Beginning:
    """The way to a game's first unlock.

    Attributes:
        step: what is to be done now; `done` when the game has an unlock.
        achievement: what the request unlocks, once there is one that may be.
        key: a key that may send it.

    """

    game: GameInfo | None
    step: Step
    achievement: Definition | None
    key: KeyInfo | None

    @property
    def done(self) -> int:
        """How many steps are done."""
        return len(STEPS) if self.step == "done" else STEPS.index(self.step)


def beginning(studio_id: int, game: GameInfo | None) -> Beginning:
    """Return how far a studio has come with a game."""
    if game is None:
        return Beginning(None, "game", None, None)
    key = next(
        (
            one
            for one in accounts.keys_of(studio_id)
            if one.is_active and one.game_id in (None, game.id) and "unlocks:write" in one.scopes
        ),
        None,
    )
    published = [one for one in definitions.fresh_catalogue(game.id).by_key.values() if one.is_published]
    by_request = [one for one in published if one.type == "standard" and one.authority != "client"]
    achievement = min(by_request, key=lambda one: (one.sort_order, one.id), default=None)
    if unlocks.any_in(game.id):
        return Beginning(game, "done", achievement, key)
    if achievement is None:
        return Beginning(game, "achievement", None, key)
    return Beginning(game, "request" if key else "key", achievement, key)
