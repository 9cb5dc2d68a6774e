"""What accounts announces."""

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class PlayersChanged:
    """Players were named for the first time or changed.

    Attributes:
        players: `[player_id, region]` each, as of this fact.
        created: they are new to the fact's studio.

    """

    kind: ClassVar[str] = "players_changed"
    players: list[list[int | str]]
    created: bool = False


@dataclass(frozen=True)
class PlayersExcluded:
    """The fact's studio took players off all of its boards, or back.

    Attributes:
        players: `[player_id, is excluded]` each, as of this fact.

    """

    kind: ClassVar[str] = "players_excluded"
    players: list[list[int | bool]]


@dataclass(frozen=True)
class PlayersBanned:
    """The fact's studio banned players from all of its games, or let them back.

    Attributes:
        players: `[player_id, is banned]` each, as of this fact.

    """

    kind: ClassVar[str] = "players_banned"
    players: list[list[int | bool]]


@dataclass(frozen=True)
class IdsMoved:
    """Ids by which the fact's studio names a player name another one, who was found to be the same person.

    Attributes:
        gone: the UUID of who is gone.
        player: the internal id of whom they name now.
        ids: the studio's ids.

    """

    kind: ClassVar[str] = "ids_moved"
    gone: str
    player: int
    ids: list[str]


@dataclass(frozen=True)
class PlayersJoined:
    """Players were found to be other ones: what they had is those others', and their ids name those.

    Facts about who is gone may stand behind this one. Whoever reads about somebody asks `selectors.joined_players`.

    Attributes:
        players: `[player_id who is gone, player_id whom he is]` each.

    """

    kind: ClassVar[str] = "players_joined"
    players: list[list[int]]


@dataclass(frozen=True)
class PlayersErased:
    """The fact's studio erased players: what it knew of them is gone.

    Facts about them may stand behind this one. Whoever reads about somebody asks `selectors.without_erased`.

    Attributes:
        players: `[player_id, is whole]` each; whole: no studio has him any more.

    """

    kind: ClassVar[str] = "players_erased"
    players: list[list[int | bool]]
