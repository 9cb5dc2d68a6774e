"""A small game whose figures are reckoned by hand."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from accounts.models import Game, Studio
from analytics.services import counting, distributions
from core import followers
from tests import factories

BEGIN = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FIRST, LAST = date(2026, 3, 2), date(2026, 3, 8)


@dataclass(frozen=True)
class World:
    """A studio's game with four players: one comes back after a day and after ten, two never, one after a month."""

    studio: Studio
    game: Game
    key: str

    @classmethod
    def create(cls) -> "World":
        """Make it, and let it be counted."""
        factories.forget()
        studio = factories.studio()
        made = factories.game(studio)
        for n, (key, points) in enumerate({"a": 10, "b": 20, "c": 40}.items()):
            factories.achievement(made, key, points=points, sort_order=n)
        world = cls(studio, made, factories.server_key(studio))
        for player, region in (("p-1", "EU"), ("p-2", "NA"), ("p-3", "EU"), ("p-4", "")):
            factories.player(studio, player, region=region)
        world.unlock("p-1", "a", BEGIN)
        world.unlock("p-1", "b", BEGIN + DAY)
        world.unlock("p-1", "c", BEGIN + 10 * DAY)
        world.unlock("p-2", "b", BEGIN)
        world.unlock("p-2", "a", BEGIN + 31 * DAY)
        world.unlock("p-3", "a", BEGIN + DAY)
        world.unlock("p-3", "b", BEGIN + DAY + timedelta(seconds=100))
        world.unlock("p-4", "a", BEGIN + 2 * DAY)
        world.count()
        return world

    def api(self) -> factories.Api:
        """Return the studio's server."""
        return factories.api(self.key)

    def unlock(self, player: str, key: str, at: datetime) -> None:
        """Let a player unlock."""
        body = {
            "game_id": str(self.game.uuid),
            "player": player,
            "achievement": key,
            "unlocked_at": at.isoformat(),
        }
        answer = self.api().post("/achievements/unlock", body)
        assert answer.status_code == 202, answer.content

    def count(self) -> None:
        """Let everything be counted that happened."""
        followers.drain("achievements")
        followers.drain(counting.FOLLOWER)
        distributions.keep(self.game.pk)

    def path(self, name: str) -> str:
        """Return an address of the game's analytics below /api/v1."""
        return f"/games/{self.game.uuid}/analytics/{name}"


def words(html: str) -> str:
    """Return a page's text, with single spaces."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))
