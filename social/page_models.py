"""What the players' pages show, as plain values: templates get nothing else and decide nothing."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse

from achievements.selectors.cards import Rarity, Section
from core.curve import Curve


@dataclass(frozen=True, slots=True)
class UnlockRow:
    """One of a player's latest unlocks."""

    game_id: UUID
    game_title: str
    key: str
    name: str
    icon_url: str
    points: int
    unlocked_at: datetime
    rarity: Rarity


@dataclass(frozen=True, slots=True)
class RankRow:
    """A player's place on one board, of a game or of all (None); `score` is what the place was computed from."""

    game_id: UUID | None
    game_title: str
    board: str
    rank: int
    tied: bool
    total_count: int
    score: int


@dataclass(frozen=True, slots=True)
class GameRow:
    """What a player has reached in one game."""

    game_id: UUID
    title: str
    points: int
    unlocked: int
    available: int
    rank: RankRow | None

    @property
    def percent(self) -> float:
        """The share of the game's achievements that is unlocked, 0 to 100."""
        return 100 * self.unlocked / self.available if self.available else 0.0


@dataclass(frozen=True, slots=True)
class Totals:
    """A player's sums over all games."""

    points: int
    unlocked: int
    games: int
    completion_percent: float
    points_this_week: int


@dataclass(frozen=True, slots=True)
class Person:
    """Who a page is about."""

    id: UUID
    display_name: str
    region: str
    avatar_url: str
    is_demo: bool = False

    @property
    def home(self) -> str:
        """The address of this player's own page."""
        return reverse("demo") if self.is_demo else reverse("player", args=[self.id])


@dataclass(frozen=True, slots=True)
class TryIt:
    """A request that unlocks the player's next achievement, for a terminal."""

    url: str
    body: str
    achievement: str


@dataclass(frozen=True, slots=True)
class PlayerPage:
    """A player's own page."""

    person: Person
    totals: Totals
    curve: Curve | None
    unlocks: tuple[UnlockRow, ...]
    ranks: tuple[RankRow, ...]
    games: tuple[GameRow, ...]
    latest_game: GameRow | None
    sections: tuple[Section, ...]
    try_it: TryIt | None

    @property
    def art_seed(self) -> str:
        """Whose scene stands in the hero: the game played last, else the player's own."""
        return str(self.latest_game.game_id if self.latest_game else self.person.id)


@dataclass(frozen=True, slots=True)
class GamePage:
    """One game's achievements as one player stands to them."""

    person: Person
    game: GameRow
    points_available: int
    sections: tuple[Section, ...]
