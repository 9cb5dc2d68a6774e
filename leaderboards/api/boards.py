"""GET /leaderboards/…: pages, a player's rank, and the page around a player."""

from typing import Any

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts import selectors as accounts
from accounts.authentication import game_of, player_of
from accounts.selectors import GameInfo, KeyHolder, PlayerInfo
from accounts.services import clean_region
from core.clock import from_microseconds, rfc3339
from core.endpoint import MAX_LIMIT, Endpoint, bytes_answer, etag_of, page, read_limit, read_whole
from core.ids import parse_id
from core.pagination import decode_cursor, encode_cursor
from core.refusals import Invalid, Malformed, NotFound
from core.rendering import dumps
from leaderboards.api import documents
from leaderboards.memo import Finished, Memo
from leaderboards.selectors import standings as selectors
from leaderboards.selectors.standings import Around, Behind, Board, FromOffset, Listing, Row, Where

POINTS = "points"
GLOBAL = "global"
# A shared cache may carry the crowd, and go on with the old page while it fetches the new one.
PUBLIC = "public, s-maxage=30, stale-while-revalidate=60"
# A studio's server reads what it wrote as soon as the listener has applied it; one player's rank is nobody else's.
PRIVATE = "private, max-age=0"
DEEPEST = 10**9
_PERIODS = frozenset({"current", "all"})
_PERIOD = {"id": "all", "starts_at": None, "ends_at": None}
_NARROWED = frozenset({"region", "period"})
_PAGED = _NARROWED | {"limit", "cursor", "offset"}

memo = Memo()


class GlobalBoardView(Endpoint):
    """The board over all games."""

    public = frozenset({"GET", "HEAD"})
    query = _PAGED

    @extend_schema(
        operation_id="get_global_leaderboard",
        summary="List the leaderboard over all games",
        description=documents.ABOUT_PAGES,
        tags=documents.TAGS,
        parameters=documents.PAGED,
        responses={200: documents.BoardPage},
        examples=[documents.PAGE_EXAMPLE],
    )
    def get(self, request: Request) -> HttpResponse:
        """Answer a page."""
        return _page(request, GLOBAL, POINTS)


class GameBoardView(Endpoint):
    """A game's `points` board."""

    public = frozenset({"GET", "HEAD"})
    query = _PAGED

    @extend_schema(
        operation_id="get_points_leaderboard",
        summary="List a game's points leaderboard",
        description=documents.ABOUT_PAGES,
        tags=documents.TAGS,
        parameters=[documents.GAME, *documents.PAGED],
        responses={200: documents.BoardPage},
        examples=[documents.PAGE_EXAMPLE],
    )
    def get(self, request: Request, game_id: str) -> HttpResponse:
        """Answer a page."""
        return _page(request, game_id, POINTS)


class BoardView(Endpoint):
    """A game's board by its key."""

    public = frozenset({"GET", "HEAD"})
    query = _PAGED

    @extend_schema(
        operation_id="get_leaderboard",
        summary="List a leaderboard",
        description=documents.ABOUT_PAGES,
        tags=documents.TAGS,
        parameters=[documents.GAME, documents.BOARD, *documents.PAGED],
        responses={200: documents.BoardPage},
        examples=[documents.PAGE_EXAMPLE],
    )
    def get(self, request: Request, game_id: str, board: str) -> HttpResponse:
        """Answer a page."""
        return _page(request, game_id, board)


class PlayerRankView(Endpoint):
    """Where a player stands on a board."""

    public = frozenset({"GET", "HEAD"})
    query = _NARROWED

    @extend_schema(
        operation_id="get_rank",
        summary="Tell where a player stands",
        description="404 for a player who is not on the board.",
        tags=documents.TAGS,
        parameters=[documents.GAME, documents.BOARD, documents.PLAYER, *documents.NARROWED],
        responses={200: documents.PlayerRank},
        examples=[documents.RANK_EXAMPLE],
    )
    def get(self, request: Request, game_id: str, board: str, player: str) -> HttpResponse:
        """Answer the rank."""
        asked = _board(request, game_id, board)
        rank = selectors.rank(asked, _player(request, player).id)
        if rank is None:
            raise _nobody()
        data = {
            "rank": rank.rank,
            "score": rank.score,
            "percentile": rank.percentile,
            "exact": True,
            "total_count": rank.total_count,
        }
        body = dumps(data)
        return bytes_answer(request, body, etag=etag_of(body), cache_control=PRIVATE)


class AroundPlayerView(Endpoint):
    """The page of a board with a player in the middle."""

    public = frozenset({"GET", "HEAD"})
    query = _NARROWED | {"limit"}

    @extend_schema(
        operation_id="get_leaderboard_around",
        summary="List a leaderboard around a player",
        description=(
            "The page is full also where the player is near an end. A player of yours who is not on the board gets its "
            "end, and `me` is null; `id:<uuid>` of somebody who is not on it is answered 404."
        ),
        tags=documents.TAGS,
        parameters=[documents.GAME, documents.BOARD, documents.PLAYER, *documents.CENTRED],
        responses={200: documents.AroundPage},
        examples=[documents.AROUND_EXAMPLE],
    )
    def get(self, request: Request, game_id: str, board: str, player: str) -> HttpResponse:
        """Answer the page."""
        asked = _board(request, game_id, board)
        limit = read_whole(request, "limit", default=documents.AROUND_LIMIT, lowest=1, highest=MAX_LIMIT)
        info = _player(request, player)
        listing = selectors.page(asked, Around(info.id), limit=limit)
        places = [place for place, row in enumerate(listing.rows) if row.player_id == info.id]
        if not places and player.startswith("id:"):
            raise _nobody()
        data = _page_data(request, asked, listing)
        data["me"] = data["results"][places[0]] if places else None
        finished = _finished(data)
        return bytes_answer(request, finished.body, etag=finished.etag, cache_control=PRIVATE)


