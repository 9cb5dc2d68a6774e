"""/players/{player}/friends, …/friend-requests, …/blocks: who is friends with whom."""

from typing import Any
from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors as accounts
from accounts.authentication import holder_of, player_of
from accounts.selectors import KeyHolder, PlayerInfo
from core import clock
from core.clock import rfc3339
from core.endpoint import (
    PAGE_PARAMETERS,
    Endpoint,
    StrictSerializer,
    StrictText,
    cached_answer,
    page,
    read_limit,
)
from core.ids import parse_id
from core.pagination import decode_cursor, encode_cursor
from core.refusals import Malformed, NotFound
from social import befriending, companions, selectors
from social.api import presence
from social.api.asked import asker_of
from social.api.presence import PresenceOutput
from social.selectors import seeing

_PRIVATE = "private, no-cache"
_TAGS = ["Social"]
PLAYER = OpenApiParameter(
    "player", OpenApiTypes.STR, OpenApiParameter.PATH, description="Your id for the player, or `me`."
)
_OTHER = OpenApiParameter(
    "other", OpenApiTypes.STR, OpenApiParameter.PATH, description="Your id for the other one, or `id:<uuid>`."
)


class FriendInput(StrictSerializer):
    """Whom to ask."""

    to = StrictText(
        max_length=131, trim_whitespace=False, help_text="Your id for the other player, or `id:<uuid>`."
    )


class ShownPlayer(serializers.Serializer[Any]):
    """A player as lists show him."""

    id = serializers.UUIDField()
    external_id = serializers.CharField(required=False, help_text="Your own id: only with a server key.")
    display_name = serializers.CharField()
    region = serializers.CharField()
    avatar_url = serializers.CharField()


class FriendOutput(serializers.Serializer[Any]):
    """A friend."""

    player = ShownPlayer()
    since = serializers.DateTimeField()
    presence = PresenceOutput()


class FriendPage(serializers.Serializer[Any]):
    """A page of friends."""

    results = FriendOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_next_page = serializers.BooleanField()
    total_count = serializers.IntegerField()


class AskedOutput(serializers.Serializer[Any]):
    """What a request came to."""

    id = serializers.UUIDField()
    status = serializers.ChoiceField(["pending", "accepted"])


class RequestOutput(serializers.Serializer[Any]):
    """An open request."""

    id = serializers.UUIDField()
    player = ShownPlayer(help_text="Who asked, or with `direction=out` who was asked.")
    created_at = serializers.DateTimeField()


class RequestPage(serializers.Serializer[Any]):
    """A page of open requests."""

    results = RequestOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_next_page = serializers.BooleanField()


_HIDDEN = {"display_name": "", "region": "", "avatar_url": ""}
_EXAMPLE_ID = "019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b11"
EXAMPLE_PLAYER = {"id": _EXAMPLE_ID, "display_name": "Ada", "region": "EU", "avatar_url": ""}
_EXAMPLE_TIME = "2026-11-23T12:26:00.123Z"


