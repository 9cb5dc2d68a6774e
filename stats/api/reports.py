"""POST /stats/report and /stats/report/batch."""

import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from django.conf import settings
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request

from accounts import signatures
from accounts.authentication import TokenHolder, external_id_of, game_of, holder_of, read_player_name
from accounts.throttling import charge
from core import clock
from core.endpoint import Endpoint
from core.ids import parse_id
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
from core.refusals import Malformed, NotFound, Refused, pointer
from core.rendering import dumps
from core.strict_json import ExactJSONParser
from core.texts import KEY_LENGTH
from stats.api import documents
from stats.rules.values import OPS, Op, to_number, to_value
from stats.services import reports
from stats.services.reports import Caller, Reported, ReportRequest
from stats.weighing import Result

MOST_STATS = 500  # a report
_ITEM = frozenset({"game_id", "player", "stats", "event_id", "reported_at"})
_BATCH = frozenset({"game_id", "reports"})


class ReportView(Endpoint):
    """Takes a report about a player."""

    scopes = {"POST": "stats:write"}
    player_may = frozenset({"POST"})
    limited_as = "unlocks"
    parser_classes = [ExactJSONParser]

    @extend_schema(
        operation_id="report_stats",
        summary="Report a player's stats",
        description=(
            "Stored for good when the answer comes; what follows from it follows within a second. Each stat is told "
            "with the value that the player holds now, or with the problem for which it is refused, while the others "
            "are taken: unknown 404, archived 409, not a player token's to report 403, an amount that can't be 422, "
            "one that does not go with what the player holds 409. An `event_id` counts once however often it is "
            "sent: 202, or 200 for one that was heard before. An `add` without one counts each time that it is sent, "
            "but for what an `Idempotency-Key` tells apart; a `set` may be repeated as it is."
        ),
        tags=documents.TAGS,
        request=documents.StatReport,
        responses={
            202: OpenApiResponse(documents.StatReportOutput, "Stored"),
            200: OpenApiResponse(documents.StatReportOutput, "Heard before"),
        },
        examples=documents.REPORT_EXAMPLES,
    )
    def post(self, request: Request) -> HttpResponse:
        """Record one report."""
        signatures.require(request)
        wanted = _read(request, request.data, game_id=None)
        result = reports.report(request=wanted, by=_caller(request), at=clock.now())
        status = 200 if result.status == "already_reported" else 202
        return HttpResponse(dumps(_answer(request, result)), status=status, content_type="application/json")


class ReportBatchView(Endpoint):
    """Takes up to 1,000 reports."""

    scopes = {"POST": "stats:write"}
    player_may = frozenset({"POST"})
    limited_as = "unlocks"
    parser_classes = [ExactJSONParser]

    @extend_schema(
        operation_id="report_stats_batch",
        summary="Report many players' stats",
        description=(
            "All good reports are stored in one commit, applied in the order sent; a bad one is reported in its place "
            "and does not refuse the others. Of which no stat was taken counts as rejected."
        ),
        tags=documents.TAGS,
        request=documents.StatReportBatch,
        responses={202: documents.StatReportBatchOutput},
        examples=documents.BATCH_EXAMPLES,
    )
    def post(self, request: Request) -> HttpResponse:
        """Record a batch."""
        signatures.require(request)
        body = read_object(request.data, _BATCH)
        game_id = _game_id(body)
        items = read_list(body, "reports")
        charge(request, len(items))
        if game_id is not None:
            game_of(request, game_id)
        read = [_read_item(request, item, game_id=game_id) for item in items]
        good = [item for item in read if isinstance(item, ReportRequest)]
        settled = iter(reports.report_many(requests=good, by=_caller(request), at=clock.now()))
        results = [next(settled) if isinstance(item, ReportRequest) else item for item in read]
        answer = _batch_answer(request, items, results)
        return HttpResponse(dumps(answer), status=202, content_type="application/json")


def _read_item(request: Request, item: Any, *, game_id: UUID | None) -> ReportRequest | Refused:
    try:
        return _read(request, item, game_id=game_id)
    except Refused as refused:
        return refused


