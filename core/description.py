"""GET /api/v1/schema: the API's description as a file, in JSON, or in YAML for who asks for that."""

from functools import cache
from typing import Any, Final

from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiYamlRenderer, OpenApiYamlRenderer2
from drf_spectacular.utils import extend_schema
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from core.endpoint import Endpoint, bytes_answer, etag_of
from core.memo import Finished

_KEPT: Final = "public, max-age=60"


class OpenApiJsonRenderer(JSONRenderer):
    """JSON by the name that descriptions have for it."""

    media_type = "application/vnd.oai.openapi+json"


class SchemaView(Endpoint):
    """The description, the same for everybody: no credential is looked at."""

    authentication_classes = ()
    permission_classes = ()
    content_negotiation_class = DefaultContentNegotiation
    renderer_classes = (JSONRenderer, OpenApiJsonRenderer, OpenApiYamlRenderer2, OpenApiYamlRenderer)

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """Answer it."""
        form = type(request.accepted_renderer)
        finished = _described(form)  # type: ignore[arg-type]  # a class can be hashed
        response = bytes_answer(request, finished.body, etag=finished.etag, cache_control=_KEPT)
        if response.content:
            response["Content-Type"] = form.media_type
        response["Vary"] = "Accept"
        return response


@cache
def _described(form: type[BaseRenderer]) -> Finished:
    """Return the description's bytes: code alone makes it, in a second of a core."""
    generator: Any = SchemaGenerator()  # type: ignore[no-untyped-call]
    body = form().render(generator.get_schema(request=None, public=True), form.media_type, {})
    assert isinstance(body, bytes)
    return Finished(body, etag_of(body))