class FriendsView(Endpoint):
    """A player's friends."""

    scopes = {"GET": "players:read"}
    player_may = frozenset({"GET"})
    query = frozenset({"limit", "cursor"})

    @extend_schema(
        operation_id="list_friends",
        summary="List a player's friends",
        description=(
            "At most 500, each with whether he is there. Who is connected counts until five minutes after his last "
            "sign of life, who plays until his session ends. Of who is private nothing is shown. A server key sees "
            "your own players and who is public."
        ),
        tags=_TAGS,
        parameters=[PLAYER, *PAGE_PARAMETERS],
        responses=FriendPage,
        examples=[
            OpenApiExample(
                "One",
                {
                    "results": [
                        {"player": EXAMPLE_PLAYER, "since": _EXAMPLE_TIME, "presence": presence.EXAMPLE}
                    ],
                    "next_cursor": None,
                    "has_next_page": False,
                    "total_count": 1,
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, player: str) -> HttpResponse:
        """Answer a page of friends."""
        owner = player_of(request, player)
        limit, cursor, kind = read_limit(request), request.GET.get("cursor"), f"friends {owner.id}"
        after = decode_cursor(kind, cursor)[0] if cursor is not None else 0
        asker = asker_of(request)
        listed = seeing.friends_listed(owner.id, asker=asker)
        found = selectors.friends(owner.id, among=listed, after_id=after, limit=limit + 1)
        shown = found[:limit]
        ids = [one.player_id for one in shown]
        players = accounts.players_shown(ids, studio_id=asker.only_studio_id)
        there = seeing.attending((listed[pk] for pk in ids), asker=asker)
        seen = presence.shown_presences(request, ids, there=there, at=clock.now())
        data = page(
            [
                {"player": players[pk], "since": rfc3339(one.at), "presence": seen[pk]}
                for pk, one in zip(ids, shown, strict=True)
            ],
            next_cursor=encode_cursor(kind, [shown[-1].player_id]) if len(found) > limit else None,
            total_count=len(listed),
        )
        return cached_answer(request, data, cache_control=_PRIVATE)


class FriendView(Endpoint):
    """One friend."""

    scopes = {"DELETE": "players:write"}
    bodiless = frozenset({"DELETE"})
    player_may = frozenset({"DELETE"})

    @extend_schema(
        operation_id="remove_friend",
        summary="End a friendship",
        description="For both; the other one is not told.",
        tags=_TAGS,
        parameters=[PLAYER, _OTHER],
        responses={204: None},
    )
    def delete(self, request: Request, player: str, other: str) -> Response:
        """End it."""
        owner = player_of(request, player)
        befriending.remove(player_id=owner.id, friend_id=_other(request, owner, other).id)
        return Response(status=204)


class FriendRequestsView(Endpoint):
    """Who asked whom."""

    scopes = {"GET": "players:read", "POST": "players:write"}
    player_may = frozenset({"GET", "POST"})
    query = frozenset({"direction", "limit", "cursor"})

    @extend_schema(
        operation_id="list_friend_requests",
        summary="List open friend requests",
        description="Newest first. Of whom you asked and may not see only the id is shown.",
        tags=_TAGS,
        parameters=[
            PLAYER,
            OpenApiParameter("direction", OpenApiTypes.STR, enum=["in", "out"], default="in"),
            *PAGE_PARAMETERS,
        ],
        responses=RequestPage,
        examples=[
            OpenApiExample(
                "One",
                {
                    "results": [{"id": _EXAMPLE_ID, "player": EXAMPLE_PLAYER, "created_at": _EXAMPLE_TIME}],
                    "next_cursor": None,
                    "has_next_page": False,
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, player: str) -> HttpResponse:
        """Answer a page of requests."""
        owner = player_of(request, player)
        direction, limit = request.GET.get("direction", "in"), read_limit(request)
        if direction not in ("in", "out"):
            raise Malformed("`direction` takes `in` or `out`.")
        kind, cursor = f"friend requests {direction} {owner.id}", request.GET.get("cursor")
        before = decode_cursor(kind, cursor)[0] if cursor is not None else None
        found = selectors.requests(owner.id, incoming=direction == "in", before_id=before, limit=limit + 1)
        shown = found[:limit]
        # Who asks says who he is.
        is_told = direction == "in" and not asker_of(request).is_studio
        players = listed(request, [one.player_id for _, one in shown], is_told=is_told)
        rows = [
            {"id": str(one.uuid), "player": players[one.player_id], "created_at": rfc3339(one.at)}
            for _, one in shown
        ]
        next_cursor = encode_cursor(kind, [shown[-1][0]]) if len(found) > limit else None
        return cached_answer(request, page(rows, next_cursor=next_cursor), cache_control=_PRIVATE)

    @extend_schema(
        operation_id="ask_for_friendship",
        summary="Ask a player to be friends",
        description=(
            "Repeating it changes nothing; where both ask each other they are friends. At most 100 requests may wait, "
            "and nobody has more than 500 friends (409)."
        ),
        tags=_TAGS,
        parameters=[PLAYER],
        request=FriendInput,
        responses={202: AskedOutput},
        examples=[
            OpenApiExample("Somebody", {"to": f"id:{_EXAMPLE_ID}"}, request_only=True),
            OpenApiExample("Waits", {"id": _EXAMPLE_ID, "status": "pending"}, response_only=True),
        ],
    )
    def post(self, request: Request, player: str) -> Response:
        """Ask."""
        owner = player_of(request, player)
        sent = FriendInput(data=request.data)
        sent.is_valid(raise_exception=True)
        other = _other(request, owner, sent.validated_data["to"])
        if other.visibility == "private" and not selectors.may_be_found(owner.id, other.id):
            raise _nobody()
        asked = befriending.ask(sender_id=owner.id, receiver_id=other.id, at=clock.now())
        return Response({"id": str(asked.uuid), "status": asked.status}, status=202)


class AcceptView(Endpoint):
    """Accepts a request."""

    scopes = {"POST": "players:write"}
    bodiless = frozenset({"POST"})
    player_may = frozenset({"POST"})

    @extend_schema(
        operation_id="accept_friend_request",
        summary="Accept a friend request",
        tags=_TAGS,
        parameters=[PLAYER],
        request=None,
        responses={200: AskedOutput},
        examples=[OpenApiExample("Friends", {"id": _EXAMPLE_ID, "status": "accepted"}, response_only=True)],
    )
    def post(self, request: Request, player: str, request_id: str) -> Response:
        """Become friends."""
        owner, uuid = player_of(request, player), _uuid(request_id)
        befriending.accept(player_id=owner.id, request=uuid, at=clock.now())
        return Response({"id": str(uuid), "status": "accepted"})


class DeclineView(Endpoint):
    """Declines a request, or takes one's own back."""

    scopes = {"POST": "players:write"}
    bodiless = frozenset({"POST"})
    player_may = frozenset({"POST"})

    @extend_schema(
        operation_id="decline_friend_request",
        summary="Decline a friend request",
        description="Or take back one's own. The other one is not told.",
        tags=_TAGS,
        parameters=[PLAYER],
        request=None,
        responses={204: None},
    )
    def post(self, request: Request, player: str, request_id: str) -> Response:
        """Let it go."""
        befriending.decline(player_id=player_of(request, player).id, request=_uuid(request_id))
        return Response(status=204)


class BlockView(Endpoint):
    """Whom a player blocks."""

    scopes = {"PUT": "players:write", "DELETE": "players:write"}
    bodiless = frozenset({"DELETE", "PUT"})
    player_may = frozenset({"PUT", "DELETE"})

    @extend_schema(
        operation_id="block_player",
        summary="Block a player",
        description="Ends the friendship and stops requests both ways. The blocked one is not told.",
        tags=_TAGS,
        parameters=[PLAYER, _OTHER],
        request=None,
        responses={204: None},
    )
    def put(self, request: Request, player: str, other: str) -> Response:
        """Block."""
        owner = player_of(request, player)
        blocked = _other(request, owner, other)
        befriending.block(player_id=owner.id, blocked_id=blocked.id, at=clock.now())
        return Response(status=204)

    @extend_schema(
        operation_id="unblock_player",
        summary="Unblock a player",
        tags=_TAGS,
        parameters=[PLAYER, _OTHER],
        request=None,
        responses={204: None},
    )
    def delete(self, request: Request, player: str, other: str) -> Response:
        """Let requests through again."""
        owner = player_of(request, player)
        blocked = _other(request, owner, other)
        befriending.unblock(player_id=owner.id, blocked_id=blocked.id)
        return Response(status=204)


def _other(request: Request, owner: PlayerInfo, name: str) -> PlayerInfo:
    """Return another player: by the studio's id, or by the platform's if the owner may know of him. Raises NotFound."""
    studio_id = holder_of(request).studio_id
    if name.startswith("id:"):
        uuid = parse_id(name[3:])
        info = None if uuid is None else accounts.player_by_uuid(uuid, studio_id=studio_id, known=False)
        if info is not None and not _may_name(request, owner, info):
            raise _nobody()
    else:
        info = accounts.player_of_studio(studio_id, name) if name.isprintable() else None
    if info is None or info.erased:
        raise _nobody()
    return info


def _may_name(request: Request, owner: PlayerInfo, other: PlayerInfo) -> bool:
    """Say whether naming somebody tells nothing new: of the studio's own players its server knows everything."""
    is_own = isinstance(holder_of(request), KeyHolder) and other.external_id is not None
    return is_own or companions.is_known(owner.id, other)


def _nobody() -> NotFound:
    """Return the same answer for who does not exist and for who does not want to be found."""
    return NotFound("There is no such player.")


def _uuid(text: str) -> UUID:
    uuid = parse_id(text)
    if uuid is None:
        raise NotFound("There is no such friend request.")
    return uuid


def listed(request: Request, ids: list[int], *, is_told: bool = False) -> dict[int, dict[str, str]]:
    """Return players as lists show them; of whom the caller may not see, and is not told, nothing but the id."""
    asker = asker_of(request)
    shown = accounts.players_shown(ids, studio_id=asker.only_studio_id)
    if is_told:
        return shown
    named = seeing.named(ids, asker=asker)
    return {pk: one if pk in named else one | _HIDDEN for pk, one in shown.items()}
