"""One search over all that a studio has: players, what its games define, games, and the portal's pages.

Every look-up is bounded, and there are as many queries whatever is found: ten at most.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts import finding
from accounts.doorway import Visit
from accounts.roles import Act
from accounts.selectors import GameInfo
from achievements.selectors import finding as achievements
from care import places
from core.ids import parse_id
from core.lookup import Defined
from leaderboards.selectors import finding as boards
from stats.selectors import finding as stats

LONGEST: Final = 128
A_GROUP: Final = 5
ALL_OF_ONE: Final = 50


@dataclass(frozen=True, slots=True)
class Hit:
    """Something that fits.

    Attributes:
        note: what tells it from others: the key or id, and the game.
        tag: a word about its state, or nothing.
        tile: the key of whose tile is shown, with `icon_url`; empty: `icon` is.

    """

    title: str
    url: str
    note: str = ""
    tag: str = ""
    icon: str = ""
    tile: str = ""
    icon_url: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """What fits of one kind; `more` leads to all of it, empty where that is all; `is_cut`: not all was looked at."""

    name: str
    label: str
    hits: tuple[Hit, ...]
    more: str = ""
    is_cut: bool = False


def search(visit: Visit, text: str, *, only: str = "") -> list[Group]:
    """Return what of a studio the visitor may see and fits a text, in groups of A_GROUP; without the empty ones.

    With `only`, the name of a group, up to ALL_OF_ONE of that one.
    """
    text = text.strip()
    if not text or not text.isprintable() or len(text) > LONGEST:
        return []
    names = [only] if only in GROUPS else list(GROUPS)
    most = ALL_OF_ONE if only in GROUPS else A_GROUP
    found = [_group(visit, text, name, most) for name in names]
    return [one for one in found if one.hits or one.is_cut]


def _group(visit: Visit, text: str, name: str, most: int) -> Group:
    label, ask = GROUPS[name]
    hits, is_cut = ask(visit, text, most + 1)
    more = ""
    if len(hits) > most:
        more = _see_all(visit, text, name)
    return Group(name, str(label), tuple(hits[:most]), more, is_cut)


def _see_all(visit: Visit, text: str, name: str) -> str:
    """Return the page of all hits of a group: players have a list with pages of their own."""
    if name == "players":
        return reverse("players", args=[visit.studio.studio_uuid]) + "?" + urlencode({"q": text})
    return (
        reverse("portal-search", args=[visit.studio.studio_uuid]) + "?" + urlencode({"q": text, "in": name})
    )


_Hits = tuple[list[Hit], bool]


def _players(visit: Visit, text: str, limit: int) -> _Hits:
    if not visit.may(Act.SEE_PLAYERS):
        return [], False
    found = finding.find(visit.studio.studio_id, text, limit=limit)
    people = finding.known(visit.studio.studio_id, found.player_ids)
    hits = [
        Hit(
            people[pk].name,
            reverse("portal-player", args=[visit.studio.studio_uuid, people[pk].uuid]),
            note=people[pk].external_id if people[pk].display_name else "",
            tag=_("Banned") if people[pk].banned_at else "",
            icon="users",
        )
        for pk in found.player_ids
        if pk in people
    ]
    return hits, found.is_cut


def _achievements(visit: Visit, text: str, limit: int) -> _Hits:
    found = achievements.find(_game_ids(visit), text, first=_at_hand(visit), limit=limit)
    return [_achievement(visit, one) for one in found.found], found.is_cut


def _achievement(visit: Visit, one: Defined) -> Hit:
    """Return an achievement; who may not edit it is led to it in the list."""
    game, studio = _game(visit, one.game_id), visit.studio.studio_uuid
    if visit.may(Act.WRITE_DEFINITIONS):
        url = reverse("edit-achievement", args=[studio, game.uuid, one.uuid])
    else:
        url = reverse("portal-achievements", args=[studio, game.uuid]) + "?" + urlencode({"q": one.key})
    tag = {"draft": _("Draft"), "archived": _("Archived")}.get(one.state, "")
    return Hit(one.name, url, f"{one.key} · {game.title}", tag, tile=one.key, icon_url=one.icon_url)


def _stats(visit: Visit, text: str, limit: int) -> _Hits:
    found = stats.find(_game_ids(visit), text, first=_at_hand(visit), limit=limit)
    return [_defined(visit, one, "portal-stat", one.uuid, "ripple") for one in found.found], found.is_cut


def _boards(visit: Visit, text: str, limit: int) -> _Hits:
    found = boards.find(_game_ids(visit), text, first=_at_hand(visit), limit=limit)
    return [
        _defined(visit, one, "portal-board", one.key, "list-details") for one in found.found
    ], found.is_cut


def _defined(visit: Visit, one: Defined, address: str, named: object, icon: str) -> Hit:
    game = _game(visit, one.game_id)
    url = reverse(address, args=[visit.studio.studio_uuid, game.uuid, named])
    return Hit(one.name, url, f"{one.key} · {game.title}", _("Archived") if one.state else "", icon)


def _games(visit: Visit, text: str, limit: int) -> _Hits:
    """Return games by a part of the title, or by the id."""
    wanted, uuid = text.casefold(), parse_id(text)
    found = [
        Hit(
            one.title,
            reverse("portal-game", args=[visit.studio.studio_uuid, one.uuid]),
            tag=_("Put away") if one.archived_at else "",
            icon="device-gamepad-2",
        )
        for one in (*visit.games, *visit.put_away)
        if wanted in one.title.casefold() or one.uuid == uuid
    ]
    return found[:limit], False


def _places(visit: Visit, text: str, limit: int) -> _Hits:
    fitting = [one for one in places.places(visit) if one.fits(text)]
    title = visit.game.title if visit.game else ""
    return [
        Hit(str(one.label), one.url(visit), note=title if one.of_game else "", icon=one.icon)
        for one in fitting[:limit]
    ], False


def _game_ids(visit: Visit) -> list[int]:
    return [one.id for one in (*visit.games, *visit.put_away)]


def _at_hand(visit: Visit) -> int | None:
    return visit.game.id if visit.game else None


def _game(visit: Visit, pk: int) -> GameInfo:
    return next(one for one in (*visit.games, *visit.put_away) if one.id == pk)


GROUPS: Final[dict[str, tuple[Promise, Callable[[Visit, str, int], _Hits]]]] = {
    "players": (gettext_lazy("Players"), _players),
    "achievements": (gettext_lazy("Achievements"), _achievements),
    "stats": (gettext_lazy("Stats"), _stats),
    "leaderboards": (gettext_lazy("Leaderboards"), _boards),
    "games": (gettext_lazy("Games"), _games),
    "pages": (gettext_lazy("Pages"), _places),
}
