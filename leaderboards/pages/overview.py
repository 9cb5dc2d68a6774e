"""All boards: those that the visitor stands on, the first places over all games, and the boards of every game."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from accounts import selectors as accounts
from accounts.visitors import Visitor, visitor_of
from core import clock
from core.ids import parse_id
from core.pagination import decode_cursor, encode_cursor
from core.public_pages import public_page
from leaderboards.pages import words
from leaderboards.pages.asking import About, address
from leaderboards.pages.rows import MOVED, Line, Reader
from leaderboards.selectors import definitions, history, listed, periods, summaries
from leaderboards.selectors.definitions import POINTS, BoardInfo
from leaderboards.selectors.history import Move
from leaderboards.selectors.listed import ListedGame, Stand
from leaderboards.selectors.periods import PeriodInfo
from leaderboards.selectors.ranks import ALL_TIME, POINTS_NAME

GAMES: Final = 24  # of a page
BOARDS: Final = 5  # of a game; all of them on the game's own page of boards
TOP: Final = 5  # places over all games
OWN: Final = 12  # boards of the visitor that are shown at first
COUNTED: Final = 10_000
_KIND: Final = "games with boards"


@dataclass(frozen=True, slots=True)
class OwnBoard:
    """A board that the visitor stands on."""

    url: str
    game_id: UUID | None
    game_title: str
    name: str
    period: str
    rank: int
    tied: bool
    total: int
    delta: int | None
    is_new: bool


@dataclass(frozen=True, slots=True)
class ListedBoard:
    """A board of a game; `counts_on` where it has more players than were counted."""

    url: str
    name: str
    period: str
    players: int
    counts_on: bool
    ends_at: datetime | None


@dataclass(frozen=True, slots=True)
class GameBoards:
    """A game with its first boards; `all_url` leads to all of them where there are more."""

    game: ListedGame
    boards: tuple[ListedBoard, ...]
    left_out: int
    all_url: str


@require_safe
@public_page(query=frozenset({"cursor", "game", "own"}), kept_s=0)
def boards(request: HttpRequest) -> HttpResponse:
    """List boards; `game` only those of one game, all of them."""
    visitor, now = visitor_of(request), clock.now()
    only, cursor = request.GET.get("game", ""), request.GET.get("cursor", "")
    context: dict[str, Any] = {"here": "boards", "default_theme": "dark"}
    if only:
        context |= {"games": _of_one_game(only, now), "only": True}
        return render(request, "player/boards/boards.html", context)
    before = tuple(decode_cursor(_KIND, cursor)) if cursor else listed.FIRST
    found = listed.games(before=(before[0], before[1]), limit=GAMES + 1)
    context |= {
        "games": _games(found[:GAMES], most=BOARDS, at=now),
        "further": _further(found),
        "is_first": not cursor,
    }
    if not cursor:
        own = _own(visitor, now) if visitor else []
        shows_all = request.GET.get("own") == "all"
        context |= {"own": own if shows_all else own[:OWN], "own_count": len(own), "top": _top(visitor, now)}
    return render(request, "player/boards/boards.html", context)


def _further(found: list[ListedGame]) -> str:
    return (
        urlencode({"cursor": encode_cursor(_KIND, found[GAMES - 1].position)}) if len(found) > GAMES else ""
    )


def _of_one_game(text: str, at: datetime) -> list[GameBoards]:
    uuid = parse_id(text)
    found = [] if uuid is None else listed.games(only=uuid, limit=1)
    if not found:
        raise Http404
    return _games(found, most=None, at=at)


def _top(visitor: Visitor | None, at: datetime) -> tuple[Line, ...]:
    """Return the first places over all games."""
    about = About(None, None, ALL_TIME, is_current=True, region="", friends=False)
    return Reader(about, visitor, at=at).first(TOP).lines


def _own(visitor: Visitor, at: datetime) -> list[OwnBoard]:
    """Return the boards that a visitor stands on: over all games first, then those he is best on."""
    found = listed.stands_of(visitor.player.id)
    games = accounts.games_by_id(one.game_id for one in found if one.game_id is not None)
    ranks = {one.order: one.rank.rank for one in found if one.game_id is not None}
    moves = history.moves_of(visitor.player.id, ranks, at=at, back=MOVED)
    found.sort(key=lambda one: (one.game_id is not None, one.rank.rank / one.rank.total_count, one.rank.rank))
    return [_own_board(one, games.get(one.game_id or 0), moves.get(one.order)) for one in found]


def _own_board(one: Stand, game: accounts.GameInfo | None, move: Move | None) -> OwnBoard:
    return OwnBoard(
        url=address(game, one.info.key if one.info else POINTS),
        game_id=game.uuid if game else None,
        game_title=game.title if game else "All games",
        name=one.info.name if one.info else POINTS_NAME,
        period=words.PRESENT[one.period.span] if one.period else words.PRESENT["all"],
        rank=one.rank.rank,
        tied=one.rank.tied and (one.info is None or one.info.tie_break != "earliest"),
        total=one.rank.total_count,
        delta=move.rose if move else None,
        is_new=move is not None and move.is_new,
    )


def _games(found: list[ListedGame], *, most: int | None, at: datetime) -> list[GameBoards]:
    """Return games with their boards, at most `most` of each, in three queries."""
    declared: defaultdict[int, list[BoardInfo]] = defaultdict(list)
    for info in definitions.boards_of(game.id for game in found):
        declared[info.game_id].append(info)
    shown = {game.id: declared[game.id][:most] for game in found}
    present = periods.main_periods([info for some in shown.values() for info in some], at=at)
    counts = summaries.of_periods([one.id for one in present.values() if one.id], most=COUNTED + 1)
    return [
        GameBoards(
            game=game,
            boards=(
                *_points(game),
                *(_listed(game, one, present.get(one.id), counts, at) for one in shown[game.id]),
            ),
            left_out=len(declared[game.id]) - len(shown[game.id]),
            all_url=f"{reverse('boards')}?{urlencode({'game': str(game.uuid)})}",
        )
        for game in found
    ]


def _points(game: ListedGame) -> Iterable[ListedBoard]:
    """Yield a game's points board, if anybody is on it."""
    if game.players:
        url = reverse("board-page", args=[game.uuid, POINTS])
        yield ListedBoard(url, POINTS_NAME, words.PRESENT["all"], game.players, counts_on=False, ends_at=None)


def _listed(
    game: ListedGame,
    info: BoardInfo,
    period: PeriodInfo | None,
    counts: dict[int, summaries.Summary],
    at: datetime,
) -> ListedBoard:
    players = counts[period.id].entries if period and period.id in counts else 0
    return ListedBoard(
        url=reverse("board-page", args=[game.uuid, info.key]),
        name=info.name,
        period=words.PRESENT[info.main_span],
        players=min(players, COUNTED),
        counts_on=players > COUNTED,
        ends_at=info.window(info.main_span, at).ends_at,
    )
