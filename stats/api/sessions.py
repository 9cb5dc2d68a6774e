"""POST /players/{player}/sessions and GET /players/{player}/playtime."""

from datetime import datetime
from typing import Any, cast

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from accounts import selectors as accounts
from accounts.authentication import (
    TokenHolder,
    external_id_of,
    game_of,
    holder_of,
    player_of,
    read_player_name,
)
from core import clock
from core.clock import from_microseconds, microseconds, rfc3339
from core.endpoint import PAGE_PARAMETERS, Endpoint, cached_answer, page, read_limit
from core.ids import parse_id
from core.items import Errors, error, read_object, read_time, require_none
from core.pagination import decode_cursor, encode_cursor
from core.refusals import NotFound
from core.rendering import dumps
from stats.rules.sessions import EVENTS, Event
from stats.selectors.playtimes import Playtime, playtimes
from stats.services import sessions

_KNOWN = frozenset({"game_id", "event", "at"})


class SessionInput(serializers.Serializer[Any]):
    """A sign of life, as documented; it is read without a serializer."""

    game_id = serializers.UUIDField(required=False, help_text="May be left out with a key of one game.")
    event = serializers.ChoiceField(EVENTS)
    at = serializers.DateTimeField(
        required=False, help_text="When it was; default: now. With a player token it is always now."
    )


class SessionOutput(serializers.Serializer[Any]):
    """The player's session; playtimes in seconds."""

    session_id = serializers.UUIDField()
    status = serializers.ChoiceField(["playing", "ended"])
    started_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    playtime_seconds = serializers.FloatField()
    total_playtime_seconds = serializers.FloatField(help_text="Of all sessions in the game.")


class PlaytimeOutput(serializers.Serializer[Any]):
    """How long a game was played."""

    game_id = serializers.UUIDField()
    playtime_seconds = serializers.FloatField()
    sessions = serializers.IntegerField()
    first_played_at = serializers.DateTimeField()
    last_played_at = serializers.DateTimeField()


class PlaytimesOutput(serializers.Serializer[Any]):
    """A page of the games that a player played, the last one first."""

    results = PlaytimeOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_next_page = serializers.BooleanField()


class SessionsView(Endpoint):
    """Takes signs of life of a player."""

    scopes = {"POST": "stats:write"}
    player_may = frozenset({"POST"})

    @extend_schema(
        operation_id="report_session",
        summary="Say that a player plays",
        description=(
            "Send `start`, then `ping` about once a minute, and `end`. Time counts between two signs of life that are "
            "at most two minutes apart; who sends none for longer was gone since the last one. Within ten minutes the "
            "session goes on, later another one begins. Several devices of a player share a session: their time counts "
            "once. A sign of life that comes late changes nothing, and repeating one is safe."
        ),
        tags=["Stats"],
        request=SessionInput,
        responses={202: SessionOutput},
        examples=[
            OpenApiExample(
                "A ping",
                {"game_id": "019ab39f-11aa-7c00-8000-5a5a5a5a5a5a", "event": "ping"},
                request_only=True,
            ),
            OpenApiExample(
                "Playing",
                {
                    "session_id": "019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b11",
                    "status": "playing",
                    "started_at": "2026-11-23T12:00:00.000Z",
                    "last_seen_at": "2026-11-23T12:26:00.123Z",
                    "playtime_seconds": 1560.123,
                    "total_playtime_seconds": 86400.5,
                },
                response_only=True,
            ),
        ],
    )
    def post(self, request: Request, player: str) -> HttpResponse:
        """Take one."""
        body = read_object(request.data, _KNOWN)
        named = body.get("game_id")
        uuid = None if named is None else parse_id(named)
        if named is not None and uuid is None:
            raise NotFound("There is no such game.")
        game = game_of(request, uuid)
        errors: Errors = []
        name = read_player_name({"player": player}, errors)
        told, event = read_time(body, "at", errors), body.get("event")
        if event not in EVENTS:
            errors.append(error("/event", f"Give one of {', '.join(EVENTS)}."))
        require_none(errors)
        done = sessions.heard_of(
            game=game,
            player=external_id_of(request, name),
            event=cast("Event", event),
            told=told,
            is_of_device=isinstance(holder_of(request), TokenHolder),
            at=clock.now(),
        )
        answer = {
            "session_id": str(done.id),
            "status": "playing" if done.is_playing else "ended",
            "started_at": rfc3339(done.started_at),
            "last_seen_at": rfc3339(done.last_seen_at),
            "playtime_seconds": done.playtime,
            "total_playtime_seconds": done.total_playtime,
        }
        return HttpResponse(dumps(answer), status=202, content_type="application/json")


class PlaytimeView(Endpoint):
    """How long a player played."""

    scopes = {"GET": "players:read"}
    player_may = frozenset({"GET"})
    query = frozenset({"limit", "cursor"})

    @extend_schema(
        operation_id="get_player_playtime",
        summary="Get how long a player played",
        description="The games that the caller sees, the one that was played last first.",
        tags=["Players"],
        parameters=PAGE_PARAMETERS,
        responses=PlaytimesOutput,
        examples=[
            OpenApiExample(
                "A game",
                {
                    "results": [
                        {
                            "game_id": "019ab39f-11aa-7c00-8000-5a5a5a5a5a5a",
                            "playtime_seconds": 86400.5,
                            "sessions": 31,
                            "first_played_at": "2026-10-01T18:00:00.000Z",
                            "last_played_at": "2026-11-23T12:26:00.123Z",
                        }
                    ],
                    "next_cursor": None,
                    "has_next_page": False,
                },
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, player: str) -> HttpResponse:
        """Answer a page of the games."""
        info, holder = player_of(request, player), holder_of(request)
        limit, cursor, kind = read_limit(request), request.GET.get("cursor"), f"playtimes {info.id}"
        after = None if cursor is None else _seen_in(*decode_cursor(kind, cursor))
        studio_id, game_id = (
            (None, None) if isinstance(holder, TokenHolder) else (holder.studio_id, holder.game_id)
        )
        found = playtimes(info.id, studio_id=studio_id, game_id=game_id, after=after, limit=limit + 1)
        listed = found[:limit]
        games = accounts.games_by_id(one.game_id for one in listed)
        results = [
            {
                "game_id": str(games[one.game_id].uuid),
                "playtime_seconds": one.total_ms / 1000,
                "sessions": one.sessions,
                "first_played_at": rfc3339(one.first_at),
                "last_played_at": rfc3339(one.last_seen_at),
            }
            for one in listed
        ]
        next_cursor = encode_cursor(kind, _position(listed[-1])) if len(found) > limit else None
        data = page(results, next_cursor=next_cursor)
        return cached_answer(request, data, cache_control="private, max-age=0")


def _position(one: Playtime) -> list[int]:
    return [microseconds(one.last_seen_at), one.game_id]


def _seen_in(seen_us: int, game_id: int) -> tuple[datetime, int]:
    return from_microseconds(seen_us), game_id
