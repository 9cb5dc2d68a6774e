"""What every operation of the HTTP API shares: strict parameters, idempotency keys, caching headers."""

import hashlib
import re
from collections.abc import Mapping
from functools import partial
from typing import Any, NoReturn, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.fields import empty
from rest_framework.request import Request
from rest_framework.views import APIView

from core import idempotency
from core.ids import parse_id
from core.items import read_object
from core.refusals import Malformed, NotFound, Refused
from core.rendering import dumps
from core.strict_json import read_body

MAX_LIMIT = 1000
DEFAULT_LIMIT = 100


def whole(name: str, description: str, *, default: int, lowest: int, highest: int) -> OpenApiParameter:
    """Describe a parameter that `read_whole` reads."""
    schema = {"type": "integer", "minimum": lowest, "maximum": highest, "default": default}
    return OpenApiParameter(name, schema, description=description)


LIMIT = whole("limit", "How many a page.", default=DEFAULT_LIMIT, lowest=1, highest=MAX_LIMIT)
PAGE_PARAMETERS = [
    LIMIT,
    OpenApiParameter("cursor", OpenApiTypes.STR, description="`next_cursor` of the page before, unchanged."),
]


class StrictText(serializers.CharField):
    """Text that is text: a number is not read as one."""

    def to_internal_value(self, data: Any) -> str:
        """Read text."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class StrictBoolean(serializers.BooleanField):
    """`true` or `false`, and no word or number for it."""

    def to_internal_value(self, data: Any) -> bool:
        """Read it."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictInteger(serializers.IntegerField):
    """A whole number that is one: neither text nor 24.0 is read as one."""

    def to_internal_value(self, data: Any) -> int:
        """Read it."""
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return super().to_internal_value(data)


class GameId(serializers.UUIDField):
    """A game's id; what can't be one is no game's."""

    def to_internal_value(self, data: Any) -> UUID:
        """Read it."""
        uuid = parse_id(data)
        if uuid is None:
            raise NotFound("There is no such game.")
        return uuid


class StrictSerializer(serializers.Serializer[Any]):
    """A serializer that refuses unknown names, so that typos are seen."""

    def run_validation(self, data: Any = empty) -> Any:
        """Read and check the data; `null` is as little an object as a list is."""
        return super().run_validation([] if data is None and not self.allow_null else data)

    def to_internal_value(self, data: Any) -> Any:
        """Read the data; an unknown or read-only name makes the request malformed."""
        if not isinstance(data, Mapping):
            raise Malformed("The body has another shape than this operation takes: an object is expected.")
        writable = {name for name, field in self.fields.items() if not field.read_only}
        unknown = [name for name in data if name not in writable]
        if unknown:
            raise Malformed.names(unknown, known=writable)
        return super().to_internal_value(data)