def _page(request: Request, game_id: str, key: str) -> HttpResponse:
    """Answer a page; to callers without credential maybe one of a moment ago."""
    address = request.get_full_path() if request.auth is None else None
    finished = memo.get(address) if address else None
    if finished is None:
        board = _board(request, game_id, key)
        listing = selectors.page(board, _where(request, board), limit=read_limit(request))
        finished = _finished(_page_data(request, board, listing))
        if address:
            memo.keep(address, finished)
    return bytes_answer(
        request, finished.body, etag=finished.etag, cache_control=PUBLIC if address else PRIVATE
    )


def _board(request: Request, game_id: str, key: str) -> Board:
    """Return the board that a request is about. Raises NotFound, Invalid."""
    game = None if game_id == GLOBAL else _game(request, game_id)
    if key != POINTS:
        raise NotFound("There is no such leaderboard.")
    if request.GET.get("period", "current") not in _PERIODS:
        raise NotFound("There is no such period: a `points` board has one, for all time.")
    return Board(game.id if game else None, _region(request, game))


def _game(request: Request, game_id: str) -> GameInfo:
    uuid = parse_id(game_id)
    if uuid is not None and request.auth is not None:
        return game_of(request, uuid)
    game = None if uuid is None else accounts.game(uuid)
    if game is None:
        raise NotFound("There is no such game.")
    return game


def _region(request: Request, game: GameInfo | None) -> str | None:
    """Return the region asked for: one that the game declares, or any on the global board."""
    text = request.GET.get("region")
    if text is None:
        return None
    try:
        region = clean_region(text)
    except ValueError as error:
        raise Invalid.value("/region", str(error)) from None
    if not region:
        raise Invalid.value("/region", "The name of a region is expected, such as EU.")
    if game is not None and region not in game.regions:
        fresh = accounts.fresh_game(game.uuid)  # the kept one may be from before the region was declared
        declared = fresh.regions if fresh else ()
        if region not in declared:
            known = ", ".join(declared) or "none"
            raise Invalid.value("/region", f"The game does not declare this region. It declares: {known}.")
    return region


def _where(request: Request, board: Board) -> Where:
    """Return where a page begins: behind a cursor, or at an offset (0 by default). Raises Malformed."""
    cursor = request.GET.get("cursor")
    if cursor is None:
        return FromOffset(read_whole(request, "offset", default=0, lowest=0, highest=DEEPEST))
    if "offset" in request.GET:
        raise Malformed("`cursor` and `offset` both say where the page begins. Send one of them.")
    return Behind(Row(*decode_cursor(_cursor_kind(board), cursor)))


def _cursor_kind(board: Board) -> str:
    return f"leaderboard {board.name}"


def _player(request: Request, name: str) -> PlayerInfo:
    """Return the player whom a path means; by `id:<uuid>` anybody, since boards are public. Raises NotFound, Gone."""
    if name.startswith("id:"):
        uuid = parse_id(name[3:])
        info = None if uuid is None else accounts.player_by_uuid(uuid)
        if info is None or info.erased:
            raise _nobody()
        return info
    if request.auth is None:
        raise NotFound("Without a credential a player is named by `id:<uuid>`.")
    return player_of(request, name)


def _nobody() -> NotFound:
    """Return the same answer for somebody who does not exist and somebody who is not on the board."""
    return NotFound("There is no such player on this board.")


def _page_data(request: Request, board: Board, listing: Listing) -> dict[str, Any]:
    last = listing.rows[-1] if listing.goes_on else None
    return page(
        _results(request, listing),
        next_cursor=encode_cursor(_cursor_kind(board), list(last)) if last else None,
        board=POINTS,
        period=_PERIOD,
        total_count=listing.total,
    )


def _results(request: Request, listing: Listing) -> list[dict[str, Any]]:
    studio_id = request.auth.studio_id if isinstance(request.auth, KeyHolder) else None
    players = accounts.players_by_id((row.player_id for row in listing.rows), studio_id=studio_id)
    return [
        {
            "rank": rank,
            "player": _shown(players[row.player_id]),
            "score": -row.sort_value,
            "submitted_at": rfc3339(from_microseconds(row.reached_us)),
            "metadata": None,
        }
        for rank, row in zip(listing.ranks, listing.rows, strict=True)
    ]


def _shown(info: PlayerInfo) -> dict[str, str]:
    """Return a player as a board shows him; his id at the studio only to that studio's key."""
    shown = {
        "id": str(info.uuid),
        "display_name": info.display_name,
        "region": info.region,
        "avatar_url": info.avatar_url,
    }
    return shown if info.external_id is None else {**shown, "external_id": info.external_id}


def _finished(data: dict[str, Any]) -> Finished:
    """Return an answer's bytes. Its tag is weak: it says that the rows are the same, whatever the time in `as_of`."""
    etag = f"W/{etag_of(dumps(data))}"
    return Finished(dumps({**data, "as_of": timezone.now()}), etag)
