"""The list of the games that players see."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.http import urlencode
from django.views.decorators.http import require_safe

from accounts.visitors import visitor_of
from achievements.selectors import public_games
from core.pagination import decode_cursor, encode_cursor
from core.public_pages import public_page

DEFAULT_THEME = "dark"


@require_safe
@public_page(query=frozenset({"q", "cursor"}))
def games(request: HttpRequest) -> HttpResponse:
    """Show games with something published, those that the visitor has played first."""
    visitor = visitor_of(request)
    text = request.GET.get("q", "").strip()[: public_games.LONGEST_SEARCH]
    is_written = not text or text.isprintable()
    kind = f"games {visitor.player.id if visitor else ''} {text}"
    cursor = request.GET.get("cursor")
    found = public_games.page(
        player_id=visitor.player.id if visitor else None,
        text=text if is_written else "",
        after=tuple(decode_cursor(kind, cursor)) if cursor else None,
    )
    listed = found if is_written else public_games.Page()
    after = encode_cursor(kind, list(listed.after)) if listed.after else None
    asked = {name: value for name, value in (("q", text), ("cursor", after)) if value}
    context = {
        "games": listed.games,
        "mine": [one for one in listed.games if one.unlocked is not None],
        "others": [one for one in listed.games if one.unlocked is None],
        "q": text,
        "is_first": not cursor,
        "next_url": f"{reverse('games')}?{urlencode(asked)}" if after else "",
        "here": "games",
        "default_theme": DEFAULT_THEME,
    }
    return render(request, "player/games.html", context)
