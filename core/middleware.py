"""What every request passes first, and what only pages pass."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.exceptions import MiddlewareNotUsed, ValidationError
from django.db import DEFAULT_DB_ALIAS, DataError
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.common import CommonMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django.middleware.gzip import GZipMiddleware
from django.middleware.locale import LocaleMiddleware
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.deprecation import MiddlewareMixin
from whitenoise.middleware import WhiteNoiseMiddleware

from core import replica, tracing
from core.deadlines import deadline
from core.ids import request_id
from core.problems import CONTENT_TYPE, as_refusal, page_or_problem, wants_json
from core.refusals import Refused

log = structlog.get_logger(__name__)

# A date's widget takes a text for a date.
_NOT_READ = (ValueError, TypeError, AttributeError, OverflowError, ValidationError, DataError)
GetResponse = Callable[[HttpRequest], HttpResponse]
LARGEST_FORM = 12 * 1024 * 1024  # the largest file, of an import, with what is said beside it
_NO_PAGES = ("/api/", "/media/")
_TRANSLATED = ("/portal/", "/account/", "/invitations/")  # elsewhere everything is English (docs/adr/0046)


def request_context(get_response: GetResponse) -> GetResponse:
    """Give each request its id (echoed when the caller sent a valid one) and its deadline."""

    def middleware(request: HttpRequest) -> HttpResponse:
        its_id = request_id(request.META.get("HTTP_X_REQUEST_ID", ""))
        request.request_id = its_id  # type: ignore[attr-defined]
        structlog.contextvars.bind_contextvars(request_id=its_id)
        try:
            with deadline():
                response = get_response(request)
        finally:
            structlog.contextvars.clear_contextvars()
        if tracing.recorder is not None and (match := request.resolver_match) is not None:
            tracing.recorder.tell_route(match.route)
        response["X-Request-Id"] = its_id
        if not response.streaming and not response.has_header("Content-Length"):
            response["Content-Length"] = str(len(response.content))
        return response

    return middleware


class Refusals:
    """Answers expected refusals that a page raised, and says what is wrong with a method that is not taken.

    Bugs go on to Django.
    """

    def __init__(self, get_response: GetResponse) -> None:
        """Keep the way on."""
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; who comes by a method that a plain view does not take is told so in words."""
        response = self.get_response(request)
        is_told = response.headers.get("Content-Type") == CONTENT_TYPE
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED or is_told:
            return response
        allowed = response.headers.get("Allow", "")
        said = "This address only takes a form. Go back to the page that the form is on, and load it again."
        if wants_json(request):
            said = f"This address takes {allowed}."
        return page_or_problem(request, Refused(said, slug="method-not-allowed", headers={"Allow": allowed}))

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Answer what is expected to happen."""
        refused = as_refusal(exception) or _unreadable(request, exception)
        return None if refused is None else page_or_problem(request, refused)


def _unreadable(request: HttpRequest, exception: Exception) -> Refused | None:
    """Return what to answer where a page of the admin broke on what its address asks for.

    Django's own pages there give whatever stands behind the ? to forms and to PostgreSQL.
    """
    asks = request.path_info.startswith("/admin/") and request.method in ("GET", "HEAD") and request.GET
    if not asks or not isinstance(exception, _NOT_READ):
        return None
    log.warning("address of the admin can't be read", path=request.path_info, exc_info=exception)
    return Refused(
        "What this address asks for can't be read. Go back, and choose again.", slug="malformed-request"
    )


class PagesOnly:
    """Keeps a middleware out of the API's way: /api/ is authenticated by its header alone and shows no page.

    Neither does /media/, which is the same for everybody, and has to look so to whoever keeps it.

    Eight of them cost an unlock more than its JSON; without sessions a cookie can't act there either.
    """

    def __init__(self, get_response: GetResponse) -> None:
        """Find what lies beyond all of them, so that the API's requests pass them in one step."""
        super().__init__(get_response)  # type: ignore[call-arg]
        following = getattr(get_response, "__wrapped__", None)
        self.beyond: GetResponse = following.beyond if isinstance(following, PagesOnly) else get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the API's requests by."""
        if request.path_info.startswith(_NO_PAGES):
            return self.beyond(request)
        return super().__call__(request)  # type: ignore[misc,no-any-return]


