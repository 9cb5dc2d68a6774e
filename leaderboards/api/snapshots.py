"""GET /leaderboards/{game_id}/{board}/snapshots, one of them, and a player's ranks over time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from accounts.authentication import TokenHolder
from core import clock
from core.clock import parse_rfc3339, rfc3339
from core.endpoint import PAGE_PARAMETERS, Endpoint, cached_answer, page, read_limit
from core.ids import parse_id
from core.pagination import decode_cursor, encode_cursor
from core.refusals import Malformed, NotFound
from leaderboards import keys
from leaderboards.api import asked, documents, examples, pages
from leaderboards.api.asked import GLOBAL, Asked
from leaderboards.api.pages import PRIVATE, PUBLIC
from leaderboards.keys import Board
from leaderboards.listing import Row
from leaderboards.selectors import definitions, history, moderated
from leaderboards.selectors.definitions import POINTS, BoardInfo
from leaderboards.selectors.history import SnapshotInfo
from leaderboards.selectors.ranks import ALL_TIME


class SnapshotsView(Endpoint):
    """Kept looks at a board."""

    public = frozenset({"GET"})
    limited_as = "boards"
    query = frozenset({"from", "to", "limit", "cursor"})

    @extend_schema(
        operation_id="list_snapshots",
        summary="List a leaderboard's snapshots",
        description=(
            "Newest first, of its main span. Taken every five minutes while it changes; all of them are kept for two "
            "days, then one an hour for two weeks, then one a day for 400 days."
        ),
        tags=documents.TAGS,
        parameters=[documents.GAME, documents.BOARD, documents.FROM, documents.TO, *PAGE_PARAMETERS],
        responses={200: documents.SnapshotPage},
        examples=[examples.SNAPSHOTS_EXAMPLE],
    )
    def get(self, request: Request, game_id: str, board: str) -> HttpResponse:
        """Answer a page of snapshots."""
        game, info = _board(request, game_id, board)
        limit, cursor, kind = read_limit(request), request.GET.get("cursor"), f"snapshots {game} {board}"
        found = history.snapshots(
            history.orders(info, game_id=game),
            since=_time(request, "from"),
            until=_time(request, "to"),
            before_id=decode_cursor(kind, cursor)[0] if cursor is not None else None,
            limit=limit + 1,
        )
        shown, more = found[:limit], len(found) > limit
        data = page(
            [_snapshot_json(one) for one in shown],
            next_cursor=encode_cursor(kind, [shown[-1].id]) if more else None,
        )
        return cached_answer(request, data, cache_control=_caching(request))


class SnapshotView(Endpoint):
    """One kept look at a board."""

    public = frozenset({"GET"})
    limited_as = "boards"

    @extend_schema(
        operation_id="get_snapshot",
        summary="Get a snapshot of a leaderboard",
        description=(
            "The first thousand places as they were; players are shown as they are now, and whom the board does not "
            "show any more is left out."
        ),
        tags=documents.TAGS,
        parameters=[documents.GAME, documents.BOARD, documents.SNAPSHOT],
        responses={200: documents.SnapshotWithRows},
        examples=[examples.SNAPSHOT_EXAMPLE],
    )
    def get(self, request: Request, game_id: str, board: str, snapshot: str) -> HttpResponse:
        """Answer the snapshot."""
        game, info = _board(request, game_id, board)
        uuid = parse_id(snapshot)
        found = None if uuid is None else history.snapshot(history.orders(info, game_id=game), uuid)
        if found is None:
            raise NotFound("There is no such snapshot of this leaderboard.")
        about = Asked(info.key if info else POINTS, info, ALL_TIME, None)
        seen = _seen(request, keys.board_of(b"{%s}" % found.board.encode()), [row[0] for row in found.rows])
        ranked = [
            (rank, Row(player, sort_value, at))
            for player, rank, sort_value, at in found.rows
            if player in seen
        ]
        rows = [
            {name: row[name] for name in ("rank", "player", "score", "submitted_at")}
            for row in pages.rows(request, about, ranked)
        ]
        return cached_answer(
            request, {**_snapshot_json(found), "results": rows}, cache_control=_caching(request)
        )


class RankHistoryView(Endpoint):
    """A player's ranks over time."""

    public = frozenset({"GET"})
    limited_as = "boards"
    query = frozenset({"window"})

    @extend_schema(
        operation_id="get_rank_history",
        summary="Tell how a player's rank changed",
        description=(
            "In the present period of the board's main span, a point for each snapshot. Kept from the moment on at "
            "which somebody asked for the player's rank, for as long as somebody asks every week. Of a player whom the "
            "board does not show now there are no points."
        ),
        tags=documents.TAGS,
        parameters=[documents.GAME, documents.BOARD, documents.PLAYER, documents.WINDOW],
        responses={200: documents.RankHistory},
        examples=[examples.HISTORY_EXAMPLE],
    )
    def get(self, request: Request, game_id: str, board: str, player: str) -> HttpResponse:
        """Answer the ranks."""
        window = request.GET.get("window", "7d")
        if window not in documents.WINDOWS:
            raise Malformed(f"`window` takes one of {', '.join(documents.WINDOWS)}.")
        about = asked.board_of(request, game_id, board)
        person = asked.player_named(request, player)
        now = clock.now()
        points: list[dict[str, Any]] = []
        if about.order is not None and person.id in _seen(request, about.order, [person.id]):
            if about.keeps_ranks:
                history.note_watch([about.order], person.id, now=now)
            since = now - timedelta(days=documents.WINDOWS[window])
            points = [
                {"at": rfc3339(one.at), "rank": one.rank, "score": about.score(one.sort_value)}
                for one in history.samples(about.order, person.id, since=since)
            ]
        return cached_answer(request, {"window": window, "points": points}, cache_control=PRIVATE)


def _board(request: Request, game_id: str, key: str) -> tuple[int, BoardInfo | None]:
    """Return the game and the board, None for points. Raises NotFound."""
    if game_id == GLOBAL:
        raise NotFound("No snapshots are kept of the board over all games.")
    game = asked.game_named(request, game_id)
    info = None if key == POINTS else definitions.board(game.id, key)
    if info is None and key != POINTS:
        raise NotFound("There is no such leaderboard.")
    return game.id, info


def _seen(request: Request, board: Board | None, player_ids: Sequence[int]) -> set[int]:
    """Return whom of the players the caller may see on a board: who is on it now, and himself."""
    own = {request.auth.player.id} if isinstance(request.auth, TokenHolder) else set()
    return own if board is None else own | moderated.shown(board, player_ids)


def _time(request: Request, name: str) -> datetime | None:
    text = request.GET.get(name)
    try:
        return None if text is None else parse_rfc3339(text)
    except ValueError as error:
        raise Malformed(f"`{name}` is {error}: correct it.") from None


def _snapshot_json(one: SnapshotInfo) -> dict[str, Any]:
    return {
        "id": str(one.uuid),
        "taken_at": rfc3339(one.taken_at),
        "period": one.period,
        "players": one.players,
    }


def _caching(request: Request) -> str:
    return PUBLIC if request.auth is None else PRIVATE
