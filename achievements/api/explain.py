"""GET /players/{player}/achievements/{key}/explain."""

import unicodedata
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from accounts.authentication import TokenHolder, game_of, holder_of, player_of
from achievements.selectors import definitions, explaining
from core import clock
from core.endpoint import Endpoint, cached_answer
from core.ids import parse_id
from core.refusals import NotFound


class ExplanationOutput(serializers.Serializer[Any]):
    """Why an achievement is unlocked, or still locked."""

    achievement = serializers.CharField()
    type = serializers.CharField()
    unlocked = serializers.BooleanField()
    unlocked_at = serializers.DateTimeField(allow_null=True)
    event_id = serializers.UUIDField(allow_null=True)
    why_locked = serializers.ListField(child=serializers.CharField())
    conditions = serializers.ListField(child=serializers.DictField())


_EXAMPLE = {
    "achievement": "gold-driver",
    "type": "incremental",
    "unlocked": False,
    "unlocked_at": None,
    "event_id": None,
    "why_locked": ["Not all of its conditions are met."],
    "conditions": [
        {
            "all": [
                {
                    "stat": "won-races",
                    "at_least": 1,
                    "met": True,
                    "current": 3,
                    "decided_by": {
                        "event_id": "0198f2c4-6f1e-7000-8000-000000000001",
                        "value": 1,
                        "at": "2026-11-23T12:26:00.123Z",
                    },
                },
                {"stat": "won-trials", "at_least": 1, "met": False, "current": None, "decided_by": None},
            ],
            "met": False,
        }
    ],
}


class ExplainView(Endpoint):
    """Why an achievement is unlocked or locked for a player."""

    scopes = {"GET": "players:read"}
    player_may = frozenset({"GET"})
    query = frozenset({"game_id"})

    @extend_schema(
        operation_id="explain_achievement",
        summary="Say why an achievement is unlocked or still locked",
        description=(
            "Each condition with its current value and the event by which it held first: `stat` and `sum` as in the "
            "definition's goal, joined by `all` and `any`; `steps` for one with steps of its own; `achievement` for "
            "what a meta achievement requires. To anyone but the studio a hidden one that is locked does not exist."
        ),
        tags=["Players"],
        parameters=[
            OpenApiParameter(
                "game_id", OpenApiTypes.UUID, description="May be left out with a key of one game."
            )
        ],
        responses=ExplanationOutput,
        examples=[OpenApiExample("One of two conditions is met", _EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, player: str, key: str) -> HttpResponse:
        """Return the explanation."""
        named = request.GET.get("game_id")
        uuid = None if named is None else parse_id(named)
        if named is not None and uuid is None:
            raise NotFound("There is no such game.")
        game, info = game_of(request, uuid), player_of(request, player)
        catalogue = definitions.fresh_catalogue(game.id)
        definition = catalogue.by_key.get(unicodedata.normalize("NFC", key))
        if definition is None:
            raise NotFound("The game has no such achievement.")
        is_studio = not isinstance(holder_of(request), TokenHolder)
        listed = catalogue.by_key.values()
        secrets = set() if is_studio else {one.key for one in listed if explaining.is_secret(one)}
        told = explaining.trace(info.id, catalogue, definition, secrets=secrets, at=clock.now())
        if explaining.is_secret(definition) and not told["unlocked"] and not is_studio:
            raise NotFound("The game has no such achievement.")
        return cached_answer(request, told, cache_control="private, max-age=0")
