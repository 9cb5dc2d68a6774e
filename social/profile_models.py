"""What profiles, comparisons and the page of friends show, as plain values."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from achievements.selectors.cards import address_by_key
from core.curve import Curve
from social.page_models import GameRow, Person, RankRow, Totals, UnlockRow

Standing = Literal["self", "nobody", "stranger", "friend", "sent", "received", "blocks"]
"""What the player of a page is to its reader; `nobody`: the reader is not signed in; `blocks`: he blocks the player."""


@dataclass(frozen=True, slots=True)
class Seen:
    """Whether a friend is there, when he was seen last, and what he plays."""

    is_online: bool
    last_seen_at: datetime | None
    game_id: UUID | None
    game_title: str


@dataclass(frozen=True, slots=True)
class Played:
    """What a player has in his games.

    Attributes:
        unlocks: the latest ones; None: who reads this may not know when he unlocks what.
        games: those with the most points first; `games_count` counts those that are left out too.

    """

    totals: Totals
    place: RankRow | None
    curve: Curve | None
    unlocks: tuple[UnlockRow, ...] | None
    rarest: tuple[UnlockRow, ...]
    games: tuple[GameRow, ...]
    games_count: int


@dataclass(frozen=True, slots=True)
class Profile:
    """A player as others see him.

    Attributes:
        is_public: anybody may see him; then there are a card, a badge and a feed to share.
        played: None: who reads this may not see his games.
        common: friends of both player and reader; `common_count` counts those that are left out too.

    """

    person: Person
    is_public: bool
    standing: Standing
    seen: Seen | None
    played: Played | None
    friend_count: int
    common: tuple[Person, ...]
    common_count: int

    @property
    def art_seed(self) -> str:
        """Whose scene stands in the hero: the game with the most points, else the player's own."""
        games = self.played.games if self.played else ()
        return str(games[0].game_id if games else self.person.id)

    @property
    def description(self) -> str:
        """What is said of the player where a link to him is shown."""
        if self.played is None:
            return "A player on Laurel."
        totals, place = self.played.totals, self.played.place
        if not totals.unlocked:
            return "No achievements yet."
        parts = [f"{totals.points:,} points", f"{totals.unlocked:,} achievements"]
        if place:
            parts.append(f"{'tied at ' if place.tied else ''}#{place.rank:,} of {place.total_count:,}")
        return ", ".join(parts) + "."


@dataclass(frozen=True, slots=True)
class FriendRow:
    """A friend; of one who is private only the name is shown, and `points` is None."""

    person: Person
    is_private: bool
    seen: Seen | None
    points: int | None
    last_unlock_at: datetime | None


@dataclass(frozen=True, slots=True)
class PersonRow:
    """Somebody who asks, was asked, is blocked, or was found by a name; `is_seen`: his profile is there."""

    person: Person
    standing: Standing
    at: datetime | None = None
    is_seen: bool = True


@dataclass(frozen=True, slots=True)
class NewsRow:
    """An unlock of a friend; a masked one has neither key, name, icon, points nor address."""

    person: Person
    game_id: UUID
    game_title: str
    key: str
    name: str
    icon_url: str
    points: int | None
    unlocked_at: datetime

    @property
    def masked(self) -> bool:
        """Whether it is hidden from the reader."""
        return not self.key

    @property
    def url(self) -> str:
        """The achievement's page; empty for a masked one."""
        return address_by_key(self.game_id, self.key) if self.key else ""


@dataclass(frozen=True, slots=True)
class Cut:
    """A part of a list, and the cursor of what follows; None at the end."""

    rows: tuple[Any, ...]
    next_cursor: str | None
