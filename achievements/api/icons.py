"""PUT and DELETE /games/{game_id}/achievements/{key}/icon."""

import unicodedata
from typing import cast

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import holder_of, named_game
from accounts.selectors import KeyHolder
from achievements.api.imports import FileParser
from achievements.api.shapes import EXAMPLE, DefinitionOutput, definition_json
from achievements.selectors import definitions
from achievements.services import icons
from core import clock
from core.endpoint import Endpoint, read_flag
from core.pictures import containers
from core.refusals import Refused
from core.strict_json import read_body

_TAGS = ["Definitions"]
_URL = "https://laurel.example/media/icons/019ab39f-11aa-7c00-8000-5a5a5a5a5a5a"
_ANSWER = {
    **EXAMPLE,
    "icon_url": f"{_URL}/6f1ed002ab5595859014ebf0951522d9-256.webp",
    "icon_locked_url": f"{_URL}/a21bc9c7b3d9a40c9d6c1c6d7f0f3b52-256.webp",
}
_LOCKED = OpenApiParameter(
    "locked", OpenApiTypes.BOOL, description="Only the icon of while it is locked; the other one stays."
)


class IconView(Endpoint):
    """An achievement's icon."""

    scopes = {"PUT": "definitions:write", "DELETE": "definitions:write"}
    bodiless = frozenset({"DELETE"})
    query = frozenset({"locked"})
    parser_classes = [FileParser]

    @extend_schema(
        operation_id="put_achievement_icon",
        summary="Upload an achievement's icon",
        description=(
            "The body is the picture: PNG, JPEG or WebP that does not move, up to 512 KiB and 1024 × 1024 pixels;"
            " what it is, its bytes say. It is drawn anew on a square, without anything that the file told besides, and"
            " kept as WebP of 256 pixels (`icon_url`) and of 112 (the same address with `-112.webp`); an address never"
            " changes what it shows. A grey one is made for while it is locked; to show another one then, send that"
            " with `locked=true` afterwards."
        ),
        tags=_TAGS,
        parameters=[_LOCKED],
        request={"image/*": OpenApiTypes.BINARY},
        responses=DefinitionOutput,
        examples=[OpenApiExample("Uploaded", _ANSWER, response_only=True)],
    )
    def put(self, request: Request, game_id: str, key: str) -> Response:
        """Take the picture."""
        game = named_game(request, game_id)
        upload = icons.upload_locked if read_flag(request, "locked") else icons.upload
        done = upload(game=game, key=_key(key), body=_picture(request), actor=_actor(request), at=clock.now())
        return Response(definition_json(done, definitions.rarities([done.id])[done.id]))

    @extend_schema(
        operation_id="delete_achievement_icon",
        summary="Remove an achievement's icon",
        description="Its addresses become empty, be they of uploaded pictures or of others.",
        tags=_TAGS,
        parameters=[_LOCKED],
        responses={204: None},
    )
    def delete(self, request: Request, game_id: str, key: str) -> Response:
        """Remove it."""
        icons.remove(
            game=named_game(request, game_id),
            key=_key(key),
            only_locked=read_flag(request, "locked"),
            actor=_actor(request),
            at=clock.now(),
        )
        return Response(status=204)


def _picture(request: Request) -> bytes:
    """Return the body. Raises Refused."""
    if not request.content_type.startswith("image/"):
        raise Refused(
            "Send the picture itself as the body, with its `Content-Type`: image/png, image/jpeg or image/webp.",
            slug="unsupported-media-type",
        )
    try:
        return read_body(request._request, limit=containers.LARGEST_BYTES)
    except Refused as refused:
        if refused.slug == "payload-too-large":
            raise Refused(containers.TOO_LARGE, slug=refused.slug) from None
        raise


def _key(key: str) -> str:
    return unicodedata.normalize("NFC", key)


def _actor(request: Request) -> str:
    return cast("KeyHolder", holder_of(request)).actor  # a player token has no scope
