"""A studio's game and its players' values, as tests of stats speak of them."""

from dataclasses import dataclass
from typing import Any

from accounts.models import Game, Player, Studio
from core import facts
from core.ids import new_id
from stats.facts import StatsChanged
from stats.models import Report, StatValue
from tests import factories


@dataclass(frozen=True)
class World:
    """One studio's game, and a log that begins with it."""

    studio: Studio
    game: Game
    key: str

    @classmethod
    def create(cls) -> "World":
        """Make them."""
        factories.forget()
        studio = factories.studio()
        return cls(studio, factories.game(studio), factories.server_key(studio))

    def api(self) -> factories.Api:
        """Return the studio's server."""
        return factories.api(self.key)

    def report(self, player: str = "p-1", /, by: Any = None, **stats: Any) -> Any:
        """Report `{"add": …}` or `{"set": …}` for each stat, each time as a new event."""
        body = {"game_id": str(self.game.uuid), "player": player, "stats": stats, "event_id": str(new_id())}
        return (by or self.api()).post("/stats/report", body)

    def held(self, player: str = "p-1") -> Any:
        """Return what a player holds, as the API shows it."""
        answer = self.api().get(f"/players/{player}/stats?game_id={self.game.uuid}")
        assert answer.status_code == 200, answer.content
        return answer.json()


def heard() -> list[StatsChanged]:
    """Return what was published of values, in order."""
    return [
        StatsChanged(**fact.payload)
        for fact in facts.read_after(0, 0, kinds={StatsChanged.kind})
        if fact.kind == StatsChanged.kind
    ]


def refuses(answer: Any, status: int, slug: str, pointer: str | None = None) -> None:
    """Check that a whole request was refused, and that nobody holds anything."""
    assert answer.status_code == status, answer.content
    assert answer.json()["type"].endswith(f"/problems/{slug}")
    if pointer is not None:
        assert pointer in [error["pointer"] for error in answer.json()["errors"]], answer.content
    nothing_is_held()


def nothing_is_held() -> None:
    """Check that no report left anything."""
    assert not StatValue.objects.exists()
    assert not Report.objects.exists()
    assert not heard()


def nobody_was_made() -> None:
    """Check that no player was created."""
    assert not Player.objects.exists()
