"""POST /games/{game_id}/achievements/import and GET …/export."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, cast

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.authentication import named_game
from achievements import formats
from achievements.api.authors import author
from achievements.formats import export
from achievements.formats.document import RowError
from achievements.selectors import definitions
from achievements.services import importing
from achievements.services.definitions import as_values
from achievements.services.importing import Imported
from core.clock import rfc3339
from core.deadlines import extend
from core.endpoint import Endpoint, read_flag
from core.refusals import Invalid, Malformed
from core.sections import sections
from core.strict_json import read_body

LARGEST_IMPORT = 10 * 1024 * 1024
IMPORT_SECONDS = 60.0
_CONTENT_TYPES = {"laurel": "application/json", "csv": "text/csv; charset=utf-8"}


_PREVIEW = {
    "created": 0,
    "updated": 1,
    "unchanged": 39,
    "errors": [
        {
            "row": 2,
            "detail": '"kills": The sort "up" is not known: give one of desc, asc.',
            "pointer": "/leaderboards/1/sort",
        }
    ],
    "changes": [
        {
            "section": "leaderboards",
            "key": "best-lap",
            "change": "updated",
            "fields": {"decimals": {"old": 2, "new": 3}},
        }
    ],
}


class FileParser(BaseParser):
    """Takes a file as it is: a body of any type, up to 10 MiB."""

    media_type = "*/*"
    max_bytes = LARGEST_IMPORT

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return the bytes."""
        return read_body(parser_context["request"]._request, limit=LARGEST_IMPORT)


class RowErrorOutput(serializers.Serializer[Any]):
    """What is wrong in a row; row 0 is the file as a whole."""

    row = serializers.IntegerField(help_text="Counted from 1, in each list of the file anew.")
    detail = serializers.CharField()
    pointer = serializers.CharField(
        required=False, help_text="Where it is (RFC 6901), in the lists beside the achievements."
    )


class ChangeOutput(serializers.Serializer[Any]):
    """What would become of a definition."""

    section = serializers.ChoiceField(["achievements", "stats", "leaderboards"])
    key = serializers.CharField()
    change = serializers.ChoiceField(["created", "updated"])
    fields = serializers.DictField(help_text='Field → `{"old", "new"}`.')  # type: ignore[assignment]


class ImportOutput(serializers.Serializer[Any]):
    """What the import did, or with `dry_run` would do."""

    created = serializers.IntegerField()
    updated = serializers.IntegerField()
    unchanged = serializers.IntegerField()
    errors = RowErrorOutput(many=True)  # type: ignore[assignment]  # DRF finds fields by name
    changes = ChangeOutput(many=True, required=False, help_text="With `dry_run` only.")


class ExportFile(serializers.Serializer[Any]):
    """What a game defines, each definition as the API takes it."""

    achievements = serializers.ListField(child=serializers.DictField())
    stats = serializers.ListField(child=serializers.DictField())
    leaderboards = serializers.ListField(child=serializers.DictField())


class ImportView(Endpoint):
    """Import of studios' files."""

    scopes = {"POST": "definitions:write"}
    query = frozenset({"format", "dry_run"})
    parser_classes = [FileParser]

    @extend_schema(
        operation_id="import_achievements",
        summary="Import achievements, stats and leaderboards from a file",
        description=(
            "The body is the file, or a zip of files, up to 10 MiB. All or nothing: with any error nothing is stored "
            "and the answer is 422 with each `row` in `errors` (with `dry_run=true` 200, errors and changes listed). "
            "What the file leaves unsaid stays; definitions that are not in it stay. A file of the format `laurel` is "
            '`{"achievements": […], "stats": […], "leaderboards": […]}`, or some of them, each definition as the API '
            "takes it; what is wrong with a stat or leaderboard is named by a pointer such as `/leaderboards/0/sort`. "
            "How values are made can't change on a stat that has values, nor how scores are weighed, ranked and filed "
            "on a leaderboard that has scores."
        ),
        tags=["Definitions"],
        parameters=[
            OpenApiParameter("format", OpenApiTypes.STR, enum=list(formats.IMPORT_FORMATS), required=True),
            OpenApiParameter("dry_run", OpenApiTypes.BOOL, description="Only say what would change."),
        ],
        request={"application/octet-stream": OpenApiTypes.BINARY},
        responses=ImportOutput,
        examples=[
            OpenApiExample(
                "Imported", {"created": 40, "updated": 0, "unchanged": 0, "errors": []}, response_only=True
            ),
            OpenApiExample("A dry run", _PREVIEW, response_only=True),
        ],
    )
    def post(self, request: Request, game_id: str) -> Response:
        """Import a file."""
        game = named_game(request, game_id)
        dry_run, format = read_flag(request, "dry_run"), request.GET.get("format", "")
        by = author(request)
        extend(IMPORT_SECONDS)
        try:
            done = importing.import_file(
                game=game,
                format=format,
                body=_file(request, format),
                dry_run=dry_run,
                actor=by.actor,
                at=by.at,
            )
        except formats.UnknownFormat as error:
            raise Malformed(str(error)) from None
        errors = [_error(error) for error in done.errors]
        if errors and not dry_run:
            raise Invalid(
                "Nothing was imported: correct what `errors` names, and send the file again.",
                errors=[error | {"pointer": error.get("pointer", f"/{error['row']}")} for error in errors],
            )
        counts = {
            "created": done.created,
            "updated": done.updated,
            "unchanged": done.unchanged,
            "errors": errors,
        }
        return Response({**counts, "changes": _changes(done)} if dry_run else counts)


