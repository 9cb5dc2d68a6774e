"""A player's own page, live, and his year in review; the demo player's page is the same one."""

from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from accounts import player_accounts
from accounts import selectors as accounts
from accounts.people import PUBLIC
from accounts.selectors import PlayerInfo
from accounts.visitors import Visitor, visitors_page
from core import clock
from core.spoken import NAMELESS
from history import yearbook
from history.selectors import recaps
from history.selectors.home import DEFAULT_SPAN, SPANS, home_of
from history.selectors.showing import Audience
from social.live_pages import Listening
from social.page_models import Person
from social.trying import try_it

# The players' site is dark until a reader chooses otherwise.
DEFAULT_THEME = "dark"


@require_safe
@visitors_page
def my_page(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Show what a player is close to, and what changed."""
    return _page(request, visitor.player, session="my-session", home="my-page", fragment="my-fragment")


@require_safe
@visitors_page
def my_fragment(request: HttpRequest, visitor: Visitor) -> HttpResponse:
    """Return the parts of a player's own page that change with an unlock."""
    return render(request, "player/me_fragment.html", _context(request, visitor.player))


@require_safe
@cache_control(private=True, no_cache=True)
def demo(request: HttpRequest) -> HttpResponse:
    """Show the demo player's own page, live."""
    return _page(request, _demo_player(), session="demo-session", home="demo", fragment="demo-fragment")


@require_safe
@cache_control(private=True, no_store=True)
def demo_fragment(request: HttpRequest) -> HttpResponse:
    """Return the parts of the demo player's page that change with an unlock."""
    return render(request, "player/me_fragment.html", _context(request, _demo_player(), is_demo=True))


@require_safe
@visitors_page
def recap(request: HttpRequest, visitor: Visitor, year: int) -> HttpResponse:
    """Show a player's year beside the year before."""
    now, player = clock.now(), visitor.player
    latest = recaps.latest_year(player, at=now)
    if not recaps.FIRST_YEAR <= year <= latest:
        raise Http404
    language = player.language or None
    found = recaps.recap(player=player, audience=Audience(), year=year, language=language, at=now)
    shown = yearbook.yearbook(found, following=year + 1 if year < latest else None)
    context = {
        "year": shown,
        "may_share": player.visibility == PUBLIC,  # else there is no card
        "here": "home",
        "default_theme": DEFAULT_THEME,
    }
    return render(request, "player/recap.html", context)


def _page(request: HttpRequest, info: PlayerInfo, *, session: str, home: str, fragment: str) -> HttpResponse:
    listening = Listening(request, info.id, info.uuid, session, home)
    _ = listening.glance  # before the page is read, so that nothing falls between the two
    context = _context(request, info, is_demo=home == "demo")
    context |= {
        "here": "home",
        "default_theme": DEFAULT_THEME,
        "listening": listening,
        "fragment": f"{reverse(fragment)}?{request.GET.urlencode()}",
    }
    return render(request, "player/me.html", context)


def _context(request: HttpRequest, info: PlayerInfo, *, is_demo: bool = False) -> dict[str, Any]:
    now, span = clock.now(), request.GET.get("span", "")
    found = home_of(
        info,
        span=span if span in SPANS else DEFAULT_SPAN,
        every_game=request.GET.get("games") == "all",
        at=now,
    )
    name = info.display_name or info.external_id or NAMELESS
    person = Person(info.uuid, name, info.region, info.avatar_url, is_demo)
    return {
        "page": {
            "person": person,
            "home": found,
            "art_seed": str(found.latest_game.game_id if found.latest_game else info.uuid),
            "try_it": try_it(info, at=now) if is_demo else None,
            "year": recaps.latest_year(info, at=now),
            "is_linked": bool(found.game_count or player_accounts.linked_ids(info.id)),
        }
    }


def _demo_player() -> PlayerInfo:
    info = accounts.demo_player() if settings.DEMO else None
    if info is None:
        raise Http404
    return info
