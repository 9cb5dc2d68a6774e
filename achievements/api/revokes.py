"""POST /achievements/revoke and /achievements/reset, GET /players/{player}/revokes."""

import unicodedata
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import game_of, holder_of, player_of
from accounts.selectors import KeyHolder
from achievements.selectors import revokes
from achievements.services import revokes as services
from core import clock
from core.clock import rfc3339
from core.endpoint import PAGE_PARAMETERS, Endpoint, GameId, StrictBoolean, StrictText, page, read_limit
from core.ids import parse_id
from core.pagination import decode_cursor, encode_cursor
from core.reasons import Reasoned
from core.refusals import Forbidden, Malformed, NotFound

_TAGS = ["Unlocks"]
_GAME = "019ab39f-11aa-7c00-8000-5a5a5a5a5a5a"


class RevokeInput(Reasoned):
    """What is taken back."""

    game_id = GameId(required=False, help_text="May be left out with a key of one game.")
    player = StrictText(
        max_length=128, trim_whitespace=False, help_text="Your id for the player, or `id:<uuid>`."
    )
    achievement = StrictText(max_length=128, trim_whitespace=False, help_text="The achievement's key.")


class RevokeTotals(serializers.Serializer[Any]):
    """The player's totals in the game afterwards."""

    points = serializers.IntegerField()
    unlocked = serializers.IntegerField()
    available = serializers.IntegerField()


class RevokeOutput(serializers.Serializer[Any]):
    """What it came to."""

    status = serializers.ChoiceField(["revoked", "not_unlocked"])
    revoked_at = serializers.DateTimeField(allow_null=True)
    points = serializers.IntegerField(help_text="What the unlock was worth.")
    totals = RevokeTotals(required=False)


class PlayerResetInput(Reasoned):
    """What begins anew."""

    game_id = GameId(required=False, help_text="May be left out with a key of one game.")
    player = StrictText(
        max_length=128, trim_whitespace=False, help_text="Your id for the player, or `id:<uuid>`."
    )
    achievement = StrictText(
        max_length=128, trim_whitespace=False, required=False, help_text="Left out: all of the game."
    )
    everything = StrictBoolean(
        required=False, help_text="All games that the player tests; without game_id and achievement."
    )


class PlayerResetOutput(serializers.Serializer[Any]):
    """How much began anew."""

    revoked = serializers.IntegerField(help_text="Unlocks that were taken back.")
    progress = serializers.IntegerField(help_text="Achievements that had steps or conditions met.")


class RevokedOutput(serializers.Serializer[Any]):
    """An unlock that was taken back."""

    achievement = serializers.CharField()
    points = serializers.IntegerField()
    unlocked_at = serializers.DateTimeField()
    event_id = serializers.UUIDField()
    revoked_at = serializers.DateTimeField()
    reason = serializers.CharField()


class RevokedPage(serializers.Serializer[Any]):
    """A page of them."""

    results = RevokedOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_next_page = serializers.BooleanField()


