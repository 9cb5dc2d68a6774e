"""/games/{game_id}/leaderboards and /games/{game_id}/leaderboards/{key}."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import named_game
from core import clock
from core.clock import rfc3339
from core.endpoint import PAGE_PARAMETERS, Endpoint, page, read_limit
from core.pagination import decode_cursor, encode_cursor
from core.refusals import Malformed, NotFound
from core.strict_json import ExactJSONParser
from leaderboards.api import declared
from leaderboards.rules.definitions import CLEAN
from leaderboards.rules.scores import to_number
from leaderboards.selectors import definitions
from leaderboards.selectors.definitions import POINTS, BoardInfo
from leaderboards.services import definitions as services

_TAGS = ["Definitions"]


class BoardDefinitionsView(Endpoint):
    """A game's boards."""

    scopes = {"GET": "definitions:read", "POST": "definitions:write"}
    query = frozenset({"limit", "cursor"})
    parser_classes = [ExactJSONParser]

    @extend_schema(
        operation_id="list_leaderboards",
        summary="List a game's leaderboards",
        description="The built-in board `points` first, then the game's own, oldest first.",
        tags=_TAGS,
        parameters=PAGE_PARAMETERS,
        responses=declared.BoardDefinitionPage,
        examples=[declared.PAGE_EXAMPLE],
    )
    def get(self, request: Request, game_id: str) -> Response:
        """Return a page of boards."""
        game = named_game(request, game_id)
        limit, cursor = read_limit(request), request.GET.get("cursor")
        kind = f"leaderboards {game.id}"
        after = decode_cursor(kind, cursor)[0] if cursor is not None else -1
        listed = [(0, points_json()), *((one.id, board_json(one)) for one in _own(game.id))]
        behind = [(pk, shown) for pk, shown in listed if pk > after]
        more = len(behind) > limit
        return Response(
            page(
                [shown for _, shown in behind[:limit]],
                next_cursor=encode_cursor(kind, [behind[limit - 1][0]]) if more else None,
                total_count=len(listed),
            )
        )

    @extend_schema(
        operation_id="create_leaderboard",
        summary="Create a leaderboard",
        description="Only `key` and `name` are needed.",
        tags=_TAGS,
        request=declared.BoardDefinitionInput,
        responses={201: declared.BoardDefinitionOutput},
        examples=[
            OpenApiExample("A board", declared.INPUT, request_only=True),
            declared.EXAMPLE,
        ],
    )
    def post(self, request: Request, game_id: str) -> Response:
        """Create a board."""
        game = named_game(request, game_id)
        made = services.create(game=game, values=read_fields(request.data, new=True), at=clock.now())
        return Response(board_json(made), status=201)


class BoardDefinitionView(Endpoint):
    """One board."""

    scopes = {"GET": "definitions:read", "PATCH": "definitions:write", "DELETE": "definitions:write"}
    bodiless = frozenset({"DELETE"})
    parser_classes = [ExactJSONParser]

    @extend_schema(
        operation_id="get_leaderboard_definition",
        summary="Get a leaderboard's definition",
        description="With the time of its next reset.",
        tags=_TAGS,
        responses=declared.BoardDefinitionOutput,
        examples=[declared.EXAMPLE],
    )
    def get(self, request: Request, game_id: str, key: str) -> Response:
        """Return the board."""
        game = named_game(request, game_id)
        if key == POINTS:
            return Response(points_json())
        found = definitions.fresh_board(game.id, key)
        if found is None:
            raise NotFound("The game has no such leaderboard.")
        return Response(board_json(found))

    @extend_schema(
        operation_id="update_leaderboard",
        summary="Change a leaderboard",
        description=(
            "What is left out stays. How scores are weighed, ranked and filed (`sort`, `operator`, `tie_break`, "
            "`decimals`, `reset`, `cron`, `time_zone`, `spans`) can't change once there are scores (409)."
        ),
        tags=_TAGS,
        request=declared.BoardDefinitionChange,
        responses=declared.BoardDefinitionOutput,
        examples=[OpenApiExample("Archive", {"archived": True}, request_only=True)],
    )
    def patch(self, request: Request, game_id: str, key: str) -> Response:
        """Change the board."""
        game, values = named_game(request, game_id), read_fields(request.data, new=False)
        return Response(board_json(services.update(game=game, key=key, values=values, at=clock.now())))

    @extend_schema(
        operation_id="delete_leaderboard",
        summary="Delete a leaderboard",
        description="Only one that nobody has scored on: others are archived.",
        tags=_TAGS,
        responses={204: None},
    )
    def delete(self, request: Request, game_id: str, key: str) -> Response:
        """Delete the board."""
        services.delete(game=named_game(request, game_id), key=key)
        return Response(status=204)


def read_fields(body: Any, *, new: bool) -> dict[str, Any]:
    """Return a body's fields. Raises Malformed for another shape or an unknown name."""
    if not isinstance(body, dict):
        raise Malformed("An object is expected.")
    known = {*CLEAN, "key"} if new else set(CLEAN)
    unknown = [name for name in body if name not in known]
    if unknown:
        raise Malformed.names(unknown, known=known)
    return body


def board_json(board: BoardInfo) -> dict[str, Any]:
    """Return a board in the API's shape."""
    lowest, highest = (
        None if units is None else to_number(units, decimals=board.decimals)
        for units in (board.min_units, board.max_units)
    )
    resets_at = board.window(board.main_span, clock.now()).ends_at
    if resets_at is not None and board.ends_at is not None and board.ends_at <= resets_at:
        resets_at = None
    return {
        "key": board.key,
        "name": board.name,
        "sort": board.sort,
        "operator": board.operator,
        "tie_break": board.tie_break,
        "decimals": board.decimals,
        "format": board.format,
        "authority": board.authority,
        "stat": board.stat,
        "reset": board.reset,
        "cron": board.cron or None,
        "time_zone": board.time_zone,
        "spans": list(board.extra_spans),
        "attempts_limit": board.attempts_limit,
        "min_score": lowest,
        "max_score": highest,
        "starts_at": board.starts_at and rfc3339(board.starts_at),
        "ends_at": board.ends_at and rfc3339(board.ends_at),
        "metadata": board.metadata,
        "archived": board.archived,
        "builtin": False,
        "next_reset_at": resets_at and rfc3339(resets_at),
        "created_at": rfc3339(board.created_at),
        "updated_at": rfc3339(board.updated_at),
    }


def points_json() -> dict[str, Any]:
    """Return the built-in board of points in the API's shape."""
    return {
        **declared.DEFAULTS,
        **dict.fromkeys(("next_reset_at", "created_at", "updated_at")),
        "key": POINTS,
        "name": "Points",
        "operator": "sum",
        "builtin": True,
    }


def _own(game_id: int) -> list[BoardInfo]:
    return list(definitions.fresh_boards(game_id).values())