class ExportView(Endpoint):
    """Export of a game's definitions."""

    scopes = {"GET": "definitions:read"}
    query = frozenset({"format"})

    @extend_schema(
        operation_id="export_achievements",
        summary="Export achievements, stats and leaderboards as a file",
        description=(
            "`laurel` holds all of them and imports again unchanged; `csv` is for a spreadsheet: achievements only, "
            "with formulas disarmed."
        ),
        tags=["Definitions"],
        parameters=[OpenApiParameter("format", OpenApiTypes.STR, enum=list(export.EXPORT_FORMATS))],
        responses={
            (200, "application/json"): OpenApiResponse(ExportFile, "The file"),
            (200, "text/csv"): OpenApiResponse(OpenApiTypes.STR, "The file"),
        },
    )
    def get(self, request: Request, game_id: str) -> HttpResponse:
        """Return the file."""
        game = named_game(request, game_id)
        wanted = request.GET.get("format", "laurel")
        if wanted not in export.EXPORT_FORMATS:
            raise Malformed(f"The format is not known: use one of {', '.join(export.EXPORT_FORMATS)}.")
        rows = [as_values(one) for one in definitions.fresh_catalogue(game.id).by_key.values()]
        body = export.to_laurel(rows, _parts(game.id)) if wanted == "laurel" else export.to_csv(rows)
        response = HttpResponse(body, content_type=_CONTENT_TYPES[wanted])
        suffix = "json" if wanted == "laurel" else "csv"
        response["Content-Disposition"] = f'attachment; filename="achievements-{game.uuid}.{suffix}"'
        return response


def _file(request: Request, format: str) -> bytes:
    """Return the body; without one DRF puts a form there.

    Raises Malformed for lines that come in chunks: the server does not tell a connection that broke from the end.
    """
    body = cast("bytes", request.data) or b""
    has_no_end = format in formats.LINE_FORMATS and not body.startswith(b"PK")
    if body and has_no_end and not request.META.get("CONTENT_LENGTH"):
        raise Malformed("A file of lines has no end of its own: send it with Content-Length, not in chunks.")
    return body


def _parts(game_id: int) -> dict[str, list[dict[str, Any]]]:
    """Return what other rooms keep of a game's file."""
    return {name: section.rows(game_id) for name, section in sections().items()}


def _error(error: RowError) -> dict[str, object]:
    shown: dict[str, object] = {"row": error.row, "detail": error.detail}
    return {**shown, "pointer": error.pointer} if error.pointer else shown


def _changes(done: Imported) -> list[dict[str, Any]]:
    created = [
        _change(
            "achievements", one.key, {name: (None, new) for name, new in one.values().items()}, is_new=True
        )
        for one in done.changes.created
    ]
    updated = [_change("achievements", one.key, one.fields, is_new=False) for one in done.changes.updated]
    others = [
        _change(name, one.key, one.fields, is_new=one.is_new)
        for name, part in done.parts.items()
        for one in part.changes
    ]
    return created + updated + others


def _change(
    section: str, key: str, fields: Mapping[str, tuple[object, object]], *, is_new: bool
) -> dict[str, Any]:
    return {
        "section": section,
        "key": key,
        "change": "created" if is_new else "updated",
        "fields": {name: _field(*both) for name, both in fields.items()},
    }


def _field(old: object, new: object) -> dict[str, object]:
    return {"old": _plain(old), "new": _plain(new)}


def _plain(value: object) -> object:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Decimal):
        return int(value) if value == int(value) else float(value)
    return list(value) if isinstance(value, tuple) else value
