"""What social announces."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class FriendRequested:
    """A player asked another to be friends, who is to be told; never of one whom the other blocks.

    Attributes:
        request: the request's id.
        sender, receiver: the players' internal ids.
        seed: random, so that events made from the fact have ids that nobody can guess.

    """

    kind: ClassVar[str] = "friend_requested"
    request: str
    sender: int
    receiver: int
    seed: str


@dataclass(frozen=True)
class FriendAccepted:
    """Two players are friends.

    Attributes:
        request: the id of the request that was accepted, which is gone.
        sender: the internal id of the player who had asked, and is to be told.
        receiver: the internal id of the player who accepted.
        seed: random, as above.

    """

    kind: ClassVar[str] = "friend_accepted"
    request: str
    sender: int
    receiver: int
    seed: str
