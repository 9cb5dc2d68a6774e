"""A game's page: its achievements, boards, and what its visitor has of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from accounts import selectors as accounts
from accounts.selectors import GameInfo, PlayerInfo
from accounts.visitors import Visitor, visitor_of
from achievements.pages import asked as addresses
from achievements.pages.asked import Asked
from achievements.rules import DEFAULT_GROUP
from achievements.selectors import cards, circles, company, definitions
from achievements.selectors.cards import AchievementCard, Holding, Section
from achievements.selectors.company import GameBoard
from achievements.selectors.definitions import GameCatalogue
from core import clock
from core.clock import from_microseconds, microseconds
from core.pagination import decode_cursor, encode_cursor
from core.public_pages import public_page
from core.spoken import NAMELESS
from stats.selectors import playtimes

DEFAULT_THEME: Final = "dark"
SECTION: Final = 48  # cards of a section before it is cut
FLAT: Final = 96  # cards of a list that was filtered or sorted
TIMELINE: Final = 50
_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Choice:
    """A filter, an order or a part of the page: a link, and whether it is the one that is chosen."""

    label: str
    url: str
    is_chosen: bool
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Friend:
    """A friend who plays the game, and what he has of it."""

    player: PlayerInfo
    unlocked: int
    points: int
    percent: float
    last_unlock_at: datetime | None

    @property
    def id(self) -> UUID:
        """His public id, by which a picture is tinted."""
        return self.player.uuid

    @property
    def display_name(self) -> str:
        """What he is called."""
        return self.player.display_name or NAMELESS

    @property
    def avatar_url(self) -> str:
        """His picture, empty for none."""
        return self.player.avatar_url


@dataclass(frozen=True, slots=True)
class Month:
    """What the visitor unlocked within a month, newest first."""

    at: datetime
    cards: tuple[AchievementCard, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """What stands on top of a game's page; all but the first five of the visitor."""

    game: GameInfo
    studio: str
    available: int
    points_available: int
    players: int
    unlocked: int = 0
    points: int = 0
    hours: int | None = None
    board: GameBoard | None = None

    @property
    def percent(self) -> float:
        """The share that the visitor has unlocked, 0 to 100."""
        return 100 * min(self.unlocked, self.available) / self.available if self.available else 0.0


@require_safe
@public_page(query=addresses.QUERY)
def game(request: HttpRequest, game: UUID) -> HttpResponse:
    """Show a game to anybody, and to a visitor how he stands; what it does not know in its address it leaves out."""
    now, visitor = clock.now(), visitor_of(request)
    info, catalogue = public_game(game)
    asked = addresses.read(request, catalogue, visitor)
    if asked is None or (visitor is None and asked.view in ("timeline", "friends")):
        return redirect("game-page", game=info.uuid)
    player_id = visitor.player.id if visitor else None
    holding = cards.own(player_id, catalogue) if player_id else cards.NOBODY
    made = cards.cards(catalogue, holding, game=info.uuid, language=asked.language, at=now)
    boards = company.boards(info.id, game_uuid=info.uuid, player_id=player_id, at=now)
    friends = _friends(player_id, info.id, available=catalogue.available) if player_id else []
    if not made and len(boards) < 2:
        raise Http404  # only the board of points that every game has: nobody may know of it yet
    context = {
        "head": _head(info, catalogue, made, holding, boards, visitor),
        "asked": asked,
        "suffix": asked.suffix,
        "views": _views(asked, made, boards, friends, visitor),
        "boards": boards,
        "friends": friends,
        "languages": addresses.offered(catalogue, asked),
        "achievements_url": asked.but(view="", show="", group="", sort=""),
        "friends_url": asked.but(view="friends", show="", group="", sort=""),
        "here": "games",
        "default_theme": DEFAULT_THEME,
    }
    if asked.view == "timeline" and visitor is not None:
        context |= _timeline(request, made, visitor, asked)
    elif not asked.view:
        context |= _achievements(made, asked, is_own=visitor is not None)
    return render(request, "player/game_page.html", context)


def public_game(uuid: UUID) -> tuple[GameInfo, GameCatalogue]:
    """Return a game that is not put away, and what it defines. Raises Http404."""
    info = accounts.fresh_game(uuid)
    if info is None or info.archived_at is not None:
        raise Http404
    return info, definitions.fresh_catalogue(info.id)


def _head(
    info: GameInfo,
    catalogue: GameCatalogue,
    made: Sequence[AchievementCard],
    holding: Holding,
    boards: Sequence[GameBoard],
    visitor: Visitor | None,
) -> Head:
    published = [one for one in catalogue.by_key.values() if one.is_published]
    played = playtimes.playtimes(visitor.player.id, game_id=info.id, limit=1) if visitor else []
    return Head(
        game=info,
        studio=accounts.studio_name(info.studio_id),
        available=catalogue.available,
        points_available=sum(one.points for one in published),
        players=max((card.rarity.players for card in made), default=0),
        unlocked=len(holding.held),
        points=sum(one.points for one in holding.held.values()),
        hours=played[0].total_ms // _HOUR_MS if played else None,
        board=boards[0] if boards and boards[0].rank is not None else None,
    )


