"""GET /players/{player}/ranks: every board of a game that a player is on."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts.authentication import TokenHolder, game_of, player_of
from core import clock
from core.endpoint import PAGE_PARAMETERS, Endpoint, cached_answer, page, read_limit
from core.ids import parse_id
from core.pagination import decode_cursor, encode_cursor
from core.refusals import NotFound
from leaderboards.api import documents, examples, pages
from leaderboards.api.asked import Asked
from leaderboards.selectors import ranks
from leaderboards.selectors.ranks import Ranked


class PlayerRanksView(Endpoint):
    """Where a player stands on a game's boards."""

    scopes = {"GET": "players:read"}
    player_may = frozenset({"GET"})
    limited_as = "boards"
    query = frozenset({"game_id", "limit", "cursor"})

    @extend_schema(
        operation_id="list_ranks",
        summary="Tell where a player stands on all boards of a game",
        description=(
            "The `points` board first, then the game's own, each in the current period of its main span. Boards that "
            "the player is not on are left out. `game_id` may be left out with a key or token of one game."
        ),
        tags=documents.TAGS,
        parameters=[documents.OWN_PLAYER, documents.GAME_QUERY, *PAGE_PARAMETERS],
        responses={200: documents.PlayerRanks},
        examples=[examples.RANKS_EXAMPLE],
    )
    def get(self, request: Request, player: str) -> HttpResponse:
        """Answer a page of the ranks."""
        text = request.GET.get("game_id")
        uuid = parse_id(text) if text is not None else None
        if text is not None and uuid is None:
            raise NotFound("There is no such game.")
        game, info = game_of(request, uuid), player_of(request, player)
        limit, cursor, kind = read_limit(request), request.GET.get("cursor"), f"ranks {info.id} {game.id}"
        after = -1 if cursor is None else decode_cursor(kind, cursor)[0]
        found = ranks.of_player(
            game.id, info.id, at=clock.now(), himself=isinstance(request.auth, TokenHolder)
        )
        rest = [one for one in found if _number(one) > after]
        shown = rest[:limit]
        data = page(
            [_row(one) for one in shown],
            next_cursor=encode_cursor(kind, [_number(shown[-1])]) if len(rest) > limit else None,
        )
        return cached_answer(request, data, cache_control=pages.PRIVATE)


def _number(one: Ranked) -> int:
    """Return what boards are listed by, the points board first."""
    return 0 if one.info is None else one.info.id


def _row(one: Ranked) -> dict[str, Any]:
    about = Asked(one.key, one.info, one.period, one.order)
    return {
        "board": one.key,
        "name": one.name,
        "period": about.period_json,
        **pages.rank_data(about, one.rank),
    }
