"""POST /achievements/progress."""

from typing import Any

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from accounts import signatures
from accounts.authentication import external_id_of, game_of, read_player_name
from achievements import rules
from achievements.api.unlocks import caller_of, read_achievement_key, read_game_id
from achievements.services import progress
from achievements.services.progress import ProgressRequest
from core import clock
from core.endpoint import Endpoint
from core.items import Errors, error, read_event_id, read_object, require_none
from core.rendering import dumps

_KNOWN = frozenset({"game_id", "player", "achievement", "steps", "op", "event_id"})
_OPS = ("set", "add")


class ProgressInput(serializers.Serializer[Any]):
    """A report, as documented; `read_progress` reads it."""

    game_id = serializers.UUIDField(required=False, help_text="May be left out with a key of one game.")
    player = serializers.CharField(max_length=128, help_text="Your id for the player.")
    achievement = serializers.CharField(max_length=128, help_text="The key of an incremental achievement.")
    steps = serializers.IntegerField(
        min_value=1, max_value=rules.MAX_STEPS, help_text="The target at most: a jump past it is a mistake."
    )
    op = serializers.ChoiceField(
        _OPS, default="set", help_text="`set`: the player is so far at least. `add`: so many steps further."
    )
    event_id = serializers.UUIDField(
        required=False,
        help_text="Your id for the event, which counts once. `add` needs one; `set` has no use for it.",
    )


class ReachedOutput(serializers.Serializer[Any]):
    """How far the player is now."""

    current = serializers.IntegerField()
    target = serializers.IntegerField()
    unlocked = serializers.BooleanField()


class ProgressView(Endpoint):
    """Reports progress of an incremental achievement."""

    scopes = {"POST": "unlocks:write"}
    player_may = frozenset({"POST"})
    limited_as = "unlocks"

    @extend_schema(
        operation_id="report_progress",
        summary="Report progress of an achievement",
        description=(
            "Stored for good when the answer comes. At the target the achievement unlocks, once, in the same commit; "
            "what is added past the target is left out, and whatever is reported after the unlock changes nothing. "
            "A report of more steps than the target has is refused. "
            "`set` never goes backwards, so that repeating it is safe. `add` counts an `event_id` once, however often "
            "it is sent within 14 days; one that was used for another player or achievement of the game is refused."
        ),
        tags=["Unlocks"],
        request=ProgressInput,
        responses={202: ReachedOutput},
        examples=[
            OpenApiExample(
                "Five steps more",
                {
                    "game_id": "019ab39f-11aa-7c00-8000-5a5a5a5a5a5a",
                    "player": "p-1",
                    "achievement": "hundred-doors",
                    "steps": 5,
                    "op": "add",
                    "event_id": "019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b11",
                },
                request_only=True,
            ),
            OpenApiExample(
                "On the way", {"current": 25, "target": 100, "unlocked": False}, response_only=True
            ),
        ],
    )
    def post(self, request: Request) -> HttpResponse:
        """Record one report."""
        signatures.require(request)
        body = read_object(request.data, _KNOWN)
        game = game_of(request, read_game_id(body))
        wanted = read_progress(request, body)
        reached = progress.report(game=game, request=wanted, by=caller_of(request), at=clock.now())
        answer = {"current": reached.current, "target": reached.target, "unlocked": reached.unlocked}
        return HttpResponse(dumps(answer), status=202, content_type="application/json")


def read_progress(request: Request, body: Any) -> ProgressRequest:
    """Return a report, its player named as the studio does.

    Raises:
        Invalid: a value that can't be.
        NotFound: no such player.

    """
    errors: Errors = []
    player = read_player_name(body, errors)
    achievement = read_achievement_key(body, errors)
    steps = 0
    try:
        steps = rules.clean_steps(body.get("steps"))
    except ValueError as problem:
        errors.append(error("/steps", str(problem)))
    op = body.get("op", "set")
    if op not in _OPS:
        errors.append(error("/op", "Takes `set` (the player is so far at least) or `add` (so many further)."))
    event_id = read_event_id(body, errors)
    if op == "add" and body.get("event_id") is None:
        errors.append(error("/event_id", "`add` needs one, so that a report that is sent twice counts once."))
    require_none(errors)
    return ProgressRequest(external_id_of(request, player), achievement, steps, op == "add", event_id)