def _friends(player_id: int, game_id: int, *, available: int) -> list[Friend]:
    """Return the friends who have anything in a game, most points first."""
    known = company.friends(player_id)
    found = circles.in_game(game_id, known) if known else {}
    friends = [
        Friend(
            known[pk],
            sums.unlocked,
            sums.points,
            100 * min(sums.unlocked, available) / available if available else 0.0,
            sums.last_unlock_at,
        )
        for pk, sums in found.items()
        if sums.unlocked
    ]
    return sorted(friends, key=lambda one: (-one.points, one.player.id))


def _views(
    asked: Asked,
    made: Sequence[AchievementCard],
    boards: Sequence[GameBoard],
    friends: Sequence[Friend],
    visitor: Visitor | None,
) -> list[Choice]:
    def view(label: str, name: str, count: int | None = None) -> Choice:
        return Choice(label, asked.but(view=name, show="", group="", sort=""), asked.view == name, count)

    listed = [view("Achievements", "", len(made)), view("Leaderboards", "boards", len(boards))]
    if visitor is not None:
        listed += [view("Timeline", "timeline"), view("Friends", "friends", len(friends))]
    return listed


def _achievements(made: Sequence[AchievementCard], asked: Asked, *, is_own: bool) -> dict[str, object]:
    """Return the achievements in their sections, or, once they are filtered or sorted, in one."""
    if asked.is_special:
        listed = cards.in_order(cards.chosen(made, asked.show, asked.group), asked.sort)
        shown = listed if asked.whole else listed[:FLAT]
        words = [_SHOWN.get(asked.show, "Achievements"), asked.group and f"in {_called(asked.group)}"]
        order = _ORDERS[asked.sort] if asked.sort else _usual(asked.show, is_own=is_own)
        flat = Section(" ".join(word for word in words if word), order, len(listed), tuple(shown))
        sections: tuple[Section, ...] = (flat,) if listed else ()
    else:
        sections = cards.sections(made, most=len(made) if asked.whole else SECTION, is_own=is_own)
    counts = cards.counted(made)
    kinds = ("unlocked", "progress", "locked", "hidden") if is_own else ("hidden",)
    shows = [Choice("All", asked.but(show=""), not asked.show, len(made))]
    shows += [
        Choice(_SHOWN[kind], asked.but(show=kind), asked.show == kind, counts[kind])
        for kind in kinds
        if counts[kind] or asked.show == kind
    ]
    sorts = ("", "rarity", "points", "newest", "nearest") if is_own else ("", "rarity", "points", "newest")
    groups = cards.groups(made)
    return {
        "sections": sections,
        "group": _called(asked.group) if asked.group else "All groups",
        "shows": shows,
        "sorts": [Choice(_SORTS[sort], asked.but(sort=sort), asked.sort == sort) for sort in sorts],
        "groups": [
            Choice("All groups", asked.but(group=""), not asked.group),
            *(Choice(_called(group), asked.but(group=group), asked.group == group) for group in groups),
        ]
        if len(groups) > 1
        else [],
        "whole_url": f"{asked.but()}{'&' if '?' in asked.but() else '?'}all=1",
    }


def _called(group: str) -> str:
    return "Base game" if group == DEFAULT_GROUP else group


_SHOWN: Final = {
    "unlocked": "Unlocked",
    "progress": "In progress",
    "locked": "Locked",
    "hidden": "Hidden",
}
_SORTS: Final = {
    "": "Default",
    "rarity": "Rarest",
    "points": "Most points",
    "newest": "Newest",
    "nearest": "Nearest",
}
_ORDERS: Final = {
    "rarity": "Rarest first",
    "points": "Most points first",
    "newest": "Newest first",
    "nearest": "Nearest first",
}


def _usual(show: str, *, is_own: bool) -> str:
    """Return in words the order in which `cards` returns achievements, where no other one is asked for."""
    if is_own and show in ("", "unlocked"):
        return "Newest first" if show else "Unlocked first, then the most common"
    return "Most common first"


def _timeline(
    request: HttpRequest, made: Sequence[AchievementCard], visitor: Visitor, asked: Asked
) -> dict[str, object]:
    """Return a part of what the visitor unlocked, by the months of his time zone."""
    kind, cursor = f"timeline {visitor.player.id} {asked.path}", request.GET.get("cursor")
    held = [card for card in made if card.unlocked_at is not None]
    held.sort(key=lambda card: (card.unlocked_at, card.place), reverse=True)
    if cursor:
        at_us, place = decode_cursor(kind, cursor)
        last = (from_microseconds(at_us), place)
        held = [card for card in held if (card.unlocked_at, card.place) < last]
    shown = held[:TIMELINE]
    more = ""
    if len(held) > len(shown):
        assert shown[-1].unlocked_at is not None
        after = encode_cursor(kind, [microseconds(shown[-1].unlocked_at), shown[-1].place])
        more = f"{asked.but(view='timeline')}&cursor={after}"
    return {"months": _months(shown, clock.zone(visitor.player.time_zone or "UTC")), "more_url": more}


def _months(held: Sequence[AchievementCard], zone: ZoneInfo) -> list[Month]:
    found: dict[tuple[int, int], list[AchievementCard]] = {}
    for card in held:
        assert card.unlocked_at is not None
        local = card.unlocked_at.astimezone(zone)
        found.setdefault((local.year, local.month), []).append(card)
    return [
        Month(datetime(year, month, 15, tzinfo=zone), tuple(some)) for (year, month), some in found.items()
    ]
