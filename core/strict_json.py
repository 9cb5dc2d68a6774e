"""Strict JSON (RFC 8259, I-JSON's restrictions): what stock parsers let through or crash on is refused here.

Refused as malformed (400): anything but one UTF-8 JSON value, more than 32 levels, a name twice in an object, numbers
of absurd length. Refused as values that can't be (422): NUL, lone surrogates, NaN and infinities.
"""

import json
import math
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from typing import Any, NoReturn

from django.http import HttpRequest
from rest_framework.parsers import BaseParser
from rest_framework.request import Request

from core.db import lend_back
from core.refusals import Invalid, Malformed, Refused, pointer

MAX_BYTES = 1024 * 1024
MAX_DEPTH = 32
_SHOWN = 60  # characters of a name in a message


class _Duplicate(ValueError):
    pass


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        [(twice, _)] = Counter(name for name, _ in pairs).most_common(1)
        raise _Duplicate(f"the name {twice[:_SHOWN]!r} occurs twice in one object")
    return value


def _float(text: str) -> float:
    value = float(text)
    if math.isinf(value):
        raise Invalid(f"The number {text[:40]} is larger than any that is taken.")
    return value


def _decimal(text: str) -> Decimal:
    _float(text)  # what is larger than any double is refused here as well
    return Decimal(text)


def _constant(text: str) -> NoReturn:
    raise Invalid(f"{text} is not a number that is taken.")


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_float=_float, parse_constant=_constant)
_exact_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_float=_decimal, parse_constant=_constant)


def loads(body: bytes, *, exact: bool = False) -> Any:
    """Read one JSON value; with `exact`, numbers that are not whole come as Decimal, digit by digit as they were sent.

    Raises:
        Malformed: not strict JSON, too deep, or a name twice.
        Invalid: NUL, a lone surrogate, NaN or an infinity.

    """
    try:
        text = body.decode("utf-8")
        value = (_exact_decoder if exact else _decoder).decode(text)
    except _Duplicate as error:
        raise Malformed(f"The body can't be read: {error}.") from None
    except UnicodeDecodeError:
        raise Malformed("The body is not UTF-8.") from None
    except RecursionError:
        raise Malformed(f"The body is nested deeper than {MAX_DEPTH} levels.") from None
    except ValueError as error:
        raise Malformed(f"The body is not JSON: {str(error)[:200]}.") from None
    _check_depth(value)
    if b"\\u" in body:
        # Only an escape can smuggle in a NUL or half of a surrogate pair; raw ones are no JSON or no UTF-8.
        _check_texts(value, "")
    return value


def _check_depth(value: Any) -> None:
    level = [value] if isinstance(value, dict | list) else []
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level for inner in _children(outer) if isinstance(inner, dict | list)]
        if not level:
            return
    raise Malformed(f"The body is nested deeper than {MAX_DEPTH} levels.")


def _children(value: dict[str, Any] | list[Any]) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def _check_texts(value: Any, at: str) -> None:
    if isinstance(value, str):
        if "\0" in value or any("\ud800" <= character <= "\udfff" for character in value):
            raise Invalid.value(at, "May not hold NUL or half of a surrogate pair.")
    elif isinstance(value, dict):
        for name, inner in value.items():
            _check_texts(name, at)
            _check_texts(inner, at + pointer(name))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            _check_texts(inner, at + pointer(index))


def read_body(request: HttpRequest, *, limit: int = MAX_BYTES) -> bytes:
    """Return the whole body, at most `limit` bytes, whether its length is announced or it comes in chunks.

    It is read once and kept with the request.

    Raises:
        Refused: `payload-too-large`.
        Malformed: a length that is no number, or a body shorter than announced.

    """
    kept: bytes | None = getattr(request, "laurel_body", None)
    if kept is None:
        kept = _read(request, limit)
        request.laurel_body = kept  # type: ignore[attr-defined]
    return kept


def _read(request: HttpRequest, limit: int) -> bytes:
    if request.META.get("HTTP_CONTENT_ENCODING", "identity") != "identity":
        raise Refused("Compressed bodies are not taken. Send it uncompressed.", slug="unsupported-media-type")
    announced = request.META.get("CONTENT_LENGTH") or ""
    if announced and not (announced.isascii() and announced.isdigit()):
        raise Malformed("Content-Length is not a number.")
    if announced and int(announced) > limit:
        raise Refused(f"The body has {announced} bytes; at most {limit} are taken.", slug="payload-too-large")
    body: bytes
    lend_back()  # whoever sends slowly would hold it meanwhile
    if announced:
        body = request.read(limit + 1)
    else:
        body = request.META["wsgi.input"].read(limit + 1) if _comes_in_parts(request) else b""
    if len(body) > limit:
        raise Refused(f"The body has more than {limit} bytes.", slug="payload-too-large")
    if announced and len(body) != int(announced):
        raise Malformed("The body is shorter than Content-Length says.")
    return body


def _comes_in_parts(request: HttpRequest) -> bool:
    """Say whether a body without an announced length may be there: in chunks, or in HTTP/2's frames."""
    return (
        "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower()
        or request.META.get("SERVER_PROTOCOL", "").split(".")[0] != "HTTP/1"
    )


class StrictJSONParser(BaseParser):
    """DRF's way to `loads`: only `application/json`, only UTF-8, never compressed."""

    media_type = "application/json"
    max_bytes = MAX_BYTES
    exact = False

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Read the request's body."""
        request: Request = parser_context["request"]
        if "charset=" in (media_type or "").lower() and "utf-8" not in (media_type or "").lower():
            raise Refused("Only UTF-8 is taken.", slug="unsupported-media-type")
        return loads(read_body(request._request), exact=self.exact)


class ExactJSONParser(StrictJSONParser):
    """For operations that must see every digit of a number."""

    exact = True
