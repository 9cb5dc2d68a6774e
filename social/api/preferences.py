"""GET and PUT /players/{player}/notification-preferences: what a player wants to be told, and when."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import player_of
from core.endpoint import Endpoint, StrictSerializer, cached_answer
from core.refusals import Invalid, pointer
from social import choosing, preferences
from social.choosing import Change
from social.events import FRIEND_UNLOCKED, KINDS
from social.preferences import Preference
from social.rules import minute_of, time_of

CHANNELS = ("inbox", "push")


class ChannelsOutput(serializers.Serializer[Any]):
    """Which ways a kind of event goes."""

    inbox = serializers.BooleanField(help_text="`false`: nothing at all is told of it.")
    push = serializers.BooleanField(
        help_text="`false`: it waits in the inbox, and live connections get none."
    )


class QuietHours(serializers.Serializer[Any]):
    """From when until when, on the player's own clock; perhaps past midnight."""

    from_ = serializers.RegexField(r"^([01][0-9]|2[0-3]):[0-5][0-9]$", help_text="As 22:00.")
    to = serializers.RegexField(r"^([01][0-9]|2[0-3]):[0-5][0-9]$", help_text="As 07:00.")

    def get_fields(self) -> dict[str, Any]:
        """Name the first field by a word that Python keeps for itself."""
        fields = super().get_fields()
        return {"from": fields["from_"], "to": fields["to"]}


class PreferencesOutput(serializers.Serializer[Any]):
    """What a player wants to be told, and when."""

    kinds = serializers.DictField(child=ChannelsOutput(), help_text="Every kind of event.")
    quiet_hours = QuietHours(allow_null=True)


class PreferencesInput(StrictSerializer):
    """What is to change; what is not named stays."""

    kinds = serializers.JSONField(required=False, help_text='Such as `{"friend.unlocked": {"push": false}}`.')
    quiet_hours = serializers.JSONField(
        required=False, allow_null=True, help_text='`{"from": "22:00", "to": "07:00"}`, or null for none.'
    )


_PLAYER = OpenApiParameter(
    "player",
    OpenApiTypes.STR,
    OpenApiParameter.PATH,
    description="Your id for the player, `id:<uuid>`, or `me`.",
)
_CHANGE = {"kinds": {FRIEND_UNLOCKED: {"push": False}}, "quiet_hours": {"from": "22:00", "to": "07:00"}}
_EXAMPLE = {
    "kinds": {kind: {"inbox": True, "push": kind != FRIEND_UNLOCKED} for kind in KINDS},
    "quiet_hours": _CHANGE["quiet_hours"],
}


class PreferencesView(Endpoint):
    """What a player wants to be told."""

    scopes = {"GET": "players:read", "PUT": "players:write"}
    player_may = frozenset({"GET", "PUT"})

    @extend_schema(
        operation_id="get_notification_preferences",
        summary="Get what a player wants to be told",
        tags=["Social"],
        parameters=[_PLAYER],
        responses=PreferencesOutput,
        examples=[OpenApiExample("Friends' unlocks in silence", _EXAMPLE, response_only=True)],
    )
    def get(self, request: Request, player: str) -> HttpResponse:
        """Answer."""
        answer = _shown(preferences.preference(player_of(request, player).id))
        return cached_answer(request, answer, cache_control="private, no-cache")

    @extend_schema(
        operation_id="put_notification_preferences",
        summary="Choose what a player is told",
        description=(
            "What is not named stays as it is. A kind without `inbox` is not told at all. One without `push`, and "
            "whatever happens in the quiet hours of the player's time zone, waits in the inbox and counts as unread; "
            "live connections are not told of it, nor when they resume."
        ),
        tags=["Social"],
        parameters=[_PLAYER],
        request=PreferencesInput,
        responses=PreferencesOutput,
        examples=[
            OpenApiExample("Friends' unlocks in silence", _CHANGE, request_only=True),
            OpenApiExample("All of it", _EXAMPLE, response_only=True),
        ],
    )
    def put(self, request: Request, player: str) -> Response:
        """Take note."""
        owner = player_of(request, player)
        sent = PreferencesInput(data=request.data)
        sent.is_valid(raise_exception=True)
        chosen = choosing.choose(player_id=owner.id, change=_change(sent.validated_data))
        return Response(_shown(chosen))


def _change(sent: Mapping[str, Any]) -> Change:
    """Read what is to change. Raises Invalid."""
    switches: dict[str, dict[str, bool]] = {channel: {} for channel in CHANNELS}
    for kind, channels in _object(sent.get("kinds", {}), KINDS, "/kinds").items():
        at = "/kinds" + pointer(kind)
        for channel, is_on in _object(channels, CHANNELS, at).items():
            if not isinstance(is_on, bool):
                raise Invalid.value(at + pointer(channel), "It is true or false.")
            switches[channel][kind] = is_on
    return Change(
        switches["inbox"],
        switches["push"],
        quiet=_quiet(sent.get("quiet_hours")),
        sets_quiet="quiet_hours" in sent,
    )


def _object(value: Any, known: tuple[str, ...], at: str) -> dict[str, Any]:
    """Return an object whose names are all known. Raises Invalid."""
    if not isinstance(value, dict):
        raise Invalid.value(at, "An object is expected.")
    for name in value:
        if name not in known:
            raise Invalid.value(at + pointer(name), f"Unknown. Known: {', '.join(known)}.")
    return value


def _quiet(value: Any) -> tuple[int, int] | None:
    """Read quiet hours. Raises Invalid."""
    if value is None:
        return None
    if _object(value, ("from", "to"), "/quiet_hours").keys() != {"from", "to"}:
        raise Invalid.value("/quiet_hours", "Both `from` and `to` are needed, or null for none.")
    begins, ends = (_minute(value[name], f"/quiet_hours/{name}") for name in ("from", "to"))
    if begins == ends:
        raise Invalid.value("/quiet_hours/to", "It is the same as `from`: switch `push` off for a whole day.")
    return begins, ends


def _minute(value: Any, at: str) -> int:
    try:
        return minute_of(value if isinstance(value, str) else "")
    except ValueError:
        raise Invalid.value(at, "A time of day is expected, from 00:00 to 23:59.") from None


def _shown(chosen: Preference) -> dict[str, Any]:
    kinds = {
        kind: {"inbox": kind not in chosen.not_told, "push": kind not in chosen.not_pushed} for kind in KINDS
    }
    hours = None
    if chosen.quiet is not None:
        hours = {"from": time_of(chosen.quiet[0]), "to": time_of(chosen.quiet[1])}
    return {"kinds": kinds, "quiet_hours": hours}