def _read(request: Request, value: Any, *, game_id: UUID | None) -> ReportRequest:
    """Return a report, its player named as the studio does; `game_id` is of those that name no game."""
    item = read_object(value, _ITEM)
    game = game_of(request, _game_id(item) or game_id)
    errors: Errors = []
    player = read_player_name(item, errors)
    stats = _read_stats(item, errors)
    event_id = read_event_id(item, errors)
    reported_at = read_time(item, "reported_at", errors)
    require_none(errors)
    return ReportRequest(game, external_id_of(request, player), stats, event_id, reported_at)


def _game_id(body: Mapping[str, Any]) -> UUID | None:
    value = body.get("game_id")
    if value is None:
        return None
    uuid = parse_id(value)
    if uuid is None:
        raise NotFound("There is no such game.")
    return uuid


def _read_stats(item: Mapping[str, Any], errors: Errors) -> dict[str, tuple[Op, Decimal]]:
    sent = item.get("stats")
    if not isinstance(sent, dict) or not 1 <= len(sent) <= MOST_STATS:
        errors.append(error("/stats", f"An object of 1 to {MOST_STATS} stats by their keys is expected."))
        return {}
    read: dict[str, tuple[Op, Decimal]] = {}
    meant: set[str] = set()
    for key, said in sent.items():
        at = pointer("stats", key)
        composed = key if key.isascii() else unicodedata.normalize("NFC", key)  # as keys are kept
        if not 1 <= len(composed) <= KEY_LENGTH:
            errors.append(error("/stats", f"A stat's key has 1 to {KEY_LENGTH} characters."))
        elif composed in meant:
            errors.append(error(at, "This stat is there twice, composed otherwise: send it once."))
        else:
            meant.add(composed)
            _read_operation(said, at, errors, into=read, key=key)
    return read


def _read_operation(
    said: Any, at: str, errors: Errors, *, into: dict[str, tuple[Op, Decimal]], key: str
) -> None:
    if not isinstance(said, dict):
        errors.append(error(at, 'An object is expected: {"add": …} or {"set": …}.'))
        return
    unknown = [name for name in said if name not in OPS]
    if unknown:
        raise Malformed(
            "The body holds a name that this operation does not take.",
            errors=[error(at + pointer(name), f"Known: {', '.join(OPS)}.") for name in unknown[:10]],
        )
    if len(said) != 1:
        errors.append(error(at, "One of `add` and `set` is expected."))
        return
    [(op, number)] = said.items()
    try:
        into[key] = cast("Op", op), to_value(number)
    except ValueError as problem:
        errors.append(error(at + pointer(op), str(problem)))


def _caller(request: Request) -> Caller:
    return Caller(is_player=isinstance(holder_of(request), TokenHolder))


def _answer(request: Request, result: Reported) -> dict[str, Any]:
    return {
        "event_id": str(result.event_id),
        "status": result.status,
        "stats": {key: _stat(request, one) for key, one in result.stats.items()},
    }


def _stat(request: Request, result: Result) -> dict[str, Any]:
    if result.refused is not None:
        return {"problem": _problem(request, result.refused)}
    value = None if result.value is None else to_number(result.value)
    return {"value": value, "changed": result.is_changed}


def _problem(request: Request, refused: Refused) -> dict[str, Any]:
    return refused.body(public_url=settings.PUBLIC_URL, instance=request.path)


def _batch_answer(request: Request, items: list[Any], results: list[Reported | Refused]) -> dict[str, Any]:
    counts = {"reported": 0, "already_reported": 0, "rejected": 0}
    rows: list[dict[str, Any]] = []
    for item, result in zip(items, results, strict=True):
        if isinstance(result, Refused):
            counts["rejected"] += 1
            problem = _problem(request, result)
            rows.append({"event_id": sent_event_id(item), "status": "rejected", "problem": problem})
        else:
            counts[result.status] += 1
            rows.append(_answer(request, result))
    return {**counts, "results": rows}
