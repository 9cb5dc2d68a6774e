"""POST /achievements/unlock and /achievements/unlock/batch."""

import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from accounts import signatures
from accounts.authentication import TokenHolder, external_id_of, game_of, holder_of, read_player_name
from accounts.throttling import charge
from achievements.services import unlocks
from achievements.services.unlocks import Caller, Unlocked, UnlockRequest
from core import clock
from core.clock import rfc3339
from core.endpoint import Endpoint
from core.ids import parse_id
from core.items import (
    Errors,
    error,
    read_event_id,
    read_list,
    read_object,
    read_time,
    require_none,
    sent_event_id,
)
from core.refusals import NotFound, Refused
from core.rendering import dumps

_LONGEST_KEY = 128
_ITEM = frozenset({"player", "achievement", "unlocked_at", "event_id"})
_SINGLE = _ITEM | {"game_id"}
_BATCH = frozenset({"game_id", "unlocks"})


class UnlockItem(serializers.Serializer[Any]):
    """An unlock, as documented; `read_unlock` reads it (a serializer costs thirty times as much per item)."""

    player = serializers.CharField(max_length=128, help_text="Your id for the player.")
    achievement = serializers.CharField(max_length=128, help_text="The achievement's key.")
    unlocked_at = serializers.DateTimeField(required=False, help_text="When it happened. Default: now.")
    event_id = serializers.UUIDField(required=False, help_text="Your id for the event. Default: a new one.")


class UnlockInput(UnlockItem):
    """One unlock."""

    game_id = serializers.UUIDField(required=False, help_text="May be left out with a key of one game.")


class BatchInput(serializers.Serializer[Any]):
    """Up to 1,000 unlocks of one game."""

    game_id = serializers.UUIDField(required=False, help_text="May be left out with a key of one game.")
    unlocks = UnlockItem(many=True)


class TotalsOutput(serializers.Serializer[Any]):
    """What the player's unlocks in the game add up to now."""

    points = serializers.IntegerField()
    unlocked = serializers.IntegerField()
    available = serializers.IntegerField()


class UnlockOutput(serializers.Serializer[Any]):
    """What an unlock came to; `points` and `totals` are given when it is new."""

    event_id = serializers.UUIDField()
    status = serializers.ChoiceField(["unlocked", "already_unlocked"])
    unlocked_at = serializers.DateTimeField()
    points = serializers.IntegerField(required=False)
    totals = TotalsOutput(required=False)


class BatchResult(serializers.Serializer[Any]):
    """What one item came to."""

    event_id = serializers.UUIDField(allow_null=True)
    status = serializers.ChoiceField(["unlocked", "already_unlocked", "rejected"])
    problem = serializers.DictField(required=False)


class BatchOutput(serializers.Serializer[Any]):
    """What each item came to, in the order sent."""

    unlocked = serializers.IntegerField()
    already_unlocked = serializers.IntegerField()
    rejected = serializers.IntegerField()
    results = BatchResult(many=True)


_EXAMPLE_ID = "019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b11"
_EXAMPLE_GAME = "019ab39f-11aa-7c00-8000-5a5a5a5a5a5a"
_EXAMPLE_ITEM = {"player": "p-1", "achievement": "first-blood"}


class UnlockView(Endpoint):
    """Unlocks an achievement for a player."""

    scopes = {"POST": "unlocks:write"}
    player_may = frozenset({"POST"})
    limited_as = "unlocks"

    @extend_schema(
        operation_id="unlock",
        summary="Unlock an achievement",
        description=(
            "Stored for good when the answer comes: 202 when it is new, 200 when the player had it already, however "
            "often it is sent. Ranks, notifications and webhooks follow within a second. Where the game wants it "
            "(`signed_requests`), a player's device signs what it sends with the `signing_key` that came with its "
            "token: `Content-Digest`, `Signature-Input` and `Signature` (RFC 9421) over method, path and body, each "
            "time with a nonce of its own."
        ),
        tags=["Unlocks"],
        request=UnlockInput,
        responses={
            202: OpenApiResponse(UnlockOutput, "New"),
            200: OpenApiResponse(UnlockOutput, "Had it already"),
        },
        examples=[
            OpenApiExample("An unlock", {"game_id": _EXAMPLE_GAME, **_EXAMPLE_ITEM}, request_only=True),
            OpenApiExample(
                "New",
                {
                    "event_id": _EXAMPLE_ID,
                    "status": "unlocked",
                    "unlocked_at": "2026-11-23T12:26:00.123Z",
                    "points": 10,
                    "totals": {"points": 110, "unlocked": 7, "available": 40},
                },
                response_only=True,
                status_codes=["202"],
            ),
        ],
    )
    def post(self, request: Request) -> HttpResponse:
        """Record one unlock."""
        signatures.require(request)
        body = read_object(request.data, _SINGLE)
        game = game_of(request, read_game_id(body))
        wanted = _as_caller(request, read_unlock(body, known=_SINGLE))
        result = unlocks.unlock(game=game, request=wanted, by=caller_of(request), at=clock.now())
        new = result.status == "unlocked"
        return HttpResponse(
            dumps(_answer(result)), status=202 if new else 200, content_type="application/json"
        )


