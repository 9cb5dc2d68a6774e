"""A studio with a game of everything and a player who did something of it, and who looks after him."""

from dataclasses import dataclass, field
from typing import Any

from accounts import selectors
from accounts.models import Player
from accounts.selectors import GameInfo, PlayerInfo
from core.models import AuditEntry
from tests import factories
from tests.accounts import joins
from tests.accounts.members import House


@dataclass
class Desk:
    """Where players are looked after; `p-1` is one of them, and `house` has the people of the studio."""

    house: House = field(default_factory=House)
    game: GameInfo = field(init=False)
    player: Player = field(init=False)

    def __post_init__(self) -> None:
        """Declare the game and name the player."""
        self.game = joins.declare(self.house.studio)
        self.player = factories.player(self.house.studio, "p-1", display_name="marenok", region="EU")

    @property
    def info(self) -> PlayerInfo:
        """The player as services take him, as he is now."""
        found = selectors.player_of_studio(self.house.studio.pk, "p-1")
        assert found is not None
        return found

    def path(self, rest: str = "") -> str:
        """Return an address below the player's."""
        return f"players/{self.player.uuid}{rest}"

    def act_path(self, act: str) -> str:
        """Return an address of an act in the game."""
        return self.path(f"/games/{self.game.uuid}/{act}")

    def see(self, rest: str = "", *, by: str = "support") -> Any:
        """Look at a page of the player, which must be there."""
        answer = self.house.get(self.path(rest), by=by)
        assert answer.status_code == 200, answer.content
        return answer

    def unlock(self, *keys: str, player: str = "p-1") -> None:
        """Unlock as the game does."""
        for key in keys:
            joins.unlock(self.game, player, key)

    def audited(self) -> list[tuple[str, str, str]]:
        """Return what was done in the studio, by whom and why, oldest first."""
        rows = AuditEntry.objects.filter(studio_id=self.house.studio.pk).order_by("id")
        return list(rows.values_list("action", "actor", "reason"))
