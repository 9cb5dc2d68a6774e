"""The front page, and the demo player's own page."""

from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.middleware.csrf import get_token
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts import selectors as accounts
from accounts.selectors import PlayerInfo
from achievements.selectors import unlocks
from social import page_content, selectors
from social.api.root import root
from social.pages.seen import DEFAULT_THEME

# Stands for a game's id in the address that live.js builds.
_ANY_GAME = UUID(int=0)


@require_safe
@cache_control(private=True, no_cache=True)
def home(request: HttpRequest) -> HttpResponse:
    """Say what Laurel is, and what to try."""
    demo_player = accounts.demo_player() if settings.DEMO else None
    context = {"default_theme": DEFAULT_THEME, "demo": demo_player is not None}
    if demo_player is not None:
        games = page_content.game_rows(demo_player, unlocks.totals_of(demo_player.id))
        context["try_it"] = page_content.try_it(demo_player, games, at=timezone.now())
    return render(request, "home.html", context)


@require_safe
@cache_control(private=True, no_cache=True)
def demo(request: HttpRequest) -> HttpResponse:
    """Show the demo player's own page, live."""
    info = _demo_player()
    live = _live(request, info)  # before the page is read, so that nothing falls between the two
    page = page_content.player_page(info, is_demo=True, at=timezone.now())
    context = {"page": page, "here": "home", "default_theme": DEFAULT_THEME, "live": live}
    return render(request, "player/home.html", context)


@require_safe
@cache_control(private=True, no_store=True)
def live_fragment(request: HttpRequest) -> HttpResponse:
    """Return the parts of the demo player's page that change with an unlock."""
    page = page_content.player_page(_demo_player(), is_demo=True, at=timezone.now())
    return render(request, "player/fragment.html", {"page": page})


def _demo_player() -> PlayerInfo:
    info = accounts.demo_player() if settings.DEMO else None
    if info is None:
        raise Http404
    return info


def _live(request: HttpRequest, info: PlayerInfo) -> dict[str, str | None]:
    """Return what live.js needs to know: where to listen, from which event on, and where the page's parts are."""
    newest = next(iter(selectors.notifications(info.id, limit=1)), None)
    games = reverse("player-game", args=[info.uuid, _ANY_GAME])
    return {
        "websocket": _under_the_same_name(request, root()["live"]["websocket"]),
        "session_url": reverse("demo-session"),
        "fragment_url": reverse("demo-fragment"),
        "game_url": games.replace(str(_ANY_GAME), "{game}"),
        "after": str(newest.uuid) if newest else None,
        "csrf": get_token(request),
    }


def _under_the_same_name(request: HttpRequest, url: str) -> str:
    """Return an address of this instance by the name that the browser knows it by.

    A developer's machine has two, and a cookie belongs to one of them.
    """
    host, parts = request.get_host().rpartition(":")[0] or request.get_host(), urlsplit(url)
    if host not in settings.LOOPBACK_NAMES or parts.hostname not in settings.LOOPBACK_NAMES:
        return url
    return parts._replace(netloc=f"{host}:{parts.port}" if parts.port else host).geturl()
