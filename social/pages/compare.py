"""Two players beside each other: over the games that both play, and in one of them."""

from typing import Any, Final, get_args
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import selectors as accounts
from accounts.people import Part
from accounts.selectors import GameInfo, PlayerInfo
from achievements.selectors.cards import Rarity
from core.ids import parse_id
from core.pagination import decode_cursor, encode_cursor
from core.public_pages import public_page
from social import profiles
from social.pages.seen import DEFAULT_THEME, language_of, reader_id, seen_player
from social.selectors import comparing, summaries
from social.selectors.comparing import Position, Share
from social.selectors.seeing import Asker

GAMES: Final = 50
ACHIEVEMENTS: Final = 100
_SHARES: Final[tuple[Share, ...]] = get_args(Share)


@require_safe
@public_page(query=frozenset({"game", "show", "cursor"}), kept_s=0)
def compare(request: HttpRequest, player_id: UUID, other_id: UUID) -> HttpResponse:
    """Show two players beside each other, to whom both let see them; `?game=` one game, `?show=` a part of it."""
    player, other = (seen_player(request, one, part=Part.GAMES) for one in (player_id, other_id))
    if player.id == other.id:
        raise Http404
    reader = reader_id(request)
    game = _game(request.GET.get("game", ""))
    asker = Asker(None, reader)
    shared = comparing.shared_games(
        player,
        other,
        asker=asker,
        after=_after(request, _kind(player, other, None)) if game is None else None,
        limit=GAMES,
    )
    context: dict[str, Any] = {
        "player": profiles.person(player),
        "other": profiles.person(other),
        "names": _names(player, other, reader),
        "shared": shared.rows,
        "game": game,
        "here": "friends",
        "default_theme": DEFAULT_THEME,
    }
    if game is None:
        context |= _overall(player, other) | {
            "next_cursor": _cursor(_kind(player, other, None), shared.after),
        }
    else:
        context |= _in_game(request, player, other, game, asker)
    return render(request, "player/compare.html", context)


def _game(text: str) -> GameInfo | None:
    """Return the game that is asked for, None for none. Raises Http404 for one that is not there."""
    if not text:
        return None
    uuid = parse_id(text)
    found = None if uuid is None else accounts.fresh_game(uuid)
    if found is None:
        raise Http404
    return found


def _names(player: PlayerInfo, other: PlayerInfo, reader: int) -> tuple[str, str]:
    """Return what both are called: the reader himself is `You`."""
    first, second = (
        "You" if one.id == reader else profiles.person(one).display_name for one in (player, other)
    )
    return first, second


def _overall(player: PlayerInfo, other: PlayerInfo) -> dict[str, Any]:
    sums = summaries.overall([player.id, other.id])
    one, two = sums[player.id], sums[other.id]
    return {
        "sums": (summaries.summary_json(one), summaries.summary_json(two)),
        "lead": one.points - two.points,
    }


def _in_game(
    request: HttpRequest, player: PlayerInfo, other: PlayerInfo, game: GameInfo, asker: Asker
) -> dict[str, Any]:
    show = next((one for one in _SHARES if one == request.GET.get("show")), None)
    kind = f"{_kind(player, other, game)} {show}"
    found = comparing.achievements(
        player,
        other,
        game_id=game.id,
        asker=asker,
        language=language_of(request),
        after=_after(request, kind),
        limit=ACHIEVEMENTS,
        only=show,
    )
    counts = {"both": found.both, "only_player": found.only_player, "only_other": found.only_other}
    for row in found.page.rows:
        told = row["rarity"]
        row["shown_rarity"] = Rarity(told.unlocked_percent, told.players, told.tier)
    return {
        "sums": (found.player, found.other),
        "lead": found.player["points"] - found.other["points"],
        "rows": found.page.rows,
        "counts": counts | {"neither": found.total_count - sum(counts.values())},
        "total_count": found.total_count,
        "show": show,
        "game_id": str(game.uuid),
        "next_cursor": _cursor(kind, found.page.after),
    }


def _kind(player: PlayerInfo, other: PlayerInfo, game: GameInfo | None) -> str:
    return f"compared page {player.id} {other.id} {game.id if game else 'all'}"


def _after(request: HttpRequest, kind: str) -> Position | None:
    cursor = request.GET.get("cursor")
    if cursor is None:
        return None
    first, second = decode_cursor(kind, cursor)
    return first, second


def _cursor(kind: str, after: Position | None) -> str | None:
    return None if after is None else encode_cursor(kind, list(after))
