"""GET /leaderboards/…: pages, a player's rank, the page around a player, what rank a score would have."""

import re
from decimal import Decimal
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts.authentication import TokenHolder, player_of
from accounts.selectors import KeyHolder, PlayerInfo
from core import clock
from core.endpoint import MAX_LIMIT, Endpoint, bytes_answer, etag_of, read_limit, read_whole
from core.memo import Memo
from core.metrics import caches
from core.pagination import decode_cursor, encode_cursor
from core.refusals import Forbidden, Invalid, Malformed, Unauthenticated
from core.rendering import dumps
from leaderboards.api import asked, documents, examples, pages
from leaderboards.api.asked import GLOBAL, Asked
from leaderboards.api.pages import PRIVATE, PUBLIC, Own
from leaderboards.keys import Board
from leaderboards.listing import first_place_around
from leaderboards.rules import scores as rules
from leaderboards.selectors import friends, history, moderated, standings
from leaderboards.selectors.definitions import POINTS
from leaderboards.selectors.standings import Around, Behind, FromOffset, Listing, Place, Row, Where

_LONGEST_SCORE = 60  # characters of `score` in a query
# As JSON writes one, but for leading zeros: Decimal takes underscores and spaces as well.
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]{1,9})?")
_NARROWED = frozenset({"region", "period", "span"})
_PAGED = _NARROWED | {"limit", "cursor", "offset", "friends_of"}

memo = Memo()
_looks = caches.looks("boards")


class GlobalBoardView(Endpoint):
    """The board over all games."""

    public = frozenset({"GET"})
    limited_as = "boards"
    query = _PAGED

    @extend_schema(
        operation_id="get_global_leaderboard",
        summary="List the leaderboard over all games",
        description=documents.ABOUT_PAGES,
        tags=documents.TAGS,
        parameters=documents.PAGED,
        responses={200: documents.BoardPage},
        examples=[examples.PAGE_EXAMPLE],
    )
    def get(self, request: Request) -> HttpResponse:
        """Answer a page."""
        return _page(request, GLOBAL, POINTS)


class GameBoardView(Endpoint):
    """A game's `points` board."""

    public = frozenset({"GET"})
    limited_as = "boards"
    query = _PAGED

    @extend_schema(
        operation_id="get_points_leaderboard",
        summary="List a game's points leaderboard",
        description=documents.ABOUT_PAGES,
        tags=documents.TAGS,
        parameters=[documents.GAME, *documents.PAGED],
        responses={200: documents.BoardPage},
        examples=[examples.PAGE_EXAMPLE],
    )
    def get(self, request: Request, game_id: str) -> HttpResponse:
        """Answer a page."""
        return _page(request, game_id, POINTS)


class BoardView(Endpoint):
    """A game's board by its key."""

    public = frozenset({"GET"})
    limited_as = "boards"
    query = _PAGED

    @extend_schema(
        operation_id="get_leaderboard",
        summary="List a leaderboard",
        description=documents.ABOUT_PAGES,
        tags=documents.TAGS,
        parameters=[documents.GAME, documents.BOARD, *documents.PAGED],
        responses={200: documents.BoardPage},
        examples=[examples.PAGE_EXAMPLE],
    )
    def get(self, request: Request, game_id: str, board: str) -> HttpResponse:
        """Answer a page."""
        return _page(request, game_id, board)


class PlayerRankView(Endpoint):
    """Where a player stands on a board."""

    public = frozenset({"GET"})
    limited_as = "boards"
    query = _NARROWED

    @extend_schema(
        operation_id="get_rank",
        summary="Tell where a player stands",
        description="404 for a player who is not on the board.",
        tags=documents.TAGS,
        parameters=[documents.GAME, documents.BOARD, documents.PLAYER, *documents.NARROWED],
        responses={200: documents.RankWithDelta},
        examples=[examples.RANK_EXAMPLE],
    )
    def get(self, request: Request, game_id: str, board: str, player: str) -> HttpResponse:
        """Answer the rank."""
        about = asked.board_of(request, game_id, board)
        info = asked.player_named(request, player)
        rank = None if about.order is None else standings.rank(about.order, info.id)
        if rank is None and about.order is not None and _is_caller(request, info.id):
            rank = moderated.own_entry(about.order, info.id)
        if rank is None or about.order is None:
            raise asked.nobody()
        delta = _delta(about, about.order, info.id, rank.rank)
        return _answer(request, {**pages.rank_data(about, rank), "rank_delta": delta}, cache_control=PRIVATE)