class RevokeView(Endpoint):
    """Takes an unlock back."""

    scopes = {"POST": "unlocks:write"}

    @extend_schema(
        operation_id="revoke_achievement",
        summary="Take an unlock back",
        description=(
            "Totals follow at once, ranks, rarity and history a moment later. What was unlocked is kept with the "
            "reason. Steps begin anew; it may be unlocked again. Meta achievements that needed it stay."
        ),
        tags=_TAGS,
        request=RevokeInput,
        responses={202: RevokeOutput, 200: RevokeOutput},
        examples=[
            OpenApiExample(
                "A cheat",
                {"game_id": _GAME, "player": "p-1", "achievement": "first-blood", "reason": "Ticket 4711"},
                request_only=True,
            ),
            OpenApiExample(
                "Revoked",
                {
                    "status": "revoked",
                    "revoked_at": "2026-11-23T12:26:00.123Z",
                    "points": 10,
                    "totals": {"points": 100, "unlocked": 6, "available": 40},
                },
                response_only=True,
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Take the unlock back; 200 where there was none."""
        asked = _read(RevokeInput, request)
        game = game_of(request, asked.get("game_id"))
        player = player_of(request, asked["player"])
        done = services.revoke(
            game=game,
            player_id=player.id,
            key=unicodedata.normalize("NFC", asked["achievement"]),
            reason=asked["reason"],
            actor=_actor(request),
            at=clock.now(),
        )
        if done.revoked_at is None:
            return Response({"status": "not_unlocked", "revoked_at": None, "points": 0})
        totals = {"points": done.total_points, "unlocked": done.total_unlocked, "available": done.available}
        told = {"status": "revoked", "revoked_at": rfc3339(done.revoked_at), "points": done.points}
        return Response({**told, "totals": totals}, status=202)


class ResetView(Endpoint):
    """Lets a player begin anew."""

    scopes = {"POST": "unlocks:write"}

    @extend_schema(
        operation_id="reset_achievements",
        summary="Let a player begin anew",
        description=(
            "One achievement, all of a game, or with `everything` all games that the player tests: unlocks are taken "
            "back as by a revoke, steps and conditions begin anew. Values of stats "
            "stay: `POST /stats/reset` takes them away."
        ),
        tags=_TAGS,
        request=PlayerResetInput,
        responses={202: PlayerResetOutput},
        examples=[
            OpenApiExample(
                "A tester", {"player": "p-1", "everything": True, "reason": "New build"}, request_only=True
            ),
            OpenApiExample("Begun anew", {"revoked": 12, "progress": 3}, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """Reset and count."""
        asked = _read(PlayerResetInput, request)
        player = player_of(request, asked["player"])
        told = {"reason": asked["reason"], "actor": _actor(request), "at": clock.now()}
        if asked.get("everything"):
            if "game_id" in asked or "achievement" in asked:
                raise Malformed("`everything` is asked for alone: leave game_id and achievement out.")
            holder = _holder(request)
            if holder.game_id is not None:
                raise Forbidden("A key of one game can't reset all of the studio's: give the game_id.")
            done = services.reset_tester(studio_id=holder.studio_id, player_id=player.id, **told)
        else:
            key = asked.get("achievement")
            done = services.reset(
                game=game_of(request, asked.get("game_id")),
                player_id=player.id,
                key=None if key is None else unicodedata.normalize("NFC", key),
                **told,
            )
        return Response({"revoked": done.revoked, "progress": done.progress}, status=202)


class RevokesView(Endpoint):
    """What was taken back from a player."""

    scopes = {"GET": "players:read"}
    query = frozenset({"game_id", "limit", "cursor"})

    @extend_schema(
        operation_id="list_revokes",
        summary="List what was taken back from a player",
        tags=["Players"],
        parameters=[
            OpenApiParameter(
                "game_id", OpenApiTypes.UUID, description="May be left out with a key of one game."
            ),
            *PAGE_PARAMETERS,
        ],
        responses=RevokedPage,
        examples=[
            OpenApiExample(
                "One",
                {
                    "results": [
                        {
                            "achievement": "first-blood",
                            "points": 10,
                            "unlocked_at": "2026-11-20T18:00:00.000Z",
                            "event_id": "019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b11",
                            "revoked_at": "2026-11-23T12:26:00.123Z",
                            "reason": "Ticket 4711",
                        }
                    ],
                    "next_cursor": None,
                    "has_next_page": False,
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, player: str) -> Response:
        """Return a page, newest first."""
        named = request.GET.get("game_id")
        uuid = None if named is None else parse_id(named)
        if named is not None and uuid is None:
            raise NotFound("There is no such game.")
        game, info = game_of(request, uuid), player_of(request, player)
        limit, cursor, kind = (
            read_limit(request),
            request.GET.get("cursor"),
            f"revokes {info.id} {game.id}",
        )
        before = None if cursor is None else decode_cursor(kind, cursor)[0]
        listed = revokes.listed(info.id, game_id=game.id, before=before, limit=limit + 1)
        shown, more = listed[:limit], len(listed) > limit
        results = [
            {
                "achievement": one.key,
                "points": one.points,
                "unlocked_at": rfc3339(one.unlocked_at),
                "event_id": one.event_id,
                "revoked_at": rfc3339(one.revoked_at),
                "reason": one.reason,
            }
            for one in shown
        ]
        next_cursor = encode_cursor(kind, [shown[-1].number]) if more else None
        return Response(page(results, next_cursor=next_cursor))


def _read(kind: type[Reasoned], request: Request) -> dict[str, Any]:
    values = kind(data=request.data)
    values.is_valid(raise_exception=True)
    return dict(values.validated_data)


def _holder(request: Request) -> KeyHolder:
    holder = holder_of(request)
    assert isinstance(holder, KeyHolder)  # a player's token is refused before
    return holder


def _actor(request: Request) -> str:
    return _holder(request).actor
