"""A player's profile, and his achievements of one game, for whoever may see him."""

from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.html import escape
from django.views.decorators.http import require_safe

from accounts import selectors as accounts
from accounts.people import PRIVATE, PUBLIC, Part
from accounts.selectors import PlayerInfo
from core import clock, lettering
from core.public_pages import public_page
from social import page_content, profiles
from social.page_models import Person
from social.pages.seen import DEFAULT_THEME, is_demo, language_of, reader_id, seen_player
from social.pages.sharing import FIGURES
from social.selectors import seeing


@require_safe
@public_page(query=frozenset({"games"}), kept_s=0)
def player(request: HttpRequest, player_id: UUID) -> HttpResponse:
    """Show a player's profile; `?games=all` shows every game, and to himself `?as=friend` what friends see."""
    info, reader = seen_player(request, player_id), reader_id(request)
    as_friend = info.visibility != PUBLIC or request.GET.get("as") == "friend"
    profile = profiles.profile(
        info,
        reader_id=reader,
        parts=_parts(info, reader, as_friend=as_friend),
        language=language_of(request),
        every_game=request.GET.get("games") == "all",
        at=clock.now(),
    )
    context = {
        "profile": profile,
        "visibility": info.visibility,
        "as_friend": as_friend,
        "shared": _shared(info, profile.person) if profile.is_public else None,
        "default_theme": DEFAULT_THEME,
    }
    return render(request, "player/profile.html", context)


def _parts(info: PlayerInfo, reader: int, *, as_friend: bool) -> frozenset[Part]:
    """Return what the reader sees of a player; to himself what others do, and all of it if nobody does."""
    if info.id != reader:
        return seeing.parts_seen(info, by=reader or None)
    return seeing.parts_for(info, friend=as_friend) if info.visibility != PRIVATE else frozenset(Part)


def _shared(info: PlayerInfo, person: Person) -> dict[str, str]:
    """Return what is shared of a player elsewhere: whole addresses, and the badge as two languages embed it."""
    parts, names = seeing.parts_for(info, friend=False), {"page": "player"}
    if parts.issuperset(FIGURES):
        names |= {"card": "player-card", "badge": "player-badge"}
        names |= {"feed": "player-feed"} if Part.FEED in parts else {}
    at = {name: f"{settings.PUBLIC_URL}{reverse(view, args=[person.id])}" for name, view in names.items()}
    if "badge" not in at:
        return at
    name = " ".join(lettering.clean(person.display_name).split())
    plain = "".join(sign for sign in name if sign not in "[]()!\\`*_<>")  # as Markdown's signs
    return at | {
        "markdown": f"[![{plain} on Laurel]({at['badge']})]({at['page']})",
        "html": f'<a href="{at["page"]}"><img src="{at["badge"]}" height="28" alt="{escape(name)} on Laurel"></a>',
    }


@require_safe
@public_page(query=frozenset({"all"}), kept_s=0)
def game(request: HttpRequest, player_id: UUID, game_id: UUID) -> HttpResponse:
    """Show one game's achievements as a player stands to them; `?all=1` shows long sections whole."""
    info, about = seen_player(request, player_id, part=Part.GAMES), accounts.fresh_game(game_id)
    if about is None:
        raise Http404
    is_demo_player = is_demo(info)
    page = page_content.game_page(
        info,
        about,
        is_demo=is_demo_player,
        whole=request.GET.get("all") == "1",
        at=clock.now(),
        reader_id=info.id if is_demo_player else reader_id(request),
        language=language_of(request),
    )
    context = {"page": page, "here": "games", "default_theme": DEFAULT_THEME}
    return render(request, "player/game.html", context)
