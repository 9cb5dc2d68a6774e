"""The players' pages and the front page."""

from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts import selectors as accounts
from accounts.selectors import PlayerInfo
from social import page_content
from social.selectors import seeing
from social.trying import try_it

# The players' site is dark until a reader chooses otherwise.
DEFAULT_THEME = "dark"


@require_safe
@cache_control(private=True, no_cache=True)
def home(request: HttpRequest) -> HttpResponse:
    """Say what Laurel is, and what to try."""
    demo_player = accounts.demo_player() if settings.DEMO else None
    context = {"default_theme": DEFAULT_THEME, "demo": demo_player is not None}
    if demo_player is not None:
        context["try_it"] = try_it(demo_player, at=timezone.now())
    return render(request, "home.html", context)


@require_safe
@cache_control(private=True, no_cache=True)
def player(request: HttpRequest, player_id: UUID) -> HttpResponse:
    """Show a player's page to anybody, if the player is public."""
    page = page_content.player_page(_public_player(player_id), is_demo=False, at=timezone.now())
    return render(request, "player/home.html", {"page": page, "here": "home", "default_theme": DEFAULT_THEME})


@require_safe
@cache_control(private=True, no_cache=True)
def game(request: HttpRequest, player_id: UUID, game_id: UUID) -> HttpResponse:
    """Show one game's achievements as a public player stands to them; `?all=1` shows long sections whole."""
    info, about = _public_player(player_id), accounts.fresh_game(game_id)
    if about is None:
        raise Http404
    demo_player = accounts.demo_player() if settings.DEMO else None
    page = page_content.game_page(
        info,
        about,
        is_demo=demo_player is not None and demo_player.id == info.id,
        whole=request.GET.get("all") == "1",
        at=timezone.now(),
    )
    return render(request, "player/game.html", {"page": page, "here": "game", "default_theme": DEFAULT_THEME})


def _public_player(player_id: UUID) -> PlayerInfo:
    """Return a player whom anybody may see; a private one answers as one who does not exist."""
    info = accounts.player_by_uuid(player_id)
    if info is None or not seeing.sees(info, by=None):
        raise Http404
    return info
