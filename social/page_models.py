"""What the players' pages show, as plain values: templates get nothing else and decide nothing."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.urls import reverse

from achievements.selectors.cards import Rarity, Section


@dataclass(frozen=True, slots=True)
class UnlockRow:
    """One of a player's unlocks; a masked one has neither key, name, icon, points nor address.

    Attributes:
        url: the achievement's page; empty where the reader finds none.
        name_language: what the name was translated to (BCP 47); empty for the studio's own.

    """

    game_id: UUID
    game_title: str
    key: str
    name: str
    icon_url: str
    points: int | None
    unlocked_at: datetime
    rarity: Rarity
    masked: bool = False
    url: str = ""
    name_language: str = ""


@dataclass(frozen=True, slots=True)
class RankRow:
    """A player's place on one board, of a game or of all (None); `score` is what the place was computed from.

    Attributes:
        score: points; None on boards of scores.
        key: the board's, by which its page is found.
        rose: by how many places since what the page names, fell: negative; None where nothing is known.
        is_new: whether he was not on the board then.

    """

    game_id: UUID | None
    game_title: str
    board: str
    rank: int
    tied: bool
    total_count: int
    score: int | None
    key: str = "points"
    rose: int | None = None
    is_new: bool = False


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
class GamePage:
    """One game's achievements as one player stands to them."""

    person: Person
    game: GameRow
    points_available: int
    sections: tuple[Section, ...]