class BatchView(Endpoint):
    """Unlocks up to 1,000 achievements of one game."""

    scopes = {"POST": "unlocks:write"}
    player_may = frozenset({"POST"})
    limited_as = "unlocks"

    @extend_schema(
        operation_id="unlock_batch",
        summary="Unlock many achievements of one game",
        description=(
            "All good items are stored in one commit, in the order sent; a bad one is reported in its place and does "
            "not refuse the others. The same unlock twice is one `unlocked` and one `already_unlocked`."
        ),
        tags=["Unlocks"],
        request=BatchInput,
        responses={202: BatchOutput},
        examples=[
            OpenApiExample("Two", {"game_id": _EXAMPLE_GAME, "unlocks": [_EXAMPLE_ITEM]}, request_only=True),
            OpenApiExample(
                "Stored",
                {
                    "unlocked": 1,
                    "already_unlocked": 0,
                    "rejected": 0,
                    "results": [{"event_id": _EXAMPLE_ID, "status": "unlocked"}],
                },
                response_only=True,
            ),
        ],
    )
    def post(self, request: Request) -> HttpResponse:
        """Record a batch."""
        signatures.require(request)
        body = read_object(request.data, _BATCH)
        game = game_of(request, read_game_id(body))
        items = read_list(body, "unlocks")
        charge(request, len(items))
        read = [_read_item(request, item) for item in items]
        good = [item for item in read if isinstance(item, UnlockRequest)]
        settled = iter(unlocks.unlock_many(game=game, requests=good, by=caller_of(request), at=clock.now()))
        results = [next(settled) if isinstance(item, UnlockRequest) else item for item in read]
        return HttpResponse(
            dumps(_batch_answer(request, items, results)), status=202, content_type="application/json"
        )


def read_game_id(body: Mapping[str, Any]) -> UUID | None:
    """Return the body's game, None if it names none. Raises NotFound where it can't be an id."""
    value = body.get("game_id")
    if value is None:
        return None
    uuid = parse_id(value)
    if uuid is None:
        raise NotFound("There is no such game.")
    return uuid


def read_unlock(item: Any, *, known: frozenset[str] = _ITEM) -> UnlockRequest:
    """Return an item of a request.

    Raises:
        Malformed: not an object, or a name that is unknown.
        Invalid: a value that can't be.

    """
    item = read_object(item, known)
    errors: Errors = []
    player = read_player_name(item, errors)
    achievement = read_achievement_key(item, errors)
    unlocked_at = read_time(item, "unlocked_at", errors)
    event_id = read_event_id(item, errors)
    require_none(errors)
    return UnlockRequest(player, achievement, unlocked_at, event_id)


def read_achievement_key(item: Mapping[str, Any], errors: Errors) -> str:
    """Return the achievement's key, as keys are kept."""
    value = item.get("achievement")
    if not isinstance(value, str) or not 1 <= len(value) <= _LONGEST_KEY:
        errors.append(error("/achievement", "An achievement's key has 1 to 128 characters."))
        return ""
    return value if value.isascii() else unicodedata.normalize("NFC", value)


def _read_item(request: Request, item: Any) -> UnlockRequest | Refused:
    try:
        return _as_caller(request, read_unlock(item))
    except Refused as refused:
        return refused


def _as_caller(request: Request, wanted: UnlockRequest) -> UnlockRequest:
    """Name the player as the studio does."""
    player = external_id_of(request, wanted.player)
    return wanted if player == wanted.player else replace(wanted, player=player)


def caller_of(request: Request) -> Caller:
    """Return what the sender may do."""
    holder = holder_of(request)
    if isinstance(holder, TokenHolder):
        return Caller(is_player=True)
    return Caller(offline="offline:write" in holder.scopes)


def _answer(result: Unlocked) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "event_id": str(result.event_id),
        "status": result.status,
        "unlocked_at": rfc3339(result.unlocked_at),
    }
    if result.status == "unlocked":
        answer["points"] = result.points
        answer["totals"] = {
            "points": result.total_points,
            "unlocked": result.total_unlocked,
            "available": result.available,
        }
    return answer


def _batch_answer(request: Request, items: list[Any], results: list[Unlocked | Refused]) -> dict[str, Any]:
    counts = {"unlocked": 0, "already_unlocked": 0, "rejected": 0}
    rows: list[dict[str, Any]] = []
    for item, result in zip(items, results, strict=True):
        if isinstance(result, Refused):
            counts["rejected"] += 1
            problem = result.body(public_url=settings.PUBLIC_URL, instance=request.path)
            rows.append({"event_id": sent_event_id(item), "status": "rejected", "problem": problem})
        else:
            counts[result.status] += 1
            rows.append({"event_id": str(result.event_id), "status": result.status})
    return {**counts, "results": rows}
