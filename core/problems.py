"""The one place where refusals and failures become answers: problem+json for the API, a page for browsers."""

from typing import Any

import orjson
import structlog
from django.conf import settings
from django.contrib.sessions.exceptions import SessionInterrupted
from django.core.exceptions import (
    DisallowedHost,
    PermissionDenied,
    RequestDataTooBig,
    SuspiciousOperation,
    TooManyFieldsSent,
)
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import override
from psycopg_pool import PoolTimeout
from rest_framework import exceptions
from rest_framework.views import set_rollback

from core.refusals import PROBLEMS, Conflict, Refused, Told, Unavailable, pointer

log = structlog.get_logger(__name__)

CONTENT_TYPE = "application/problem+json"
_BY_STATUS = {problem.status: slug for slug, problem in PROBLEMS.items()}
_FOR_PEOPLE = {  # titles of pages, where the catalogue's own speak to who writes programs
    "forbidden": "This is not allowed",
    "conflict": "This does not fit any more",
}
_DEADLOCK_OR_SERIALIZATION = {"40P01", "40001"}


def answer(request: HttpRequest, refused: Refused) -> HttpResponse:
    """Answer `refused` as problem+json."""
    body = refused.body(
        public_url=settings.PUBLIC_URL,
        instance=request.path,
        request_id=getattr(request, "request_id", None),
    )
    response = HttpResponse(orjson.dumps(body), content_type=CONTENT_TYPE, status=refused.problem.status)
    response["Cache-Control"] = "no-store"
    for name, value in refused.headers.items():
        response[name] = value
    response.told = Told.of(refused)  # type: ignore[attr-defined]  # for the request log
    return response


def handle(exception: Exception, context: dict[str, Any]) -> HttpResponse | None:
    """Turn an exception of an API view into its answer (DRF's EXCEPTION_HANDLER); None lets it be a bug."""
    refused = as_refusal(exception)
    if refused is None:
        return None
    set_rollback()
    return answer(context["request"]._request, refused)


def as_refusal(exception: Exception) -> Refused | None:
    """Return the refusal that `exception` means, or None if it is a bug."""
    if isinstance(exception, Refused):
        return exception
    if isinstance(exception, exceptions.APIException):
        return _of_rest_framework(exception)
    if isinstance(exception, Http404):
        return Refused("There is nothing at this address.", slug="not-found")
    if isinstance(exception, PermissionDenied):
        return Refused("This is not allowed for this caller.", slug="forbidden")
    if isinstance(exception, RequestDataTooBig):
        return Refused("The body is larger than this address takes.", slug="payload-too-large")
    if isinstance(exception, SuspiciousOperation | TooManyFieldsSent):
        return Refused("The request can't be read.", slug="malformed-request")
    if isinstance(exception, SessionInterrupted):
        return _of_session(exception)
    return _of_database(exception)


def _of_session(interrupted: SessionInterrupted) -> Refused:
    """Return why a session could not be stored: Django says that it is gone, whatever the database answered."""
    cause: BaseException | None = interrupted
    while cause is not None:
        if isinstance(cause, Exception) and (refused := _of_database(cause)) is not None:
            return refused
        cause = cause.__context__
    return Conflict(
        "You were signed out while this was under way. Sign in, and look whether it was done before you repeat it."
    )


def _of_database(exception: Exception) -> Refused | None:
    if not isinstance(exception, OperationalError | InterfaceError | PoolTimeout):
        return None
    state = getattr(exception.__cause__, "sqlstate", None)
    if state in _DEADLOCK_OR_SERIALIZATION:
        return Conflict("Another request changed the same rows at the same moment. Send this one again.")
    log.warning("database unavailable", error=str(exception).strip().split("\n")[0])
    return Unavailable("The database does not answer. Send the same request again; repeating it is safe.")


