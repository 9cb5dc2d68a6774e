"""What pages of games ask of rooms downstream, by functions that config names (ADR 0012)."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.module_loading import import_string

from accounts.people import Part
from accounts.selectors import PlayerInfo


@dataclass(frozen=True, slots=True)
class GameBoard:
    """One of a game's leaderboards, in its present period, and the reader's place on it.

    Attributes:
        url: its page; empty where there is none.
        period: how long it counts, in words.
        rank: None of nobody in particular, and where the reader is not on it.
        score: the reader's, as people write it.

    """

    key: str
    name: str
    url: str
    period: str
    order: str
    rank: int | None = None
    tied: bool = False
    total_count: int = 0
    score: str = ""

    @property
    def top_percent(self) -> float | None:
        """The share of the board that does not stand before the reader, in percent; None where he is not on it."""
        return None if self.rank is None or not self.total_count else 100 * self.rank / self.total_count


class Month(NamedTuple):
    """What a month brought: an achievement's unlocks, and players who were never in the game before."""

    at: date
    unlocks: int
    new_players: int


def friends(player_id: int) -> Mapping[int, PlayerInfo]:
    """Return a player's friends whom he may see, by internal id, in two queries."""
    found: Mapping[int, PlayerInfo] = _asked("PLAYER_FRIENDS")(player_id)
    return found


def seen(infos: Collection[PlayerInfo], *, by: int | None) -> set[int]:
    """Return which players another one may see, or (None) anybody; in one query at most."""
    found: set[int] = _asked("PLAYERS_SEEN")(infos, by=by, part=Part.GAMES)
    return found


def boards(game_id: int, *, game_uuid: Any, player_id: int | None, at: datetime) -> list[GameBoard]:
    """Return a game's leaderboards, the one of points first, with the place of a player, if there is one."""
    found: list[GameBoard] = _asked("GAME_BOARDS")(game_id, game_uuid=game_uuid, player_id=player_id, at=at)
    return found


def growth(game_id: int, achievement_id: int) -> list[Month]:
    """Return what each month brought in which anything happened, the first one first."""
    return [Month(*row) for row in _asked("ACHIEVEMENT_GROWTH")(game_id, achievement_id)]


@cache
def _asked(setting: str) -> Callable[..., Any]:
    found: Callable[..., Any] = import_string(getattr(settings, setting))
    return found
