"""POST /players/{player}/link-code and /players/{player}/link."""

from typing import Any, cast

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import linking
from accounts.api.players import PlayerOutput, player_json, written_name
from accounts.authentication import TokenHolder, holder_of, player_of
from accounts.selectors import KeyHolder
from core import clock
from core.clock import rfc3339
from core.deadlines import extend
from core.endpoint import Endpoint, StrictSerializer, StrictText

# Whoever holds ten thousand things takes a second where nothing else runs. Cut off, it would never come to an end.
LINK_SECONDS = 10.0
_PLAYER = {
    "id": "019ab3a0-22bb-7d11-9000-1c1c1c1c1c1c",
    "external_id": "steam:76561198000000001",
    "display_name": "marenok",
    "region": "EU",
    "avatar_url": "",
    "visibility": "public",
    "time_zone": "UTC",
}


class LinkCodeOutput(serializers.Serializer[Any]):
    """A code that joins another id to the player."""

    code = serializers.CharField()
    expires_at = serializers.DateTimeField()


class LinkInput(StrictSerializer):
    """A code that the person was shown elsewhere."""

    code = StrictText(max_length=64, help_text="In any case, with or without dashes and spaces.")


class LinkCodeView(Endpoint):
    """Codes for a player's other ids."""

    scopes = {"POST": "players:write"}
    bodiless = frozenset({"POST"})
    player_may = frozenset({"POST"})
    keeps_answers = False

    @extend_schema(
        operation_id="issue_link_code",
        summary="Issue a link code",
        description="Show it to the person, who enters it in another game: that game's studio redeems it for its own "
        "id for the person, and both ids name one player from then on. It is valid for 10 minutes and once; a new one "
        "replaces the older. An Idempotency-Key has no effect: what was answered is not kept.",
        tags=["Players"],
        request=None,
        responses={201: LinkCodeOutput},
        examples=[
            OpenApiExample(
                "A code", {"code": "7K3M-Q9TX", "expires_at": "2026-11-26T12:10:00Z"}, response_only=True
            )
        ],
    )
    def post(self, request: Request, player: str) -> Response:
        """Issue a code."""
        holder, info = holder_of(request), player_of(request, player)
        by = f"player:{info.uuid}" if isinstance(holder, TokenHolder) else holder.actor
        code, expires_at = linking.issue_code(player=info, studio_id=holder.studio_id, by=by, at=clock.now())
        return Response(
            {"code": code, "expires_at": rfc3339(expires_at)},
            status=201,
            headers={"Cache-Control": "no-store"},
        )


class LinkView(Endpoint):
    """Joins an id to the player whom a code stands for."""

    scopes = {"POST": "players:write"}
    keeps_answers = False

    @extend_schema(
        operation_id="redeem_link_code",
        summary="Redeem a link code",
        description="Your id names the code's player from then on; an id that you have not used yet is created. Where "
        "both ids have a player already, one is gone, with his name, region and settings, and his player tokens end: "
        "the one who holds nothing yet, else the one whom your id named. What he holds is the other's from then on. Of "
        "what both hold of one thing the earlier unlock, the greater progress and the better score stay; stats and "
        "scores that add up, attempts and playtime are added; friends are those of both, and a block of either holds. "
        "Final standings stay as they were. It can't be undone. Sums that are too large to be kept exactly are a "
        "conflict, and so is a 101st id of one person. Unknown, mistyped, expired and used codes are "
        "answered alike; after 10 of them in 15 minutes for one id, or 100 of yours, you have to wait. Repeating what "
        "was answered with success changes nothing, with or without an Idempotency-Key.",
        tags=["Players"],
        request=LinkInput,
        responses=PlayerOutput,
        examples=[
            OpenApiExample("A code", {"code": "7k3m-q9tx"}, request_only=True),
            OpenApiExample("The player", _PLAYER, response_only=True),
        ],
    )
    def post(self, request: Request, player: str) -> Response:
        """Redeem a code."""
        values = LinkInput(data=request.data)
        values.is_valid(raise_exception=True)
        holder = cast("KeyHolder", holder_of(request))  # a player token may not
        extend(LINK_SECONDS)
        info = linking.redeem(
            studio_id=holder.studio_id,
            external_id=written_name(request, player),
            code=values.validated_data["code"],
            by=holder.actor,
            at=clock.now(),
        )
        return Response(player_json(info))
