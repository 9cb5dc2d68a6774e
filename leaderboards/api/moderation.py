"""Hide, restore and delete a player's entries; reset a board."""

from typing import Any, ClassVar, cast

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import holder_of, named_game, player_of, require_scope
from accounts.selectors import KeyHolder
from core import clock
from core.endpoint import Endpoint, StrictText
from core.reasons import Reasoned
from leaderboards.services import moderation
from leaderboards.services.moderation import Action

_TAGS = ["Moderation"]
_ABOUT = (
    "It comes to the board within moments. 409 for a period that is final, and for the built-in board `points`: there "
    "a player is excluded (`PUT /players/{player}/exclusion`), or an unlock revoked."
)
_WHY = OpenApiExample("Why", {"reason": "Impossible time, ticket 4711"}, request_only=True)
_EVERY = OpenApiExample(
    "In every period", {"reason": "Impossible time", "period": "every"}, request_only=True
)
_DONE = OpenApiExample("Taken", {"entries": 1}, response_only=True)


class ModerationInput(Reasoned):
    """Which entries, and why."""

    period = StrictText(
        required=False,
        default=moderation.CURRENT,
        max_length=20,
        help_text="A period's id (`all` is that of all time), `current` (of the board's main span), or `every` one "
        "that is not final.",
    )


class ModerationOutput(serializers.Serializer[Any]):
    """How many entries that changed."""

    entries = serializers.IntegerField()


class ResetOutput(serializers.Serializer[Any]):
    """The board's new epoch."""

    epoch = serializers.IntegerField(help_text="Rises by one with every reset.")


class _EntryView(Endpoint):
    scopes = {"POST": "scores:write"}
    action: ClassVar[Action]

    def _moderate(self, request: Request, game_id: str, board: str, player: str) -> Response:
        values = ModerationInput(data=request.data)
        values.is_valid(raise_exception=True)
        entries = moderation.moderate(
            game=named_game(request, game_id),
            key=board,
            player=player_of(request, player),
            action=self.action,
            period=values.validated_data["period"],
            reason=values.validated_data["reason"],
            actor=cast("KeyHolder", holder_of(request)).actor,  # a player token may not
            at=clock.now(),
        )
        return Response({"entries": entries}, status=202)


class HideView(_EntryView):
    """Off the board, with what comes later in the period."""

    action = Action.HIDE

    @extend_schema(
        operation_id="hide_entry",
        summary="Hide a player's entry",
        description=f"What the player submits later is recorded and stays hidden. {_ABOUT}",
        tags=_TAGS,
        request=ModerationInput,
        responses={202: ModerationOutput},
        examples=[_WHY, _EVERY, _DONE],
    )
    def post(self, request: Request, game_id: str, board: str, player: str) -> Response:
        """Hide the entry."""
        return self._moderate(request, game_id, board, player)


class RestoreView(_EntryView):
    """Back on the board."""

    action = Action.RESTORE

    @extend_schema(
        operation_id="restore_entry",
        summary="Show a hidden entry again",
        description=f"With what was submitted meanwhile. An excluded player stays off. {_ABOUT}",
        tags=_TAGS,
        request=ModerationInput,
        responses={202: ModerationOutput},
        examples=[_WHY, _EVERY, _DONE],
    )
    def post(self, request: Request, game_id: str, board: str, player: str) -> Response:
        """Show the entry again."""
        return self._moderate(request, game_id, board, player)


class DeleteView(_EntryView):
    """Gone from the board."""

    action = Action.DELETE

    @extend_schema(
        operation_id="delete_entry",
        summary="Delete a player's entry",
        description=(
            "For good; a submission that is sent again under its old `event_id` does not bring it back, a new one "
            f"begins anew. {_ABOUT}"
        ),
        tags=_TAGS,
        request=ModerationInput,
        responses={202: ModerationOutput},
        examples=[_WHY, _EVERY, _DONE],
    )
    def post(self, request: Request, game_id: str, board: str, player: str) -> Response:
        """Delete the entry."""
        return self._moderate(request, game_id, board, player)


class ResetView(Endpoint):
    """A board begun anew."""

    scopes = {"POST": "definitions:write"}

    @extend_schema(
        operation_id="reset_leaderboard",
        summary="Reset a leaderboard",
        description=(
            "Every period that is not final begins anew, empty; final standings stay. What was there is kept and shown "
            "nowhere any more. Needs the scopes `definitions:write` and `scores:write`."
        ),
        tags=_TAGS,
        request=Reasoned,
        responses={202: ResetOutput},
        examples=[
            OpenApiExample("Why", {"reason": "Scores of the open beta"}, request_only=True),
            OpenApiExample("Taken", {"epoch": 2}, response_only=True),
        ],
    )
    def post(self, request: Request, game_id: str, key: str) -> Response:
        """Reset the board."""
        require_scope(request, "scores:write")
        values = Reasoned(data=request.data)
        values.is_valid(raise_exception=True)
        epoch = moderation.reset(
            game=named_game(request, game_id),
            key=key,
            reason=values.validated_data["reason"],
            actor=cast("KeyHolder", holder_of(request)).actor,  # a player token may not
            at=clock.now(),
        )
        return Response({"epoch": epoch}, status=202)
