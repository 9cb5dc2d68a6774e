"""/games/{game_id}/stats and /games/{game_id}/stats/{key}."""

import unicodedata
from decimal import Decimal
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
from stats.api import declared
from stats.rules.definitions import CLEAN
from stats.rules.values import to_number
from stats.selectors import definitions
from stats.selectors.definitions import StatInfo
from stats.services import definitions as services

_TAGS = ["Definitions"]


class StatDefinitionsView(Endpoint):
    """A game's stats."""

    scopes = {"GET": "definitions:read", "POST": "definitions:write"}
    query = frozenset({"limit", "cursor"})
    parser_classes = [ExactJSONParser]

    @extend_schema(
        operation_id="list_stats",
        summary="List a game's stats",
        description="Oldest first.",
        tags=_TAGS,
        parameters=PAGE_PARAMETERS,
        responses=declared.StatDefinitionPage,
        examples=[declared.PAGE_EXAMPLE],
    )
    def get(self, request: Request, game_id: str) -> Response:
        """Return a page of stats."""
        game = named_game(request, game_id)
        limit, cursor = read_limit(request), request.GET.get("cursor")
        kind = f"stats {game.id}"
        after = decode_cursor(kind, cursor)[0] if cursor is not None else -1
        listed = list(definitions.fresh_stats(game.id).values())
        behind = [stat for stat in listed if stat.id > after]
        shown = behind[:limit]
        more = len(behind) > limit
        return Response(
            page(
                [stat_json(stat) for stat in shown],
                next_cursor=encode_cursor(kind, [shown[-1].id]) if more else None,
                total_count=len(listed),
            )
        )

    @extend_schema(
        operation_id="create_stat",
        summary="Create a stat",
        description="Only `key` and `name` are needed. A game has at most 500.",
        tags=_TAGS,
        request=declared.StatDefinitionInput,
        responses={201: declared.StatDefinitionOutput},
        examples=[OpenApiExample("A stat", declared.INPUT, request_only=True), declared.EXAMPLE],
    )
    def post(self, request: Request, game_id: str) -> Response:
        """Create a stat."""
        game = named_game(request, game_id)
        made = services.create(game=game, values=read_fields(request.data, new=True), at=clock.now())
        return Response(stat_json(made), status=201)


class StatDefinitionView(Endpoint):
    """One stat."""

    scopes = {"GET": "definitions:read", "PATCH": "definitions:write", "DELETE": "definitions:write"}
    bodiless = frozenset({"DELETE"})
    parser_classes = [ExactJSONParser]

    @extend_schema(
        operation_id="get_stat",
        summary="Get a stat's definition",
        tags=_TAGS,
        responses=declared.StatDefinitionOutput,
        examples=[declared.EXAMPLE],
    )
    def get(self, request: Request, game_id: str, key: str) -> Response:
        """Return the stat."""
        found = definitions.fresh_stat(named_game(request, game_id).id, key)
        if found is None:
            raise NotFound("The game has no such stat.")
        return Response(stat_json(found))

    @extend_schema(
        operation_id="update_stat",
        summary="Change a stat",
        description=(
            "What is left out stays, and so do values that new guards would refuse. `aggregation` can't change once "
            "anybody has a value (409)."
        ),
        tags=_TAGS,
        request=declared.StatDefinitionChange,
        responses=declared.StatDefinitionOutput,
        examples=[OpenApiExample("Archive", {"archived": True}, request_only=True)],
    )
    def patch(self, request: Request, game_id: str, key: str) -> Response:
        """Change the stat."""
        game, values = named_game(request, game_id), read_fields(request.data, new=False)
        changed = services.update(game=game, key=_key(key), values=values, at=clock.now())
        return Response(stat_json(changed))

    @extend_schema(
        operation_id="delete_stat",
        summary="Delete a stat",
        description="Only one that nobody has a value of: others are archived.",
        tags=_TAGS,
        responses={204: None},
    )
    def delete(self, request: Request, game_id: str, key: str) -> Response:
        """Delete the stat."""
        services.delete(game=named_game(request, game_id), key=_key(key))
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


def stat_json(stat: StatInfo) -> dict[str, Any]:
    """Return a stat in the API's shape."""
    shown = {
        name: to_number(value) if isinstance(value, Decimal) else value
        for name, value in services.as_values(stat).items()
    }
    times = {"created_at": rfc3339(stat.created_at), "updated_at": rfc3339(stat.updated_at)}
    return {"key": stat.key, **shown, **times}


def _key(key: str) -> str:
    # What PostgreSQL can't be asked for is nobody's key.
    if "\0" in key:
        raise NotFound("The game has no such stat.")
    return unicodedata.normalize("NFC", key)
