"""Pages that are the same for everybody who is not signed in: made once in a while, and sent as they are.

A shared cache in front may keep them as long; who is signed in gets a page of his own, which nobody keeps.
"""

import gzip
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.utils.cache import patch_vary_headers

from core import keys
from core.endpoint import etag_of
from core.memo import Finished, Memo
from core.metrics import caches
from core.pages import THEMES

FRESH_S: Final = 15  # how long Valkey keeps a page
SHARED_CACHES: Final = "public, s-maxage=30, stale-while-revalidate=60"  # as the API says for boards
# What may be withdrawn at any time: fresh for moments, then asked for again, which costs a 304 (ADR 0055).
WITHDRAWABLE: Final = "public, max-age=0, s-maxage=10, must-revalidate"
NOBODY_ELSES: Final = "private, no-store"
_LONGEST_VALUE = 200
_API = "/api/"
# Of the answer that was sent, not of the page.
_NOT_OF_THE_PAGE = frozenset({"Content-Encoding", "Content-Length", "ETag"})
View = Callable[..., HttpResponse]

_looks = caches.looks("pages")
_memo = Memo()
_hot = Memo()


def is_personal(request: HttpRequest) -> bool:
    """Say whether somebody may be signed in: then nothing is taken from what is kept."""
    return settings.SESSION_COOKIE_NAME in request.COOKIES


def _is_for_all(request: HttpRequest) -> bool:
    """Say whether an answer may be one for anybody: a one-time message is told to its reader, signed in or not."""
    return not is_personal(request) and settings.MESSAGES_COOKIE not in request.COOKIES


def public_page(*, query: frozenset[str] = frozenset(), kept_s: int = FRESH_S) -> Callable[[View], View]:
    """Keep a page's bytes for those who are not signed in. Other parameters than those of `query` are not looked at.

    Such a page holds no form with a token and says nothing of its reader but by the theme and whether single keys do
    something. Refusals (404) are not kept. A hot page costs no query and, for a second at a time, not even a look into
    Valkey. What somebody may withdraw at any time, a profile, is kept for that second only, and
    by a shared cache for ten: `kept_s=0`.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def answer(request: HttpRequest, *args: Any, **named: Any) -> HttpResponse:
            if request.method not in ("GET", "HEAD") or not _is_for_all(request):
                response = view(request, *args, **named)
                response["Cache-Control"] = NOBODY_ELSES
                patch_vary_headers(response, ["Cookie"])
                return response
            address = _address(request, query)
            finished = _memo.get(address)
            is_fresh = finished is None
            if finished is None and kept_s:
                finished = _kept(address)
            _looks.note(finished)
            if finished is None:
                made = view(request, *args, **named)
                if made.status_code != 200:
                    return made
                finished = _finish(made)
                if kept_s:
                    cache.set(keys.public_page(address), tuple(finished), kept_s)
                _memo.keep(address, finished)
            response = _answer(request, finished)
            response["Cache-Control"] = SHARED_CACHES if kept_s else WITHDRAWABLE
            patch_vary_headers(response, ["Accept-Encoding", "Cookie"])
            if is_fresh:
                response.finished = finished  # type: ignore[attr-defined]  # for `hot_pages`
            return response

        return answer

    return decorate


def hot_pages(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Answer again at once what was sent to anybody within this second: a middleware, in front of those for readers.

    Sessions, forms, messages, the address and the view do nothing for such a page, and cost several times what sending
    it does (ADR 0056). An address with a query goes the usual way, where only those parameters count that are declared.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        is_plain = request.method in ("GET", "HEAD") and not request.META.get("QUERY_STRING")
        if not is_plain or request.path_info.startswith(_API) or not _is_for_all(request):
            return get_response(request)
        address = f"{request.scheme}://{_address(request, frozenset())}"
        if found := _hot.get(address):
            _looks.hits += 1
            return _answer(request, found)
        response = get_response(request)
        finished: Finished | None = getattr(response, "finished", None)
        if finished is not None:
            headers = tuple(item for item in response.items() if item[0] not in _NOT_OF_THE_PAGE)
            _hot.keep(address, finished._replace(headers=headers))
        return response

    return middleware


def forget() -> None:
    """Keep nothing in this process (between tests)."""
    _memo.clear()
    _hot.clear()


def _address(request: HttpRequest, query: frozenset[str]) -> str:
    asked = sorted((name, request.GET[name][:_LONGEST_VALUE]) for name in query if name in request.GET)
    theme = request.COOKIES.get(settings.THEME_COOKIE, "")
    keys_off = request.COOKIES.get(settings.SHORTCUTS_COOKIE) == "off"
    chosen = f"{theme if theme in THEMES else ''}{' without single keys' if keys_off else ''}"
    host, _port = split_domain_port(request.get_host())  # any port may be named: it makes no other page
    return f"{host}{request.path}?{urlencode(asked)}#{chosen}"


def _kept(address: str) -> Finished | None:
    found = cache.get(keys.public_page(address))
    if found is None:
        return None
    finished = Finished(*found)
    _memo.keep(address, finished)
    return finished


def _finish(made: HttpResponse) -> Finished:
    return Finished(gzip.compress(made.content, 6, mtime=0), f"W/{etag_of(made.content)}")


def _answer(request: HttpRequest, finished: Finished) -> HttpResponse:
    known = {tag.strip() for tag in request.META.get("HTTP_IF_NONE_MATCH", "").split(",")}
    if finished.etag in known:
        response = HttpResponse(status=304)
    elif "gzip" in request.META.get("HTTP_ACCEPT_ENCODING", ""):
        response = HttpResponse(finished.body)
        response["Content-Encoding"] = "gzip"
    else:
        response = HttpResponse(gzip.decompress(finished.body))
    for name, value in finished.headers:
        response[name] = value
    if response.status_code == HTTPStatus.NOT_MODIFIED:
        del response["Content-Type"]
    response["ETag"] = finished.etag
    return response