class Sessions(PagesOnly, SessionMiddleware):
    """Sessions for pages."""


class Compressed(PagesOnly, GZipMiddleware):
    """Pages are sent compressed, a table of fifty rows as a tenth of its size.

    Nothing else is: a file's bytes are what its ETag and its length say. How long a page is tells nothing of the token
    in its forms, which is masked anew each time and padded (Source: "Heal the Breach", Django's GZipMiddleware).
    """

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        """Compress HTML."""
        is_page = response.get("Content-Type", "").startswith("text/html") and not response.streaming
        return super().process_response(request, response) if is_page else response


class Common(PagesOnly, CommonMiddleware):
    """Django's common headers for pages."""


class Csrf(PagesOnly, CsrfViewMiddleware):
    """Form tokens for pages."""

    def process_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Check a form's token; a form that nobody takes is not read for it, nor are its files laid on the disk."""
        if request.path_info.startswith(_NO_PAGES):
            return None
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not length.isdecimal() or int(length) > LARGEST_FORM:
            too_large = "The form is larger than any that is taken: choose a smaller file."
            return page_or_problem(request, Refused(too_large, slug="payload-too-large"))
        return super().process_view(request, *args, **kwargs)


class SignedIn(PagesOnly, AuthenticationMiddleware):
    """Who looks at a page."""


class Language(PagesOnly, LocaleMiddleware):
    """The reader's language, by choice or else by what the browser asks for, on the pages that are translated."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Speak it for this request only: the thread's next one may be the API's, whose texts are English."""
        if not request.path_info.startswith(_TRANSLATED):
            return self.get_response(request)  # type: ignore[return-value]
        try:
            return super().__call__(request)
        finally:
            translation.deactivate()

    def process_response(self, request: HttpRequest, response: Any) -> Any:
        """Say by what else than Accept-Language the page would be another one."""
        patch_vary_headers(response, ["Cookie"])
        return super().process_response(request, response)


class OwnWrites(PagesOnly, MiddlewareMixin):
    """Whoever has just changed something on a page sees it: for a while his pages ask no replica, which may lag."""

    def __init__(self, get_response: GetResponse) -> None:
        """Be there only where there is a replica."""
        if replica.REPLICA not in settings.DATABASES:
            raise MiddlewareNotUsed
        super().__init__(get_response)
        self._following = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Remember in the browser that something was changed, for as long as a replica that is read may lag, twice."""
        if request.path_info.startswith(_NO_PAGES):
            return self.beyond(request)
        is_write = request.method not in ("GET", "HEAD", "OPTIONS", "TRACE")
        if not is_write and settings.WROTE_COOKIE not in request.COOKIES:
            return self._following(request)
        with replica.decided(DEFAULT_DB_ALIAS):
            response = self._following(request)
        if is_write and response.status_code < HTTPStatus.BAD_REQUEST:
            secure = settings.PUBLIC_URL.startswith("https://")
            seconds = int(2 * replica.LARGEST_LAG_S)
            response.set_cookie(
                settings.WROTE_COOKIE, "1", max_age=seconds, samesite="Lax", secure=secure, httponly=True
            )
        return response


class Messages(PagesOnly, MessageMiddleware):
    """One-time messages on pages."""


class FrameOptions(PagesOnly, XFrameOptionsMiddleware):
    """No page is shown inside another site's."""


class KeptByNobody(PagesOnly, MiddlewareMixin):
    """A page that does not say for how long it may be kept is kept by nobody: it may be somebody's own."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        """Say so."""
        response.headers.setdefault("Cache-Control", "private, no-store")
        return response


class ContentPolicy(PagesOnly, CSPMiddleware):
    """What a page may load."""


class StaticFiles(PagesOnly, WhiteNoiseMiddleware):  # type: ignore[misc]
    """Static files under immutable names."""
