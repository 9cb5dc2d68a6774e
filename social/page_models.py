"""What the players' pages show, as plain values: templates get nothing else and decide nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

from django.urls import reverse

from social.curve import Curve

CardState = Literal["unlocked", "progress", "locked", "hidden", "veiled", "flagged"]


@dataclass(frozen=True, slots=True)
class Rarity:
    """How many players hold an achievement; percent and tier are None while it is too new to tell."""

    unlocked_percent: float | None
    players: int
    tier: str | None

    @property
    def css(self) -> str:
        """The class that carries the tier's colour."""
        return f"tier-{self.tier or 'none'}"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a player is on the way to an achievement with steps."""

    current: int
    target: int

    @property
    def percent(self) -> float:
        """The share that is done, 0 to 100."""
        return 100 * min(self.current, self.target) / self.target

    @property
    def to_go(self) -> int:
        """Steps that are left."""
        return max(0, self.target - self.current)


@dataclass(frozen=True, slots=True)
class AchievementCard:
    """One achievement as one player sees it; a hidden one has neither key, texts, icon nor points.

    Nor has one that is `veiled`: whom the page is about has unlocked it, and its reader has not.

    `opens_at` and `closed_at` are set while a locked one can't be unlocked: its window is yet to come, or over.
    """

    state: CardState
    rarity: Rarity
    key: str = ""
    name: str = ""
    description: str = ""
    points: int = 0
    icon_url: str = ""
    unlocked_at: datetime | None = None
    opens_at: datetime | None = None
    closed_at: datetime | None = None
    progress: Progress | None = None


@dataclass(frozen=True, slots=True)
class UnlockRow:
    """One of a player's unlocks; a masked one has neither key, name, icon nor points."""

    game_id: UUID
    game_title: str
    key: str
    name: str
    icon_url: str
    points: int | None
    unlocked_at: datetime
    rarity: Rarity
    masked: bool = False


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
class Section:
    """A titled part of a game's achievements; `total` counts those that are cut off too."""

    title: str
    order: str
    total: int
    cards: tuple[AchievementCard, ...]

    @property
    def left_out(self) -> int:
        """How many are not shown."""
        return self.total - len(self.cards)


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
