"""What is shared of a public player elsewhere, as plain values."""

from dataclasses import dataclass
from uuid import UUID

from social.page_models import RankRow, UnlockRow


@dataclass(frozen=True, slots=True)
class Shared:
    """A player as cards and badges show him.

    Attributes:
        picture: his own in our store, by the name of its file; empty without one, and for one that lies elsewhere.
        rarest: None: nothing of his is rare, or it is too new to tell.

    """

    id: UUID
    name: str
    picture: str
    region: str
    points: int
    unlocked: int
    games: int
    completion_percent: float
    place: RankRow | None
    rarest: UnlockRow | None
