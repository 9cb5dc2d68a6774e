"""Answers are plain values and frozen dataclasses, rendered by orjson."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from core.clock import rfc3339

_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME
_TAKEN = ("application/json", "application/*", "*/*", "application/problem+json")


def _default(value: Any) -> Any:
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, Decimal):
        return float(value)
    raise TypeError(f"{type(value).__name__} has no JSON form here")


def dumps(value: Any) -> bytes:
    """Return `value` as UTF-8 JSON; times as the API writes them, dataclasses as objects."""
    return orjson.dumps(value, default=_default, option=_OPTIONS)


class OrjsonRenderer(BaseRenderer):
    """Renders an answer's data."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        """Return the body; an answer without data has none."""
        return b"" if data is None else dumps(data)


class JsonNegotiation(BaseContentNegotiation):
    """JSON in, JSON out: a cheaper choice than weighing quality values for one renderer."""

    def select_parser(self, request: Request, parsers: Iterable[Any]) -> Any:
        """Take the parser whose media type was sent; None is answered 415."""
        sent = (request.content_type or "").split(";")[0].strip().lower()
        return next((parser for parser in parsers if parser.media_type in (sent, "*/*")), None)

    def select_renderer(self, request: Request, renderers: Iterable[Any], format_suffix: Any = None) -> Any:
        """Render JSON, unless the caller takes anything but that."""
        accept = request.META.get("HTTP_ACCEPT", "*/*")
        renderer = next(iter(renderers))
        if not any(taken in accept for taken in (*_TAKEN, renderer.media_type)):
            raise NotAcceptable
        return renderer, renderer.media_type
