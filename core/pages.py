"""Pages that belong to no game: the switches of theme, language and shortcuts, and what a problem means."""

import json
from collections.abc import Callable
from functools import wraps

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from core.refusals import PROBLEMS, Forbidden, Refused

THEMES = ("light", "dark", "auto")
_DAY_S = 24 * 3600
_YEAR_S = 365 * _DAY_S


def theme(request: HttpRequest) -> dict[str, str | bool]:
    """Give every template the reader's theme, empty where none was chosen, and whether there is a demo player.

    And whether single keys do something: who speaks to the browser may have turned that off (WCAG 2.1.4).
    """
    chosen = request.COOKIES.get(settings.THEME_COOKIE, "")
    return {
        "theme": chosen if chosen in THEMES else "",
        "shortcuts": request.COOKIES.get(settings.SHORTCUTS_COOKIE) != "off",
        "demo": settings.DEMO,
    }


def from_our_pages(view: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Take a form from this instance's own pages only, without a token: pages that are kept for all can hold none.

    A browser says where a form stood by Sec-Fetch-Site, and an older one by Origin; who says neither is refused
    (Source: OWASP's cheat sheet on cross-site request forgery, "Fetch Metadata headers").
    """

    @csrf_exempt
    @wraps(view)
    def checked(request: HttpRequest) -> HttpResponse:
        site, origin = request.META.get("HTTP_SEC_FETCH_SITE"), request.META.get("HTTP_ORIGIN")
        ours = {f"{request.scheme}://{request.get_host()}", settings.PUBLIC_URL}
        is_ours = site in ("same-origin", "none") if site else origin in ours
        # Django's test client is let in here as it is by Django's own check of tokens.
        if not is_ours and not getattr(request, "_dont_enforce_csrf_checks", False):
            raise Forbidden("This form was sent from another site. Open the page here and choose again.")
        return view(request)

    return checked


@require_POST
@from_our_pages
def set_theme(request: HttpRequest) -> HttpResponse:
    """Remember the reader's theme and go back to the page the choice was made on."""
    chosen = request.POST.get("theme", "")
    if chosen not in THEMES:
        raise Refused(f"`theme` takes {', '.join(THEMES)}.", slug="validation-failed")
    return _kept(request, settings.THEME_COOKIE, chosen)


@require_POST
@from_our_pages
def set_shortcuts(request: HttpRequest) -> HttpResponse:
    """Remember whether single keys do something, and go back to the page the choice was made on."""
    chosen = request.POST.get("shortcuts", "")
    if chosen not in ("on", "off"):
        raise Refused("`shortcuts` takes on, off.", slug="validation-failed")
    return _kept(request, settings.SHORTCUTS_COOKIE, chosen)


@require_POST
@from_our_pages
def set_language(request: HttpRequest) -> HttpResponse:
    """Remember the reader's language and go back to the page the choice was made on."""
    chosen, known = request.POST.get("language", ""), dict(settings.LANGUAGES)
    if chosen not in known:
        raise Refused(f"`language` takes {', '.join(known)}.", slug="validation-failed")
    return _kept(request, settings.LANGUAGE_COOKIE_NAME, chosen)


def _kept(request: HttpRequest, name: str, chosen: str) -> HttpResponse:
    target = request.POST.get("next", "")
    # Only a path of this instance: anything with a host, or what a browser reads as one, goes home.
    local = url_has_allowed_host_and_scheme(target, allowed_hosts=None) and target.startswith("/")
    response = redirect(target if local else "/")
    secure = settings.PUBLIC_URL.startswith("https://")
    response.set_cookie(name, chosen, max_age=_YEAR_S, samesite="Lax", secure=secure, httponly=True)
    return response


@require_safe
@cache_control(public=True, max_age=_DAY_S)
def icon(request: HttpRequest) -> HttpResponse:
    """Lead to the icon: browsers ask here for pages that name none, such as the admin's and the API's."""
    return redirect(static("icon.svg"))


@require_safe
def problems(request: HttpRequest) -> HttpResponse:
    """List every problem that the API answers with."""
    return render(
        request, "problems.html", {"problems": sorted(PROBLEMS.values(), key=lambda one: one.status)}
    )


@require_safe
@cache_control(private=True, max_age=300)
def problem(request: HttpRequest, slug: str) -> HttpResponse:
    """Explain one problem: its `type` in the API's answers is this page's address."""
    known = PROBLEMS.get(slug)
    if known is None:
        raise Http404
    return render(request, "problem.html", {"problem": known, "example": _example(slug)})


def _example(slug: str) -> str:
    refused = Refused("What went wrong in this very request, in a sentence.", slug=slug)
    body = refused.body(
        public_url=settings.PUBLIC_URL,
        instance="/api/v1/achievements/unlock",
        request_id="0198f2c4-6f1e-7c2a-9d53-0a4b8c7e1f20",
    )
    return json.dumps(body, indent=2)
