"""/games/{game_id}/achievements and /games/{game_id}/achievements/{key}."""

import unicodedata

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import named_game
from achievements.api.authors import author
from achievements.api.shapes import (
    EXAMPLE,
    DefinitionChange,
    DefinitionInput,
    DefinitionOutput,
    DefinitionPage,
    definition_json,
    read_fields,
)
from achievements.selectors import definitions
from achievements.selectors.definitions import Definition
from achievements.services import definitions as services
from core.endpoint import PAGE_PARAMETERS, Endpoint, page, read_flag, read_limit
from core.pagination import decode_cursor, encode_cursor
from core.refusals import NotFound

_INPUT = {"key": "first-blood", "name": "First blood", "description": "Win a duel.", "points": 10}
_TAGS = ["Definitions"]


class DefinitionsView(Endpoint):
    """A game's definitions."""

    scopes = {"GET": "definitions:read", "POST": "definitions:write"}
    query = frozenset({"limit", "cursor"})

    @extend_schema(
        operation_id="list_achievements",
        summary="List a game's achievements",
        tags=_TAGS,
        parameters=PAGE_PARAMETERS,
        responses=DefinitionPage,
        examples=[
            OpenApiExample(
                "One",
                {"results": [EXAMPLE], "next_cursor": None, "has_next_page": False, "total_count": 1},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, game_id: str) -> Response:
        """Return a page of definitions in their order: by `sort_order`, then as they were made."""
        game = named_game(request, game_id)
        limit, cursor = read_limit(request), request.GET.get("cursor")
        listed = list(definitions.fresh_catalogue(game.id).by_key.values())
        if cursor is not None:
            after = tuple(decode_cursor(f"definitions {game.id}", cursor))
            listed_from = [one for one in listed if (one.sort_order, one.id) > after]
        else:
            listed_from = listed
        shown = listed_from[:limit]
        rarities = definitions.rarities(one.id for one in shown)
        more = len(listed_from) > limit
        last = [shown[-1].sort_order, shown[-1].id] if shown else []
        return Response(
            page(
                [definition_json(one, rarities[one.id]) for one in shown],
                next_cursor=encode_cursor(f"definitions {game.id}", last) if more else None,
                total_count=len(listed),
            )
        )

    @extend_schema(
        operation_id="create_achievement",
        summary="Create an achievement",
        description="Only `key` and `name` are needed. It is published unless `state` says otherwise.",
        tags=_TAGS,
        request=DefinitionInput,
        responses={201: DefinitionOutput},
        examples=[
            OpenApiExample("A definition", _INPUT, request_only=True),
            OpenApiExample("Created", EXAMPLE, response_only=True),
        ],
    )
    def post(self, request: Request, game_id: str) -> Response:
        """Create a definition."""
        game = named_game(request, game_id)
        made = services.create(game=game, values=read_fields(request.data, new=True), by=author(request))
        return Response(_answer(made), status=201)


class DefinitionView(Endpoint):
    """One definition."""

    scopes = {"GET": "definitions:read", "PATCH": "definitions:write", "DELETE": "definitions:write"}
    bodiless = frozenset({"DELETE"})
    query = frozenset({"announce"})

    @extend_schema(
        operation_id="get_achievement",
        summary="Get an achievement's definition",
        tags=_TAGS,
        responses=DefinitionOutput,
        examples=[OpenApiExample("A definition", EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, game_id: str, key: str) -> Response:
        """Return the definition."""
        game = named_game(request, game_id)
        found = definitions.fresh_catalogue(game.id).by_key.get(_key(key))
        if found is None:
            raise NotFound("The game has no such achievement.")
        return Response(_answer(found))

    @extend_schema(
        operation_id="update_achievement",
        summary="Change an achievement's definition",
        description=(
            "What is left out stays. The key never changes; unlocks keep their time and the points they were worth. "
            "Whoever meets the changed definition already is given it in the background, silently (`GET …/backfills` "
            "tells how far that is), unless `announce=true`."
        ),
        tags=_TAGS,
        parameters=[OpenApiParameter("announce", OpenApiTypes.BOOL, description="Tell whom it is given to.")],
        request=DefinitionChange,
        responses=DefinitionOutput,
        examples=[OpenApiExample("Archive", {"state": "archived"}, request_only=True)],
    )
    def patch(self, request: Request, game_id: str, key: str) -> Response:
        """Change the definition."""
        game = named_game(request, game_id)
        values = read_fields(request.data, new=False)
        announce = read_flag(request, "announce")
        changed = services.update(
            game=game, key=_key(key), values=values, announce=announce, by=author(request)
        )
        return Response(_answer(changed))

    @extend_schema(
        operation_id="delete_achievement",
        summary="Delete a draft",
        description="Only a draft that no tester holds: a published achievement is archived.",
        tags=_TAGS,
        responses={204: None},
    )
    def delete(self, request: Request, game_id: str, key: str) -> Response:
        """Delete the draft."""
        services.delete(game=named_game(request, game_id), key=_key(key), by=author(request))
        return Response(status=204)


def _key(key: str) -> str:
    return unicodedata.normalize("NFC", key)


def _answer(definition: Definition) -> dict[str, object]:
    return definition_json(definition, definitions.rarities([definition.id])[definition.id])
