"""Players of one game who are friends, as tests of what they see of each other speak of them."""

from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from accounts.models import Game, Player, Studio
from social import befriending
from tests import factories
from tests.factories import Api


@dataclass
class People:
    """A studio, its game, and whoever is named."""

    studio: Studio = field(default_factory=factories.studio)
    game: Game = field(init=False)
    server: Api = field(init=False)
    known: dict[str, Player] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Make the game and the studio's server."""
        self.game = factories.game(self.studio)
        self.server = factories.api(factories.server_key(self.studio))

    def __getitem__(self, name: str) -> Player:
        """Return a player, made if need be; his name begins with a capital."""
        if name not in self.known:
            self.known[name] = factories.player(self.studio, name, display_name=name.title())
        return self.known[name]

    def id(self, name: str) -> str:
        """Return how anybody names a player."""
        return f"id:{self[name].uuid}"

    def api(self, name: str, game: Game | None = None) -> Api:
        """Return a player's own calls."""
        return factories.api(factories.player_token(game or self.game, self[name]))

    def set(self, name: str, **changes: Any) -> None:
        """Change a player."""
        Player.objects.filter(pk=self[name].pk).update(**changes)

    def befriend(self, name: str, *others: str) -> None:
        """Let a player be friends with others."""
        for other in others:
            befriend(self[name], self[other])

    def unlock(self, name: str, key: str, *, game: Game | None = None, at: str | None = None) -> None:
        """Unlock an achievement, now or at a time that the server tells."""
        body = {"game_id": str((game or self.game).uuid), "player": name, "achievement": key}
        answer = self.server.post("/achievements/unlock", body | ({"unlocked_at": at} if at else {}))
        assert answer.status_code == 202, answer.content

    def achievement(self, key: str, **fields: Any) -> None:
        """Make an achievement of 10 points."""
        factories.achievement(self.game, key, **fields)


def befriend(one: Player, other: Player) -> None:
    """Let two players ask each other."""
    for sender, receiver in ((one, other), (other, one)):
        befriending.ask(sender_id=sender.pk, receiver_id=receiver.pk, at=timezone.now())


def rows(answer: Any) -> list[dict[str, Any]]:
    """Return the rows of a page."""
    assert answer.status_code == 200, answer.content
    results: list[dict[str, Any]] = answer.json()["results"]
    return results


def names(answer: Any) -> list[str]:
    """Return who is on a page."""
    return [row["player"]["display_name"] for row in rows(answer)]