class Endpoint(APIView):
    """The base of the API's views.

    Attributes:
        scopes: method to the scope that a server key needs; a method not named needs none.
        player_may: methods that a player token may use.
        query: names of the query parameters the operation takes.
        bodiless: methods that read no body: one that is sent may only be an empty object.
        limited_as: which of a player's limits it counts for: `unlocks`, `dashboards`, `boards` or `others`
            (config/settings/limits.py).
        keeps_answers: whether a POST with an Idempotency-Key runs once. Not where the answer is a secret, where a
            refusal has to leave a trace, or where it takes long; such a POST may be repeated as it is.
        secrets: what of an answer is not kept, and left out where it is given again.

    """

    scopes: Mapping[str, str] = {}
    player_may: frozenset[str] = frozenset()
    query: frozenset[str] = frozenset()
    bodiless: frozenset[str] = frozenset()
    limited_as: str = "others"
    keeps_answers: bool = True
    secrets: frozenset[str] = frozenset()
    _allow = ""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Write the `Allow` header once."""
        super().__init_subclass__(**kwargs)
        taken = [name for name in cls.http_method_names if hasattr(cls, name)]
        if "get" in taken:
            taken.insert(taken.index("get") + 1, "head")  # Django makes it of GET
        cls._allow = ", ".join(taken).upper()

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer the request; then break the circle view → request → parser's context → view.

        Only the collector could free it, with all that hangs on it: a thirtieth of an unlock's time.
        """
        response = super().dispatch(request, *args, **kwargs)
        # What does not say how long it may be kept depends on who asks.
        response.headers.setdefault("Cache-Control", "no-store")
        self.request.parser_context.clear()
        return response

    def http_method_not_allowed(self, request: Any, *args: Any, **kwargs: Any) -> NoReturn:
        """Refuse the method, and say which ones are taken."""
        raise Refused(f"This address takes {self._allow}.", slug="method-not-allowed")

    @property
    def default_response_headers(self) -> dict[str, str]:
        """Return the headers of every answer."""
        return {"Allow": self._allow}

    def initialize_request(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Request:
        """Have every body read by the parser: by itself DRF takes one without a length, or with none, for `{}`."""
        made = super().initialize_request(request, *args, **kwargs)
        made._stream = cast("Any", request)
        return made

    def check_permissions(self, request: Request) -> None:
        """Count the request before it may be refused: who shows no credential would otherwise never be stopped."""
        super().check_throttles(request)
        super().check_permissions(request)

    def check_throttles(self, request: Request) -> None:
        """Count nothing a second time: DRF asks for it after the permissions."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Authenticate, count, check the scope, refuse what is not taken; a POST with an Idempotency-Key runs once."""
        super().initial(request, *args, **kwargs)
        if request.META.get("QUERY_STRING"):
            check_query(request._request, self.query)
        if request.method in self.bodiless:
            _require_no_body(request)
        if self.keeps_answers and request.method == "POST" and "HTTP_IDEMPOTENCY_KEY" in request.META:
            self.post: Any = partial(idempotency.once, run=self.post, secrets=self.secrets)


def check_query(request: HttpRequest, known: frozenset[str]) -> None:
    """Refuse query parameters that are unknown or repeated."""
    for name, values in request.GET.lists():
        if name not in known:
            names = ", ".join(sorted(known)) or "none"
            raise Malformed(f"The query parameter {name[:60]!r} is unknown. This operation takes: {names}.")
        if len(values) > 1:
            raise Malformed(f"The query parameter {name!r} is there {len(values)} times. Send it once.")


def _require_no_body(request: Request) -> None:
    """Refuse a body that would be passed by: whoever sends one means something by it."""
    if read_body(request._request):
        read_object(request.data, frozenset())


def read_limit(request: Request) -> int:
    """Return the page's size from `limit`: 1 to 1000, 100 if not given."""
    return read_whole(request, "limit", default=DEFAULT_LIMIT, lowest=1, highest=MAX_LIMIT)


def read_whole(request: Request, name: str, *, default: int, lowest: int, highest: int) -> int:
    """Return a whole number from the query."""
    text = request.GET.get(name)
    if text is None:
        return default
    if not re.fullmatch(r"-?[0-9]{1,18}", text, re.ASCII) or not lowest <= int(text) <= highest:
        raise Malformed(f"`{name}` is {text[:40]!r}; it takes a whole number from {lowest} to {highest}.")
    return int(text)


def read_flag(request: Request, name: str) -> bool:
    """Return a query parameter that is `true` or `false` (the default)."""
    text = request.GET.get(name, "false")
    if text not in ("true", "false"):
        raise Malformed(f"`{name}` is {text[:40]!r}; it takes true or false.")
    return text == "true"


def cached_answer(request: Request, data: Any, *, cache_control: str) -> HttpResponse:
    """Answer a GET with an ETag over its bytes, or 304 when the caller has them."""
    body = dumps(data)
    return bytes_answer(request, body, etag=etag_of(body), cache_control=cache_control)


def etag_of(body: bytes) -> str:
    """Return the entity tag of an answer's bytes."""
    return f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"'


def bytes_answer(request: Request, body: bytes, *, etag: str, cache_control: str) -> HttpResponse:
    """Answer finished bytes, or 304 when the caller has them; tags are compared weakly (RFC 9110 §13.1.2)."""
    known = request.META.get("HTTP_IF_NONE_MATCH", "")
    tags = [tag.strip().removeprefix("W/") for tag in known.split(",")]
    matches = known == "*" or etag.removeprefix("W/") in tags
    response = HttpResponse(status=304) if matches else HttpResponse(body, content_type="application/json")
    if matches:
        del response["Content-Type"]  # there is no content
    response["ETag"] = etag
    response["Cache-Control"] = cache_control
    response["Vary"] = "Authorization"
    return response


def page(results: list[Any], *, next_cursor: str | None, **more: Any) -> dict[str, Any]:
    """Return a list's answer in the API's shape."""
    return {"results": results, "next_cursor": next_cursor, "has_next_page": next_cursor is not None, **more}
