"""PUT and GET /players/{player}, POST and DELETE /players/{player}/token."""

import base64
from typing import Any, cast
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors, services, tokens
from accounts.api.games import RegionField
from accounts.authentication import game_of, holder_of, other_of, player_of
from accounts.erasure import asking
from accounts.erasure.asking import ErasureInfo
from accounts.models import Visibility
from accounts.selectors import KeyHolder, PlayerInfo
from core import clock
from core.clock import rfc3339
from core.deadlines import extend
from core.endpoint import Endpoint, StrictSerializer, StrictText
from core.ids import parse_id
from core.refusals import Forbidden, Gone, Invalid, NotFound

ERASURE_SECONDS = 10.0  # of a player with ten thousand unlocks
_URL_SCHEMES = ("http", "https")


class PlayerInput(StrictSerializer):
    """A player; what is left out stays."""

    display_name = StrictText(max_length=128, required=False, allow_blank=True)
    region = RegionField(required=False, allow_blank=True)
    avatar_url = StrictText(max_length=2000, required=False, allow_blank=True)
    visibility = serializers.ChoiceField(Visibility.values, required=False)
    time_zone = StrictText(
        max_length=64,
        required=False,
        help_text="An IANA name, as Europe/Berlin: what a day is for the player.",
    )

    def validate_time_zone(self, name: str) -> str:
        """Take names of the time zone database only."""
        if name not in available_timezones():
            raise serializers.ValidationError(
                "No time zone is called so: give an IANA name, as Europe/Berlin."
            )
        return name

    def validate_avatar_url(self, url: str) -> str:
        """Take web addresses only."""
        if url and not _is_web_address(url):
            raise serializers.ValidationError("An http or https address is expected.")
        return url


class PlayerOutput(serializers.Serializer[Any]):
    """A player."""

    id = serializers.UUIDField()
    external_id = serializers.CharField(
        allow_null=True, required=False, help_text="To his studio and himself only, as is `time_zone`."
    )
    display_name = serializers.CharField()
    region = serializers.CharField()
    avatar_url = serializers.CharField()
    visibility = serializers.ChoiceField(Visibility.values)
    time_zone = serializers.CharField(required=False)


class TokenInput(StrictSerializer):
    """Which game the token is for."""

    game_id = StrictText(required=False, help_text="May be left out with a key of one game.")


class TokenOutput(serializers.Serializer[Any]):
    """A player token."""

    token = serializers.CharField()
    expires_at = serializers.DateTimeField()
    signing_key = serializers.CharField(
        help_text="What the device signs its requests with, in Base64. It is not sent back; see `unlock`."
    )


