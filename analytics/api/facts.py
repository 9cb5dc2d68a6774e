"""GET /games/{game_id}/facts: the raw facts of a game, in order, to be read on from a cursor."""

from uuid import UUID

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

from accounts.authentication import named_game
from analytics.stream import reading
from analytics.stream.lines import KINDS
from analytics.stream.positions import seal, unseal
from core.clock import rfc3339
from core.endpoint import Endpoint, read_whole, whole
from core.problems import CONTENT_TYPE
from core.refusals import PROBLEMS, Malformed
from core.rendering import OrjsonRenderer
from core.schema import ProblemOutput

NDJSON = "application/x-ndjson"
_MOST, _USUALLY = 10_000, 1_000


class NdjsonRenderer(OrjsonRenderer):
    """Lets callers accept lines; refusals are JSON as everywhere."""

    media_type = NDJSON


_HEADERS = [
    OpenApiParameter(
        "X-Next-Cursor",
        OpenApiTypes.STR,
        OpenApiParameter.HEADER,
        response=[200],
        description="`since` of the next request. It moves on even where no line came.",
    ),
    OpenApiParameter(
        "X-Has-More",
        OpenApiTypes.BOOL,
        OpenApiParameter.HEADER,
        response=[200],
        description="`false`: this was the end; ask again in a while.",
    ),
    OpenApiParameter(
        "X-Kept-From",
        OpenApiTypes.DATETIME,
        OpenApiParameter.HEADER,
        response=[200],
        description="Facts from before this moment may be gone. Without `since` reading begins there.",
    ),
]


class FactsView(Endpoint):
    """A game's facts."""

    scopes = {"GET": "analytics:read"}
    query = frozenset({"since", "limit", "format"})
    renderer_classes = (NdjsonRenderer,)

    @extend_schema(
        operation_id="read_facts",
        summary="Read the raw facts of a game",
        description=(
            "Everything that happens in a game and to its studio's players, one JSON object a line (NDJSON), in the "
            "order in which it became known. Each line has a `cursor`: send that of the last whole line that you "
            "have stored as `since`, or `X-Next-Cursor` of an answer that you have stored to its end. You get every "
            "fact at least once, in order, and none is passed over, however late its transaction committed; a fact "
            "that comes again has the same `id`. What happened is told within about a second.\n\n"
            "Facts are kept for some days (`X-Kept-From`). A cursor before that is refused with 410 "
            "`cursor-too-old`, so a gap never goes unnoticed; so is one of a time that was lost as the platform was "
            "restored to before it.\n\n"
            f"Kinds: {', '.join(f'`{kind}`' for kind in KINDS)}. Those of players are the studio's: they stand in the "
            "facts of each of its games, with the same `id`. `player` is null once the person was erased. The fields "
            "of each kind are in `docs/facts.md`; new fields and kinds may come, so pass over what you don't know."
        ),
        tags=["Analytics"],
        parameters=[
            OpenApiParameter("since", OpenApiTypes.STR, description="Read on after this cursor."),
            whole("limit", "How many lines.", default=_USUALLY, lowest=1, highest=_MOST),
            OpenApiParameter(
                "format", OpenApiTypes.STR, enum=["ndjson"], description="The only one there is."
            ),
            *_HEADERS,
        ],
        responses={
            (200, NDJSON): OpenApiResponse(OpenApiTypes.STR, description="Lines, maybe none."),
            (410, CONTENT_TYPE): OpenApiResponse(ProblemOutput, description=PROBLEMS["cursor-too-old"].title),
        },
        examples=[
            OpenApiExample(
                "Facts",
                value=(
                    '{"v":1,"id":"019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b11","kind":"achievement.unlocked",'
                    '"at":"2026-11-23T12:26:00.123Z","cursor":"pO3d…","player":{"id":'
                    '"019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b12","external_id":"p-1"},"achievement":"first-blood",'
                    '"points":10,"unlocked_at":"2026-11-23T12:26:00.120Z","heard_at":"2026-11-23T12:26:00.123Z",'
                    '"event_id":"019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b13","silent":false,"region":"EU",'
                    '"totals":{"points":110,"unlocked":7}}\n'
                ),
                media_type=NDJSON,
                response_only=True,
            )
        ],
    )
    def get(self, request: Request, game_id: str) -> HttpResponse:
        """Answer lines."""
        game = named_game(request, game_id)
        limit = read_whole(request, "limit", default=_USUALLY, lowest=1, highest=_MOST)
        if request.GET.get("format", "ndjson") != "ndjson":
            raise Malformed("`format` takes ndjson.")
        cursor = request.GET.get("since")
        part = reading.read(game, None if cursor is None else unseal(cursor, game.uuid), limit=limit)
        return HttpResponse(b"".join(part.lines), content_type=NDJSON, headers=_headers(part, game.uuid))


def _headers(part: reading.Part, game: UUID) -> dict[str, str]:
    return {
        "X-Next-Cursor": seal(part.after, game, log=part.log),
        "X-Has-More": "true" if part.has_more else "false",
        "X-Kept-From": rfc3339(part.kept_from),
        "Cache-Control": "private, no-store",
        "Vary": "Authorization",
    }
