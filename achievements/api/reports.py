"""GET and POST /players/{player}/reports."""

import unicodedata
from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import TokenHolder, game_of, holder_of, player_of
from achievements.models.reports import LONGEST_MESSAGE, ReportState
from achievements.selectors import definitions, explaining, reports
from achievements.selectors.reports import ReportInfo
from achievements.services import reports as services
from core import clock
from core.clock import rfc3339
from core.endpoint import PAGE_PARAMETERS, Endpoint, GameId, StrictSerializer, StrictText, page, read_limit
from core.ids import parse_id
from core.pagination import decode_cursor, encode_cursor
from core.refusals import Malformed, NotFound

_NO_SUCH = "The game has no such achievement."


def _readable(text: str) -> None:
    """Refuse what no text has; line breaks are fine."""
    if any(not sign.isprintable() and sign not in "\n\r\t" for sign in text):
        raise serializers.ValidationError("Use characters that can be seen.")


class ReportInput(StrictSerializer):
    """What did not unlock."""

    game_id = GameId(required=False, help_text="May be left out with a key or token of one game.")
    achievement = StrictText(max_length=128, trim_whitespace=False, help_text="The achievement's key.")
    message = StrictText(
        max_length=LONGEST_MESSAGE,
        allow_blank=True,
        required=False,
        default="",
        validators=[_readable],
        help_text="What the player has to say.",
    )


class ReportAnswerOutput(serializers.Serializer[Any]):
    """An answer of the studio."""

    text = serializers.CharField()
    at = serializers.DateTimeField()


class ReportOutput(serializers.Serializer[Any]):
    """A report."""

    id = serializers.UUIDField()
    game_id = serializers.UUIDField()
    achievement = serializers.CharField()
    message = serializers.CharField()
    state = serializers.ChoiceField(ReportState.values)
    created_at = serializers.DateTimeField()
    answers = ReportAnswerOutput(many=True)


class ReportsOutput(serializers.Serializer[Any]):
    """A page of reports."""

    results = ReportOutput(many=True)
    next_cursor = serializers.CharField(allow_null=True)
    has_next_page = serializers.BooleanField()


_EXAMPLE = {
    "id": "0198f2c4-6f1e-7000-8000-000000000002",
    "game_id": "019ab39f-11aa-7c00-8000-5a5a5a5a5a5a",
    "achievement": "gold-driver",
    "message": "I won three trials yesterday.",
    "state": "answered",
    "created_at": "2026-11-23T12:26:00.123Z",
    "answers": [{"text": "The trials of yesterday are counted now.", "at": "2026-11-23T13:00:00.000Z"}],
}


class ReportsView(Endpoint):
    """What a player reported."""

    scopes = {"GET": "players:read", "POST": "players:write"}
    player_may = frozenset({"GET", "POST"})
    query = frozenset({"game_id", "limit", "cursor"})

    @extend_schema(
        operation_id="list_player_reports",
        summary="List what a player reported, with the answers",
        description="The newest first. To a key, what was reported to its studio.",
        tags=["Players"],
        parameters=[
            OpenApiParameter("game_id", OpenApiTypes.UUID, description="Only of one game."),
            *PAGE_PARAMETERS,
        ],
        responses=ReportsOutput,
        examples=[
            OpenApiExample(
                "An answered one",
                {"results": [_EXAMPLE], "next_cursor": None, "has_next_page": False},
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, player: str) -> Response:
        """Return a page."""
        info, holder, game_id = player_of(request, player), holder_of(request), self._game_id(request)
        limit, name = read_limit(request), f"reports {info.id} {holder.studio_id} {game_id}"
        cursor = request.GET.get("cursor")
        before = decode_cursor(name, cursor)[0] if cursor else None
        found = reports.of_player(
            info.id, studio_id=holder.studio_id, game_id=game_id, before_id=before, limit=limit + 1
        )
        more = encode_cursor(name, [found[limit - 1].id]) if len(found) > limit else None
        return Response(page([_shown(one) for one in found[:limit]], next_cursor=more))

    @extend_schema(
        operation_id="report_achievement",
        summary="Report that an achievement did not unlock",
        description=(
            "What the studio sees beside it is why it is locked at this moment, kept with the report. A player has one "
            f"open report for an achievement, and makes at most {services.MOST_A_DAY} a day. The answer comes into his "
            "inbox as `report.answered`."
        ),
        tags=["Players"],
        request=ReportInput,
        responses={201: ReportOutput},
        examples=[
            OpenApiExample(
                "A report",
                {
                    "game_id": _EXAMPLE["game_id"],
                    "achievement": "gold-driver",
                    "message": "I won three trials yesterday.",
                },
                request_only=True,
            ),
            OpenApiExample(
                "It is open",
                {**_EXAMPLE, "state": "open", "answers": []},
                response_only=True,
                status_codes=["201"],
            ),
        ],
    )
    def post(self, request: Request, player: str) -> Response:
        """Store it."""
        body = ReportInput(data=request.data)
        body.is_valid(raise_exception=True)
        sent = body.validated_data
        game, info = game_of(request, sent.get("game_id")), player_of(request, player)
        catalogue = definitions.fresh_catalogue(game.id)
        definition = catalogue.by_key.get(unicodedata.normalize("NFC", sent["achievement"]))
        is_player = isinstance(holder_of(request), TokenHolder)
        # A player may report what he can know of; that a hidden one exists he learns by unlocking it.
        if definition is None or (is_player and explaining.is_secret(definition)):
            raise NotFound(_NO_SUCH)
        uuid = services.report(
            game=game,
            player_id=info.id,
            catalogue=catalogue,
            definition=definition,
            message=sent["message"].strip(),
            at=clock.now(),
        )
        made = reports.one(game.studio_id, uuid)
        assert made is not None  # it was stored just now
        return Response(_shown(made), status=201)

    def _game_id(self, request: Request) -> int | None:
        named = request.GET.get("game_id")
        holder = holder_of(request)
        if named is None:
            return holder.game.id if isinstance(holder, TokenHolder) else holder.game_id
        uuid = parse_id(named)
        if uuid is None:
            raise Malformed("`game_id` is no id.")
        return game_of(request, uuid).id


def _shown(one: ReportInfo) -> dict[str, Any]:
    """Return a report as its player may see it: who answered is the studio's affair."""
    return {
        "id": one.uuid,
        "game_id": one.game_uuid,
        "achievement": one.achievement_key,
        "message": one.message,
        "state": one.state,
        "created_at": rfc3339(one.created_at),
        "answers": [{"text": answer.text, "at": rfc3339(answer.at)} for answer in one.answers],
    }
