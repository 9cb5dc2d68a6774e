"""What notifications mean to their player, in words, and where each leads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.urls import NoReverseMatch, reverse

from core import spoken
from social.events import (
    ACHIEVEMENT_PROGRESS,
    ACHIEVEMENT_REVOKED,
    ACHIEVEMENT_UNLOCKED,
    FRIEND_ACCEPTED,
    FRIEND_REQUEST,
    FRIEND_UNLOCKED,
    LEADERBOARD_UPDATED,
    REPORT_ANSWERED,
)
from social.selectors import NotificationInfo

_LONGEST_ANSWER = 160


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of news: what a filter calls it, what it is, and its icon."""

    key: str
    label: str
    words: str
    icon: str


KINDS: Final = {
    kind.key: kind
    for kind in (
        Kind(ACHIEVEMENT_UNLOCKED, "Unlocks", "You unlocked an achievement.", "trophy"),
        Kind(ACHIEVEMENT_PROGRESS, "Progress", "You came nearer to an achievement.", "gauge"),
        Kind(LEADERBOARD_UPDATED, "Ranks", "Your place on a leaderboard changed.", "list-details"),
        Kind(FRIEND_UNLOCKED, "Friends’ unlocks", "A friend unlocked something.", "users"),
        Kind(FRIEND_REQUEST, "Requests", "Somebody asks to be your friend.", "user-plus"),
        Kind(FRIEND_ACCEPTED, "New friends", "Somebody took you as a friend.", "check"),
        Kind(REPORT_ANSWERED, "Answers", "A studio answered your report.", "message-circle"),
        Kind(ACHIEVEMENT_REVOKED, "Taken back", "An unlock was taken back.", "history"),
    )
}


@dataclass(frozen=True, slots=True)
class Item:
    """One thing in an inbox, in words; `url` is empty where it leads nowhere."""

    uuid: UUID
    icon: str
    title: str
    text: str
    url: str
    at: datetime
    is_new: bool


@dataclass(frozen=True, slots=True)
class Names:
    """What games and boards are called that notifications name by their ids only.

    Attributes:
        achievements: those that are translated into the reader's language, by game and key.

    """

    titles: Mapping[int, str] = field(default_factory=dict)
    boards: Mapping[tuple[int, str], str] = field(default_factory=dict)
    achievements: Mapping[tuple[UUID, str], str] = field(default_factory=dict)


def item(told: NotificationInfo, *, names: Names) -> Item:
    """Return a notification in words; names in them are isolated, whichever way they are written (UAX #9)."""
    title, text, url = _WORDS[told.kind](told, names)
    kind = KINDS[told.kind]
    return Item(told.uuid, kind.icon, title, text, url, told.created_at, told.read_at is None)


def _unlocked(told: NotificationInfo, names: Names) -> tuple[str, str, str]:
    data = told.data
    points, total = _points(data["points"]), spoken.whole(data["totals"]["points"])
    text = f"{_game(told, names)} · {points}, {total} in this game by now"
    return f"{_named(told, names)} unlocked", text, _achievement(data)


def _revoked(told: NotificationInfo, names: Names) -> tuple[str, str, str]:
    data = told.data
    text = f"{_game(told, names)} · It does not count any more, nor do its {_points(data['points'])}."
    return f"{_named(told, names)} was taken back", text, _achievement(data)


def _progress(told: NotificationInfo, names: Names) -> tuple[str, str, str]:
    data, way = told.data, told.data["progress"]
    left = spoken.whole(max(0, way["target"] - way["current"]))
    text = f"{_game(told, names)} · {spoken.whole(way['current'])} of {spoken.whole(way['target'])}"
    return f"{left} to go: {_named(told, names)}", text, _achievement(data)


def _ranked(told: NotificationInfo, names: Names) -> tuple[str, str, str]:
    data = told.data
    key, rank, before = data["board"], data["rank"], data["previous_rank"]
    name = "Points" if key == "points" else names.boards.get((told.game_id or 0, key), key)
    if rank is None:
        title, moved = f"You are on {_own(name)} no more", ""
    else:
        title = f"You are number {spoken.whole(rank)} on {_own(name)}"
        moved = "new on the board" if before is None else _moved(rank, before)
    text = " · ".join(filter(None, (_game(told, names), moved)))
    return title, text, _address("board-page", data["game_id"], key)


def _moved(rank: int, before: int) -> str:
    if rank == before:
        return "as before"
    return f"{'up' if rank < before else 'down'} from {spoken.whole(before)}"


def _request(told: NotificationInfo, names: Names) -> tuple[str, str, str]:
    title = f"{_player(told.data)} asks to be your friend"
    return title, "Accept or decline it under Friends.", _address("friends")


def _accepted(told: NotificationInfo, names: Names) -> tuple[str, str, str]:
    who = told.data["player"]["id"]
    return (
        f"{_player(told.data)} is your friend now",
        "You see each other’s unlocks.",
        _address("player", who),
    )


def _friend_unlocked(told: NotificationInfo, names: Names) -> tuple[str, str, str]:
    data, more = told.data, told.data["count"] - 1
    what = _named(told, names) if data["achievement"]["name"] else "a hidden achievement"
    text = _game(told, names) + (f" · and {spoken.whole(more)} more" if more > 0 else "")
    return f"{_player(data)} unlocked {what}", text, _address("player", data["player"]["id"])


def _answered(told: NotificationInfo, names: Names) -> tuple[str, str, str]:
    data = told.data
    answer = data["answer"]
    short = answer if len(answer) <= _LONGEST_ANSWER else f"{answer[:_LONGEST_ANSWER].rstrip()}…"
    title = f"Your report on {_named(told, names)} was answered"
    address = _address("achievement-page", data["game_id"], data["achievement"]["key"])
    return title, f"{_game(told, names)} · {_own(short)}", address


_WORDS: Final[Mapping[str, Callable[[NotificationInfo, Names], tuple[str, str, str]]]] = {
    ACHIEVEMENT_UNLOCKED: _unlocked,
    ACHIEVEMENT_REVOKED: _revoked,
    ACHIEVEMENT_PROGRESS: _progress,
    LEADERBOARD_UPDATED: _ranked,
    FRIEND_REQUEST: _request,
    FRIEND_ACCEPTED: _accepted,
    FRIEND_UNLOCKED: _friend_unlocked,
    REPORT_ANSWERED: _answered,
}


def _own(name: str) -> str:
    """Return a name so that its direction does not turn what stands around it."""
    return f"\u2068{name}\u2069"


def _named(told: NotificationInfo, names: Names) -> str:
    """Return an achievement's name in the reader's language; where there is none, as it was told."""
    name: str = told.data["achievement"]["name"]
    return _own(names.achievements.get(place(told), name))


def place(told: NotificationInfo) -> tuple[UUID, str]:
    """Return the game and the key of the achievement that a notification is about."""
    return UUID(told.data["game_id"]), told.data["achievement"]["key"]


def _game(told: NotificationInfo, names: Names) -> str:
    title = told.data.get("game", {}).get("title") or names.titles.get(told.game_id or 0, "")
    return _own(title)


def _player(data: Mapping[str, Any]) -> str:
    return _own(data["player"].get("display_name") or spoken.NAMELESS)


def _points(points: int) -> str:
    return f"{spoken.whole(points)} point{'' if points == 1 else 's'}"


def _achievement(data: Mapping[str, Any]) -> str:
    game = data["game_id"]
    return _address("achievement-page", game, data["achievement"]["key"]) or _address("game-page", game)


def _address(name: str, *args: object) -> str:
    try:
        return reverse(name, args=args)
    except NoReverseMatch:
        return ""
