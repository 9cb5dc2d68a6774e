"""GET /leaderboards/{game_id}/{board}/periods, one of them, and its final standings as a file."""

from typing import Any

from django.http import HttpResponse, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from core import clock
from core.clock import rfc3339
from core.endpoint import PAGE_PARAMETERS, Endpoint, bytes_answer, cached_answer, page, read_limit
from core.pagination import decode_cursor, encode_cursor
from core.problems import CONTENT_TYPE
from core.refusals import Conflict
from core.schema import ProblemOutput
from leaderboards.api import asked, documents, examples
from leaderboards.api.pages import PRIVATE, PUBLIC
from leaderboards.selectors import periods
from leaderboards.selectors.definitions import BoardInfo
from leaderboards.selectors.periods import PeriodInfo


class PeriodsView(Endpoint):
    """A board's periods."""

    public = frozenset({"GET"})
    limited_as = "boards"
    query = frozenset({"limit", "cursor"})

    @extend_schema(
        operation_id="list_periods",
        summary="List a leaderboard's periods",
        description=(
            "Newest first, those of all its spans; only periods in which somebody scored. A period is `open`, then "
            "`finalising` (15 minutes in which late scores count), then `final`: its standings are kept for ever."
        ),
        tags=documents.TAGS,
        parameters=[documents.GAME, documents.BOARD, *PAGE_PARAMETERS],
        responses={200: documents.PeriodPage},
        examples=[examples.PERIODS_EXAMPLE],
    )
    def get(self, request: Request, game_id: str, board: str) -> HttpResponse:
        """Answer a page of periods."""
        _, info = asked.declared(request, game_id, board)
        limit, cursor, kind = read_limit(request), request.GET.get("cursor"), f"periods {info.id}"
        before = decode_cursor(kind, cursor)[0] if cursor is not None else None
        found = periods.kept(info, before_id=before, limit=limit + 1)
        shown, more = found[:limit], len(found) > limit
        data = page(
            [period_json(one) for one in shown],
            next_cursor=encode_cursor(kind, [shown[-1].id]) if more else None,
        )
        return cached_answer(request, data, cache_control=_caching(request))


class PeriodView(Endpoint):
    """One period."""

    public = frozenset({"GET"})
    limited_as = "boards"
    query = frozenset({"span"})

    @extend_schema(
        operation_id="get_period",
        summary="Get a period of a leaderboard",
        description="By its id, or `current` or `previous`. 404 where nobody scored, but for the current one.",
        tags=documents.TAGS,
        parameters=[documents.GAME, documents.BOARD, documents.PERIOD, documents.SPAN],
        responses={200: documents.PeriodOutput},
        examples=[examples.PERIOD_EXAMPLE],
    )
    def get(self, request: Request, game_id: str, board: str, period: str) -> HttpResponse:
        """Answer the period."""
        _, found = _period(request, game_id, board, period)
        return cached_answer(request, period_json(found), cache_control=_caching(request))


class StandingsView(Endpoint):
    """A final period's standings."""

    public = frozenset({"GET"})
    limited_as = "boards"
    query = frozenset({"span"})

    @extend_schema(
        operation_id="get_final_standings",
        summary="Download a final period's standings",
        description=(
            "A CSV file with the columns rank, player_id, region, score, reached_at and metadata. Its SHA-256 is the "
            "period's `standings_hash`, and the ETag. It changes only where a player who stands in it is erased. 409 "
            "while the period is not final."
        ),
        tags=documents.TAGS,
        parameters=[documents.GAME, documents.BOARD, documents.PERIOD, documents.SPAN],
        responses={
            (200, "text/csv"): OpenApiTypes.STR,
            (409, CONTENT_TYPE): OpenApiResponse(ProblemOutput, "The period is not final yet."),
        },
        examples=[examples.STANDINGS_EXAMPLE],
    )
    def get(self, request: Request, game_id: str, board: str, period: str) -> Any:
        """Answer the file, in pieces."""
        info, found = _period(request, game_id, board, period)
        if found.standings_hash is None or found.id is None:
            raise Conflict("The period is not final yet: its standings may still change.")
        etag, caching = f'"{found.standings_hash.hex()}"', _caching(request)
        if request.META.get("HTTP_IF_NONE_MATCH", "").removeprefix("W/") == etag:
            return bytes_answer(request, b"", etag=etag, cache_control=caching)
        response = StreamingHttpResponse(periods.standings_file(info, found.id), content_type="text/csv")
        response["ETag"], response["Cache-Control"], response["Vary"] = etag, caching, "Authorization"
        response["Content-Disposition"] = f'attachment; filename="standings-{found.name}.csv"'
        return response


def period_json(period: PeriodInfo) -> dict[str, Any]:
    """Return a period in the API's shape."""
    return {
        **asked.period_json(period),
        "players": period.players,
        "finalised_at": period.finalised_at and rfc3339(period.finalised_at),
        "standings_hash": period.standings_hash and period.standings_hash.hex(),
    }


def _period(request: Request, game_id: str, board: str, name: str) -> tuple[BoardInfo, PeriodInfo]:
    _, info = asked.declared(request, game_id, board)
    return info, asked.period_of(info, name, request.GET.get("span"), at=clock.now())


def _caching(request: Request) -> str:
    return PUBLIC if request.auth is None else PRIVATE
