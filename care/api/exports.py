"""GET /players/{player}/export."""

from typing import Any, cast

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request

from accounts import selectors as accounts
from accounts.authentication import holder_of, player_of
from accounts.selectors import KeyHolder
from care import services
from care.exporting import Subject
from care.files import zip_answer
from care.selectors import profile
from core import clock
from core.endpoint import Endpoint
from core.refusals import Forbidden, NotFound


class ExportView(Endpoint):
    """A person's data of one studio."""

    scopes = {"GET": "players:read"}

    @extend_schema(
        operation_id="export_player",
        summary="Export what the studio holds of a player",
        description=(
            "A zip file: `player.json`, and each list as CSV and as JSON (`ids`, `games`, `unlocks`, `revoked`, "
            "`progress`, `conditions`, `stats`, `scores`, `days`, `months`, `browsers`, `acts`). Only this person's "
            "data of your studio. Each export is noted in the audit log. It takes a key of the whole studio."
        ),
        tags=["Players"],
        responses={(200, "application/zip"): OpenApiResponse(OpenApiTypes.BINARY, "The file")},
        examples=[
            OpenApiExample(
                "The file",
                "player.json, ids.csv, ids.json, …",
                response_only=True,
                media_type="application/zip",
            )
        ],
    )
    def get(self, request: Request, player: str) -> Any:
        """Answer the file."""
        holder = cast("KeyHolder", holder_of(request))  # a player token may not
        if holder.game_id is not None:
            raise Forbidden(
                "A key of one game can't export what other games hold: use a key of the whole studio."
            )
        info = player_of(request, player)
        found = profile.profile(holder.studio_id, info.uuid, accounts.every_game(holder.studio_id))
        studio = accounts.studio_named(holder.studio_id)
        if found is None or studio is None:
            raise NotFound("There is no such player.")
        now = clock.now()
        subject = Subject(holder.studio_id, *studio, found)
        return zip_answer(
            services.export(subject, reason="", actor=holder.actor, at=now), found.person, at=now
        )
