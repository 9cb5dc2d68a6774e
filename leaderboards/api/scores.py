"""POST /leaderboards/{game_id}/{board}/scores and …/scores/batch."""

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from accounts import signatures
from accounts.authentication import (
    TokenHolder,
    external_id_of,
    holder_of,
    named_game,
    read_player_name,
)
from accounts.throttling import charge
from core import clock
from core.endpoint import Endpoint
from core.items import (
    Errors,
    error,
    read_event_id,
    read_list,
    read_object,
    read_time,
    require_none,
    sent_event_id,
)
from core.refusals import Refused
from core.rendering import dumps
from core.strict_json import ExactJSONParser
from leaderboards.api import documents, examples
from leaderboards.rules.scores import to_number
from leaderboards.selectors.definitions import BoardInfo
from leaderboards.services import scores
from leaderboards.services.scores import Caller, ScoreRequest, SpanResult, Submitted

_ITEM = frozenset({"player", "score", "metadata", "event_id", "achieved_at"})
_BATCH = frozenset({"scores"})


class ScoresView(Endpoint):
    """Submits a score."""

    scopes = {"POST": "scores:write"}
    player_may = frozenset({"POST"})
    limited_as = "unlocks"
    parser_classes = [ExactJSONParser]

    @extend_schema(
        operation_id="submit_score",
        summary="Submit a score",
        description=(
            "Stored for good when the answer comes; boards follow within a second. One submission feeds every span of "
            "the board and the player's region, and the answer says for each span whether it is a new best. 202, or "
            "200 for an `event_id` that was heard before. The `points` board is made of unlocks and takes none (409)."
        ),
        tags=documents.TAGS,
        parameters=[documents.GAME, documents.BOARD],
        request=documents.ScoreItem,
        responses={
            202: OpenApiResponse(documents.ScoreOutput, "Stored"),
            200: OpenApiResponse(documents.ScoreOutput, "Heard before"),
        },
        examples=examples.SCORE_EXAMPLES,
    )
    def post(self, request: Request, game_id: str, board: str) -> HttpResponse:
        """Record one score."""
        signatures.require(request)
        game = named_game(request, game_id)
        wanted = _read(request, request.data)
        info, result = scores.submit(
            game=game, key=board, request=wanted, by=_caller(request), at=clock.now()
        )
        status = 202 if result.status == "submitted" else 200
        return HttpResponse(dumps(_answer(info, result)), status=status, content_type="application/json")


class ScoreBatchView(Endpoint):
    """Submits up to 1,000 scores to one board."""

    scopes = {"POST": "scores:write"}
    player_may = frozenset({"POST"})
    limited_as = "unlocks"
    parser_classes = [ExactJSONParser]

    @extend_schema(
        operation_id="submit_scores",
        summary="Submit many scores",
        description=(
            "All good items are stored in one commit, applied in the order sent; a bad one is reported in its place "
            "and does not refuse the others."
        ),
        tags=documents.TAGS,
        parameters=[documents.GAME, documents.BOARD],
        request=documents.ScoreBatch,
        responses={202: documents.ScoreBatchOutput},
        examples=examples.BATCH_EXAMPLES,
    )
    def post(self, request: Request, game_id: str, board: str) -> HttpResponse:
        """Record a batch."""
        signatures.require(request)
        game = named_game(request, game_id)
        body = read_object(request.data, _BATCH)
        items = read_list(body, "scores")
        charge(request, len(items))
        read = [_read_item(request, item) for item in items]
        good = [item for item in read if isinstance(item, ScoreRequest)]
        info, outcomes = scores.submit_many(
            game=game, key=board, requests=good, by=_caller(request), at=clock.now()
        )
        settled = iter(outcomes)
        results = [next(settled) if isinstance(item, ScoreRequest) else item for item in read]
        answer = _batch_answer(request, info, items, results)
        return HttpResponse(dumps(answer), status=202, content_type="application/json")


def _read_item(request: Request, item: Any) -> ScoreRequest | Refused:
    try:
        return _read(request, item)
    except Refused as refused:
        return refused


def _read(request: Request, value: Any) -> ScoreRequest:
    """Return an item of a request, its player named as the studio does."""
    item = read_object(value, _ITEM)
    errors: Errors = []
    player = read_player_name(item, errors)
    if "score" not in item:
        errors.append(error("/score", "A score is needed."))
    metadata = item.get("metadata")
    if metadata is not None and not isinstance(metadata, Mapping):
        errors.append(error("/metadata", "An object is expected."))
    achieved_at = read_time(item, "achieved_at", errors)
    event_id = read_event_id(item, errors)
    require_none(errors)
    return ScoreRequest(external_id_of(request, player), item["score"], metadata, event_id, achieved_at)


def _caller(request: Request) -> Caller:
    holder = holder_of(request)
    if isinstance(holder, TokenHolder):
        return Caller(is_player=True)
    return Caller(offline="offline:write" in holder.scopes)


def _answer(info: BoardInfo, result: Submitted) -> dict[str, Any]:
    return {
        "event_id": str(result.event_id),
        "status": result.status,
        "spans": [_span(info, span) for span in result.spans],
    }


def _span(info: BoardInfo, span: SpanResult) -> dict[str, Any]:
    return {
        "span": span.span,
        "period": span.period,
        "counted": span.counted,
        "score": None if span.units is None else to_number(span.units, decimals=info.decimals),
        "new_best": span.is_new_best,
    }


def _batch_answer(
    request: Request,
    info: BoardInfo,
    items: list[Any],
    results: list[Submitted | Refused],
) -> dict[str, Any]:
    counts = {"submitted": 0, "already_submitted": 0, "rejected": 0}
    rows: list[dict[str, Any]] = []
    for item, result in zip(items, results, strict=True):
        if isinstance(result, Refused):
            counts["rejected"] += 1
            problem = result.body(public_url=settings.PUBLIC_URL, instance=request.path)
            rows.append({"event_id": sent_event_id(item), "status": "rejected", "problem": problem})
        else:
            counts[result.status] += 1
            rows.append(_answer(info, result))
    return {**counts, "results": rows}
