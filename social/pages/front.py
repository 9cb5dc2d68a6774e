"""The front page."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts import selectors as accounts
from core import clock
from social.pages.seen import DEFAULT_THEME
from social.trying import try_it


@require_safe
@cache_control(private=True, no_cache=True)
def home(request: HttpRequest) -> HttpResponse:
    """Say what Laurel is, and what to try."""
    demo_player = accounts.demo_player() if settings.DEMO else None
    context = {"default_theme": DEFAULT_THEME, "demo": demo_player is not None}
    if demo_player is not None:
        context["try_it"] = try_it(demo_player, at=clock.now())
    return render(request, "home.html", context)
