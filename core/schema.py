"""How operations describe themselves in the OpenAPI schema: what all of them share is added here."""

from typing import Any, Literal

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import ResolvedComponent
from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers

from core.problems import CONTENT_TYPE
from core.refusals import PROBLEMS

_EXAMPLE_REQUEST_ID = "019ab3a0-7c1e-7d5e-9f54-3b1c5d0a9b11"
# A credential that is of no use is refused where none is needed, too.
_ALWAYS = (
    "malformed-request",
    "unauthenticated",
    "forbidden",
    "not-found",
    "not-acceptable",
    "rate-limited",
    "unavailable",
)
_WRITING = (
    *("conflict", "gone", "payload-too-large", "unsupported-media-type", "validation-failed"),
    "storage-full",
)


# Spaces around a header's value are not of it.
_IDEMPOTENCY_KEY = {
    "type": "string",
    "minLength": 1,
    "maxLength": 255,
    "pattern": "^[!-~]([ -~]*[!-~])?$",
}


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]  # its base has no types
    """Describes the Authorization header."""

    target_class = "accounts.authentication.BearerAuthentication"
    name = "bearer"

    def get_security_definition(self, auto_schema: AutoSchema) -> dict[str, Any]:
        """Return the security scheme."""
        return {
            "type": "http",
            "scheme": "bearer",
            "description": "A server key (`lrl_sk_…`) of your studio, or a player token.",
        }


class ProblemError(serializers.Serializer[Any]):
    """One value that can't be."""

    pointer = serializers.CharField(help_text="Where in the body (RFC 6901).")
    detail = serializers.CharField()
    row = serializers.IntegerField(
        required=False, help_text="Of a file that is imported: counted from 1; 0 is the file as a whole."
    )


class ProblemOutput(serializers.Serializer[Any]):
    """Problem details (RFC 9457)."""

    type = serializers.URLField(help_text="A page of this instance that explains the problem.")
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField(help_text="What happened in this very request, and what to do.")
    instance = serializers.CharField(required=False)
    request_id = serializers.CharField(required=False)
    errors = ProblemError(many=True, required=False)  # type: ignore[assignment]  # DRF finds fields by name


# Of every answer (draft-ietf-httpapi-ratelimit-headers).
_LIMITS = [
    OpenApiParameter(name, str, OpenApiParameter.HEADER, response=True, description=description)
    for name, description in (
        (
            "RateLimit-Policy",
            'The limit that a call counts for: `"server-reads";q=300000;w=60` is `q` in `w` seconds.',
        ),
        (
            "RateLimit",
            'What is left of it: `"server-reads";r=19999;t=1` is `r` now, and all of it in `t` seconds.',
        ),
    )
]


class LaurelSchema(AutoSchema):
    """Adds to every operation its problems, its limits, the request id, and the Idempotency-Key of a POST."""

    def get_override_parameters(self) -> list[Any]:
        """Return the headers that every operation reads."""
        parameters: list[Any] = [*super().get_override_parameters(), *_LIMITS]
        if self.method == "POST" and getattr(self.view, "keeps_answers", True):
            parameters.append(
                OpenApiParameter(
                    "Idempotency-Key",
                    _IDEMPOTENCY_KEY,
                    OpenApiParameter.HEADER,
                    description="1 to 255 printable ASCII characters: the same key and body answer the same again, "
                    "for 7 days, with `Idempotent-Replayed: true`.",
                )
            )
        return parameters

    def get_auth(self) -> list[dict[str, Any]]:
        """Return what the operation wants of a caller: of public ones a credential, or none."""
        wanted: list[dict[str, Any]] = super().get_auth()
        return [*wanted, {}] if self._is_public() else wanted

    def get_request_serializer(self) -> Any:
        """Return what describes the body: of a DELETE nothing, unless the operation says that it takes one."""
        return None if self.method == "DELETE" else super().get_request_serializer()

    def _get_request_body(
        self, direction: Literal["request", "response"] = "request"
    ) -> dict[str, Any] | None:
        """Return the body; that of a DELETE too, where the operation takes one, which the base leaves out."""
        method = self.method
        if method == "DELETE" and self.get_request_serializer() is not None:
            self.method = "PUT"
        try:
            body: dict[str, Any] | None = super()._get_request_body(direction)  # type: ignore[no-untyped-call]
        finally:
            self.method = method
        # The base takes one whose values may all be left out for one that may be left out itself.
        return body if body is None else body | {"required": True}

    def _map_basic_serializer(self, serializer: Any, direction: str) -> dict[str, Any]:
        schema: dict[str, Any] = super()._map_basic_serializer(serializer, direction)  # type: ignore[no-untyped-call]
        if direction == "request":  # unknown names are refused everywhere (core/items.py, StrictSerializer)
            schema["additionalProperties"] = False
        return schema

    def _map_serializer_field(self, field: Any, direction: Any, bypass_extensions: bool = False) -> Any:
        schema = super()._map_serializer_field(field, direction, bypass_extensions)  # type: ignore[no-untyped-call]
        if isinstance(schema, dict) and schema.get("oneOf") == [{}, {"type": "null"}]:
            del schema["oneOf"]  # any JSON is null, too, and would be one of both
        return schema

    def _get_response_bodies(self, direction: Literal["request", "response"] = "response") -> dict[str, Any]:
        bodies: dict[str, Any] = super()._get_response_bodies(direction)
        shared: dict[str, Any] = {}
        for slug in self._slugs():
            body = self._problem(slug)
            first = shared.setdefault(str(PROBLEMS[slug].status), body)
            first["content"][CONTENT_TYPE]["examples"] |= body["content"][CONTENT_TYPE]["examples"]
        return shared | bodies

    def _slugs(self) -> list[str]:
        slugs = list(_ALWAYS)
        if self.method != "GET":
            return slugs + list(_WRITING)
        if "{player}" in self.path:
            slugs.append("gone")
        if getattr(self.view, "query", None):
            slugs.append("validation-failed")
        return slugs

    def _is_public(self) -> bool:
        return self.method in getattr(self.view, "public", frozenset())

    def _problem(self, slug: str) -> dict[str, Any]:
        problem = PROBLEMS[slug]
        component: ResolvedComponent = self.resolve_serializer(ProblemOutput, "response")
        example = {
            "type": f"https://laurel.example/problems/{slug}",
            "title": problem.title,
            "status": problem.status,
            "detail": problem.meaning,
            "request_id": _EXAMPLE_REQUEST_ID,
        }
        content = {"schema": component.ref, "examples": {slug: {"value": example}}}
        return {"description": problem.title, "content": {CONTENT_TYPE: content}}