class WhatIfView(Endpoint):
    """What rank a score would have."""

    public = frozenset({"GET"})
    limited_as = "boards"
    query = _NARROWED | {"score"}

    @extend_schema(
        operation_id="get_rank_of_score",
        summary="Tell what rank a score would have",
        description="As if somebody new reached it now: of equal scores it would be the last.",
        tags=documents.TAGS,
        parameters=[documents.GAME, documents.BOARD, documents.SCORE, *documents.NARROWED],
        responses={200: documents.WhatIf},
        examples=[examples.WHAT_IF_EXAMPLE],
    )
    def get(self, request: Request, game_id: str, board: str) -> HttpResponse:
        """Answer the rank."""
        about = asked.board_of(request, game_id, board)
        units = _score(request, about)
        value = rules.sort_value(units, sort=about.info.sort if about.info else "desc")
        place = Place(1, 0, 0) if about.order is None else standings.place(about.order, value)
        score = about.score(value)
        data = {"rank": place.rank, "score": score, "total_count": place.total_count, "exact": place.exact}
        return _answer(request, data, cache_control=PUBLIC if request.auth is None else PRIVATE)


class AroundPlayerView(Endpoint):
    """The page of a board with a player in the middle."""

    public = frozenset({"GET"})
    limited_as = "boards"
    query = _NARROWED | {"limit"}

    @extend_schema(
        operation_id="get_leaderboard_around",
        summary="List a leaderboard around a player",
        description=(
            "The page is full also where the player is near an end. A player of yours who is not on the board gets its "
            "end, and `me` is null; `id:<uuid>` of somebody else's who is not on it is answered 404."
        ),
        tags=documents.TAGS,
        parameters=[documents.GAME, documents.BOARD, documents.PLAYER, *documents.CENTRED],
        responses={200: documents.AroundPage},
        examples=[examples.AROUND_EXAMPLE],
    )
    def get(self, request: Request, game_id: str, board: str, player: str) -> HttpResponse:
        """Answer the page."""
        about = asked.board_of(request, game_id, board)
        limit = read_whole(request, "limit", default=documents.AROUND_LIMIT, lowest=1, highest=MAX_LIMIT)
        info = asked.player_named(request, player)
        own = _own(request, about) if _is_caller(request, info.id) else None
        where: Where = Around(info.id)
        if own is not None:
            where = FromOffset(first_place_around(own.place, size=limit, total=own.total_count))
        data = _data(request, about, where, limit=limit, own=own, centre=info.id)
        if data["me"] is None and player.startswith("id:") and not _is_own(request, info):
            raise asked.nobody()
        finished = pages.finished(data)
        return bytes_answer(request, finished.body, etag=finished.etag, cache_control=PRIVATE)


def _delta(about: Asked, order: Board, player_id: int, rank: int) -> int | None:
    """Return how far a player rose since a day ago, and let his rank be kept from now on."""
    if order.region is not None or order.game_id is None:
        return None
    now = clock.now()
    if about.keeps_ranks:
        history.note_watch([order], player_id, now=now)
    return history.rank_delta(order, player_id, rank, at=now)


def _friends_page(request: Request, game_id: str, key: str) -> HttpResponse:
    """Answer a page of a player and his friends, ranked among themselves; only to himself and his studio."""
    if isinstance(request.auth, KeyHolder) and "players:read" not in request.auth.scopes:
        raise Forbidden("The server key lacks the scope `players:read`.")
    player = player_of(request, request.GET["friends_of"])
    about = asked.board_of(request, game_id, key)
    kind = f"friends of {player.id} on {about.list_name}"
    where, limit = _where(request, kind), read_limit(request)
    listing = Listing("shared", 0, 0, 0, [])
    if about.order is not None:
        circle, own = friends.circle_of(player.id), _own(request, about)
        listing = standings.among(about.order, circle, where, limit=limit, own=own and own.row)
    data = pages.page_data(request, about, listing)
    data["next_cursor"] = encode_cursor(kind, list(listing.rows[-1])) if listing.goes_on else None
    finished = pages.finished(data)
    return bytes_answer(request, finished.body, etag=finished.etag, cache_control=PRIVATE)