def _of_rest_framework(exception: exceptions.APIException) -> Refused:
    if isinstance(exception, exceptions.ValidationError):
        return Refused(
            "A value of the request can't be.", slug="validation-failed", errors=_flatten(exception.detail)
        )
    if isinstance(exception, exceptions.UnsupportedMediaType):
        return Refused(
            "This address takes a body of JSON: send it with the header `Content-Type: application/json`.",
            slug="unsupported-media-type",
        )
    slug = _BY_STATUS.get(exception.status_code, "malformed-request")
    headers = {"WWW-Authenticate": "Bearer"} if slug == "unauthenticated" else {}
    return Refused(str(exception.detail), slug=slug, headers=headers)


def _flatten(detail: Any, at: str = "") -> list[dict[str, str]]:
    """Return DRF's nested error details as pointers (RFC 6901)."""
    if isinstance(detail, dict):
        return [
            row
            for name, inner in detail.items()
            for row in _flatten(inner, at if name == "non_field_errors" else at + pointer(str(name)))
        ]
    if isinstance(detail, list):
        if all(isinstance(inner, str) for inner in detail):
            return [{"pointer": at, "detail": str(inner)} for inner in detail]
        return [row for index, inner in enumerate(detail) for row in _flatten(inner, at + pointer(index))]
    return [{"pointer": at, "detail": str(detail)}]


def wants_json(request: HttpRequest) -> bool:
    """Say whether problems are answered as JSON: under /api/ and /media/, and wherever HTML was not asked for."""
    return json_is_wanted(request.path, request.headers.get("Accept", ""))


def json_is_wanted(path: str, accept: str) -> bool:
    """Say the same of a request's path and its Accept header."""
    return path.startswith(("/api/", "/media/")) or "text/html" not in accept


def page_or_problem(request: HttpRequest, refused: Refused) -> HttpResponse:
    """Answer a refusal outside the API's views."""
    if wants_json(request):
        return answer(request, refused)
    request.is_refused = True  # type: ignore[attr-defined]  # context processors must not ask the database who it is
    is_of_studios = request.path.startswith("/portal/")
    context = {
        "problem": refused.problem,
        "title": _FOR_PEOPLE.get(refused.slug, refused.problem.title),
        "detail": refused.detail,
        "wait": _wait(refused.headers.get("Retry-After", "")),
        "is_of_studios": is_of_studios,
        "request_id": getattr(request, "request_id", ""),
    }
    if not is_of_studios and not request.path.startswith("/account/"):
        context["default_theme"] = "dark"  # as the pages that lead here
    with override("en"):  # as the refusal's own texts are
        response = render(request, "error.html", context, status=refused.problem.status)
    for name, value in refused.headers.items():
        response[name] = value
    return response


def _wait(seconds: str) -> str:
    """Return how long `Retry-After` says to wait, as a page says it."""
    minutes = -(-int(seconds) // 60) if seconds.isdecimal() else 1
    return "a minute" if minutes <= 1 else f"{minutes} minutes"


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer Django's 400s."""
    if isinstance(exception, DisallowedHost):
        return answer(
            request, Refused("This instance does not serve that host name.", slug="malformed-request")
        )
    refused = as_refusal(exception) or Refused("The request can't be read.", slug="malformed-request")
    return page_or_problem(request, refused)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer Django's 403s."""
    return page_or_problem(request, Refused("This is not allowed for this caller.", slug="forbidden"))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form that came without its token."""
    return page_or_problem(
        request,
        Refused(
            "This form is too old. Load the page with it again, and repeat what you did.", slug="forbidden"
        ),
    )


def too_many(request: HttpRequest) -> HttpResponse:
    """Answer who used up a limit of allauth's; the longest of those that lead here is a minute."""
    return page_or_problem(
        request,
        Refused("That was too often for a minute.", slug="rate-limited", headers={"Retry-After": "60"}),
    )


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer Django's 404s."""
    return page_or_problem(request, Refused("There is nothing at this address.", slug="not-found"))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a bug; the log has the traceback under the request id."""
    return page_or_problem(
        request, Refused("This is a fault of the platform, not of the request.", slug="internal-error")
    )