class ErasureOutput(serializers.Serializer[Any]):
    """How far an erasure is."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(["erasing", "erased"])
    asked_at = serializers.DateTimeField()
    done_at = serializers.DateTimeField(allow_null=True)


_ERASURE = {
    "id": "019ab3a0-5d1e-7a40-8000-2b2b2b2b2b2b",
    "status": "erasing",
    "asked_at": "2026-11-26T10:20:07.412Z",
    "done_at": None,
}
_PUBLIC = ("id", "display_name", "region", "avatar_url", "visibility")
_PLAYER = {
    "id": "019ab3a0-22bb-7d11-9000-1c1c1c1c1c1c",
    "external_id": "p-1",
    "display_name": "marenok",
    "region": "EU",
    "avatar_url": "",
    "visibility": "public",
    "time_zone": "UTC",
}


class PlayerView(Endpoint):
    """One player."""

    scopes = {"GET": "players:read", "PUT": "players:write", "DELETE": "players:write"}
    bodiless = frozenset({"DELETE"})
    player_may = frozenset({"GET"})

    @extend_schema(
        operation_id="get_player",
        summary="Get a player",
        description=(
            "`{player}` is your id for a person, `id:<uuid>`, or `me` with a player token. Of another player a token "
            "shows the public part: of whoever is public, of a friend who is seen by his friends, of nobody if one of "
            "both blocks the other. A server key shows the public part of other studios' players who are public. "
            "Whoever is not to be seen is answered as who does not exist."
        ),
        tags=["Players"],
        responses=PlayerOutput,
        examples=[
            OpenApiExample("A player", _PLAYER, response_only=True),
            OpenApiExample(
                "Another player",
                {name: _PLAYER[name] for name in _PUBLIC},
                response_only=True,
            ),
        ],
    )
    def get(self, request: Request, player: str) -> Response:
        """Return the player."""
        try:
            shown = player_json(player_of(request, player))
        except NotFound:
            shown = public_json(other_of(request, player))
        return Response(shown, headers={"Cache-Control": "private, max-age=0"})

    @extend_schema(
        operation_id="put_player",
        summary="Create or change a player",
        description=(
            "What is left out stays. So does what a person with an account on this instance chose there himself, of "
            "his name, picture, region, time zone and visibility: the answer says what holds."
        ),
        tags=["Players"],
        request=PlayerInput,
        responses=PlayerOutput,
        examples=[
            OpenApiExample("Name and region", {"display_name": "marenok", "region": "EU"}, request_only=True),
            OpenApiExample("A player", _PLAYER, response_only=True),
        ],
    )
    def put(self, request: Request, player: str) -> Response:
        """Create the player that the studio calls so, or change it."""
        values = PlayerInput(data=request.data)
        values.is_valid(raise_exception=True)
        info = services.update_player(
            studio_id=holder_of(request).studio_id,
            external_id=written_name(request, player),
            changes=values.validated_data,
        )
        return Response(player_json(info))

    @extend_schema(
        operation_id="erase_player",
        summary="Erase a player",
        description=(
            "What your studio calls the person goes at once, with all that your games keep: unlocks, stats, scores, "
            "sessions, reports. If no other studio has the person, so do name, settings, friends, and what others were "
            "told. What is kept as text or in files follows within a minute as a rule, at the latest within a day; ask "
            "again to see whether it is done. Others move up where the person stood; in final standings a nameless "
            "place stays. From then on whatever names the person is answered 410, and the id is never created again. "
            "It can't be undone. Repeating it changes nothing. A player token can't do this."
        ),
        tags=["Players"],
        request=None,
        responses={202: ErasureOutput},
        examples=[OpenApiExample("Under way", _ERASURE, response_only=True, status_codes=["202"])],
    )
    def delete(self, request: Request, player: str) -> Response:
        """Erase the player, or say how far that is."""
        holder = cast("KeyHolder", holder_of(request))  # a player token may not
        extend(ERASURE_SECONDS)
        return Response(erasure_json(_erased(holder, request, player)), status=202)


def _erased(holder: KeyHolder, request: Request, player: str) -> ErasureInfo:
    """Erase whom a path names; of who was erased before return that. Raises NotFound."""
    try:
        info = player_of(request, player)
    except Gone:
        info = None
    made = None
    if info is not None:
        made = asking.erase(
            studio_id=holder.studio_id, player_id=info.id, reason="", actor=holder.actor, at=clock.now()
        )
    made = made or asking.found(holder.studio_id, player)
    if made is None:
        raise NotFound("There is no such player.")
    return made


class PlayerTokenView(Endpoint):
    """Tokens for a player's own device."""

    scopes = {"POST": "players:write", "DELETE": "players:write"}
    bodiless = frozenset({"DELETE"})
    keeps_answers = False

    @extend_schema(
        operation_id="issue_player_token",
        summary="Issue a player token",
        description="For one player in one game, for an hour. An unknown player is created. The token is kept nowhere: "
        "sent again, with or without an Idempotency-Key, this issues another one.",
        tags=["Players"],
        request=TokenInput,
        responses={201: TokenOutput},
        examples=[
            OpenApiExample(
                "For a game", {"game_id": "019ab39f-11aa-7c00-8000-5a5a5a5a5a5a"}, request_only=True
            )
        ],
    )
    def post(self, request: Request, player: str) -> Response:
        """Issue a token."""
        values = TokenInput(data=request.data)
        values.is_valid(raise_exception=True)
        named = values.validated_data.get("game_id")
        uuid = parse_id(named) if named is not None else None
        if named is not None and uuid is None:
            raise NotFound("There is no such game.")
        game = game_of(request, uuid)
        external_id = written_name(request, player)
        services.create_players(studio_id=game.studio_id, external_ids=[external_id])
        info = selectors.player_of_studio(game.studio_id, external_id)
        if info is None or info.erased:
            raise Gone("This person was erased.")
        if info.banned:
            raise Forbidden("This player is banned from the studio's games.")
        token, expires_at = services.issue_player_token(player=info.uuid, game=game.uuid, at=clock.now())
        signing_key = base64.b64encode(tokens.signing_key(token)).decode()
        said = {"token": token, "expires_at": rfc3339(expires_at), "signing_key": signing_key}
        return Response(said, status=201)

    @extend_schema(
        operation_id="revoke_player_tokens",
        summary="Revoke a player's tokens",
        description=(
            "All that your studio has issued for the player until now, in every game. Live connections that were "
            "opened with them close within 5 seconds; a device that was lost can be locked out so."
        ),
        tags=["Players"],
        responses={204: None},
    )
    def delete(self, request: Request, player: str) -> Response:
        """Revoke them."""
        holder = cast("KeyHolder", holder_of(request))  # a player token may not
        services.revoke_player_tokens(
            studio_id=holder.studio_id,
            player=player_of(request, player),
            actor=holder.actor,
            at=clock.now(),
        )
        return Response(status=204)


def written_name(request: Request, player: str) -> str:
    """Return the studio's id of the player that a path names for a write. Raises Invalid, NotFound."""
    if player.startswith("id:"):
        info = player_of(request, player)
        assert info.external_id is not None  # found through the studio's own id
        return info.external_id
    try:
        return services.clean_external_id(player)
    except ValueError as error:
        raise Invalid(str(error)) from None


def player_json(info: PlayerInfo) -> dict[str, Any]:
    """Return a player in the API's shape, as the studio that knows it sees it."""
    return {
        "id": str(info.uuid),
        "external_id": info.external_id,
        "display_name": info.display_name,
        "region": info.region,
        "avatar_url": info.avatar_url,
        "visibility": info.visibility,
        "time_zone": info.time_zone,
    }


def erasure_json(info: ErasureInfo) -> dict[str, Any]:
    """Return an erasure in the API's shape."""
    return {
        "id": str(info.uuid),
        "status": "erasing" if info.done_at is None else "erased",
        "asked_at": rfc3339(info.asked_at),
        "done_at": None if info.done_at is None else rfc3339(info.done_at),
    }


def public_json(info: PlayerInfo) -> dict[str, Any]:
    """Return what others see of a player."""
    shown = player_json(info)
    return {name: shown[name] for name in _PUBLIC}


def _is_web_address(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in _URL_SCHEMES and bool(parts.hostname) and not parts.username and url.isprintable()