def _page(request: Request, game_id: str, key: str) -> HttpResponse:
    """Answer a page; to callers without credential maybe one of a moment ago."""
    if "friends_of" in request.GET:
        if request.auth is None:
            raise Unauthenticated("A friends' board needs the player's token, or a server key of the studio.")
        return _friends_page(request, game_id, key)
    address = request.get_full_path() if request.auth is None else None
    finished = memo.get(address) if address else None
    if address:
        _looks.note(finished)
    if finished is None:
        about = asked.board_of(request, game_id, key)
        where, limit = _where(request, about.list_name), read_limit(request)
        finished = pages.finished(_data(request, about, where, limit=limit, own=_own(request, about)))
        if address:
            memo.keep(address, finished)
    return bytes_answer(
        request, finished.body, etag=finished.etag, cache_control=PUBLIC if address else PRIVATE
    )


def _is_caller(request: Request, player_id: int) -> bool:
    return isinstance(request.auth, TokenHolder) and request.auth.player.id == player_id


def _is_own(request: Request, info: PlayerInfo) -> bool:
    """Say whether the caller knows the player anyway: himself, or one of the studio's own."""
    if isinstance(request.auth, KeyHolder):
        return info.external_id is not None
    return _is_caller(request, info.id)


def _own(request: Request, about: Asked) -> Own | None:
    """Return the calling player's own entry, if others don't see it."""
    if about.order is None or not isinstance(request.auth, TokenHolder):
        return None
    rank = moderated.own_entry(about.order, request.auth.player.id)
    if rank is None:
        return None
    row = Row(request.auth.player.id, rank.sort_value, rank.reached_us)
    place = moderated.own_place(about.order, request.auth.player.id, rank)
    return Own(rank.rank, row, rank.total_count, rank.tied, place)


def _data(
    request: Request, about: Asked, where: Where, *, limit: int, own: Own | None, centre: int | None = None
) -> dict[str, Any]:
    """Return a page's data, for `own` with himself in it."""
    if own is None:
        return pages.page_data(request, about, _listing(about, where, limit=limit), centre=centre)
    listing = _listing(about, own.start(where), limit=limit)
    return pages.own_page_data(request, about, listing, own, where, limit=limit, centre=centre)


def _listing(about: Asked, where: Where, *, limit: int) -> Listing:
    """Return a page; of a period in which nobody scored yet an empty one."""
    if about.order is None:
        return Listing("shared", 0, 0, 0, [])
    return standings.page(about.order, where, limit=limit)


def _where(request: Request, kind: str) -> FromOffset | Behind:
    """Return where a page of a list begins: behind a cursor, or at an offset (0 by default). Raises Malformed."""
    cursor = request.GET.get("cursor")
    if cursor is None:
        return FromOffset(read_whole(request, "offset", default=0, lowest=0, highest=documents.DEEPEST))
    if "offset" in request.GET:
        raise Malformed("`cursor` and `offset` both say where the page begins. Send one of them.")
    return Behind(Row(*decode_cursor(kind, cursor)))


def _score(request: Request, about: Asked) -> int:
    """Return the `score` of the query in the board's smallest step. Raises Malformed, Invalid."""
    text = request.GET.get("score")
    if text is None:
        raise Malformed("`score` is missing: say which score's rank you ask for.")
    try:
        if len(text) > _LONGEST_SCORE or not _NUMBER.fullmatch(text):
            raise ValueError("A score is a number.")
        return rules.to_units(Decimal(text), decimals=about.info.decimals if about.info else 0)
    except ValueError as error:
        raise Invalid.value("/score", str(error)) from None


def _answer(request: Request, data: dict[str, Any], *, cache_control: str) -> HttpResponse:
    body = dumps(data)
    return bytes_answer(request, body, etag=etag_of(body), cache_control=cache_control)
