"""GET /search: games and players, found by a part of their name."""

from dataclasses import dataclass
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import NoReverseMatch, reverse
from django.utils.http import urlencode
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from accounts import limits
from accounts.visitors import Visitor, visitor_of
from core.client_address import counted_address
from core.pagination import decode_cursor, encode_cursor
from social.selectors import searching
from social.selectors.searching import Found

FIRST: Final = 6  # of each group while both are shown
A_PAGE: Final = 30
# Somebody who types and reads needs far fewer; an address may be that of a school.
BY_VISITOR: Final = "60/m"
BY_ADDRESS: Final = "120/m"
GROUPS: Final = {"games": "Games", "players": "Players"}
_REFUSAL = "You searched very often within a minute. Wait a moment, then search again."


@dataclass(frozen=True, slots=True)
class Result:
    """A line of a group."""

    url: str
    hit: searching.Hit


@dataclass(frozen=True, slots=True)
class Group:
    """Hits of a kind; `more` leads to those behind them, empty at the end."""

    name: str
    label: str
    results: tuple[Result, ...]
    more: str
    is_cut: bool


@require_safe
@never_cache
def search(request: HttpRequest) -> HttpResponse:
    """Show what fits `q`; with `kind` one group alone, from behind a cursor. Raises Malformed, Refused."""
    visitor = visitor_of(request)
    asked = request.GET.get("q", "").strip()
    text = searching.clean(asked)
    only, cursor = request.GET.get("kind", ""), request.GET.get("cursor", "")
    context: dict[str, Any] = {
        "here": "search",
        "default_theme": "dark",
        "query": asked[: searching.LONGEST],
        "only": only if only in GROUPS else "",
        "is_first": not cursor,
        "is_too_short": 0 < len(asked) < searching.SHORTEST,
        "shortest": searching.SHORTEST,
        "is_asked": bool(asked),
    }
    if len(text) >= searching.SHORTEST:
        _count(request, visitor)
        context["groups"] = _groups(text, context["only"], cursor, visitor)
    return render(request, "player/search.html", context)


def _count(request: HttpRequest, visitor: Visitor | None) -> None:
    """Count a search, of the address and of who is signed in. Raises Refused."""
    limits.count(
        request, group="player-search", key=counted_address(request), rate=BY_ADDRESS, refusal=_REFUSAL
    )
    if visitor is not None:
        key = f"player {visitor.player.id}"
        limits.count(request, group="player-search", key=key, rate=BY_VISITOR, refusal=_REFUSAL)


def _groups(text: str, only: str, cursor: str, visitor: Visitor | None) -> list[Group]:
    """Return the groups in which anything fits."""
    found = [_group(name, text, only, cursor, visitor) for name in GROUPS if only in ("", name)]
    return [group for group in found if group.results]


def _group(name: str, text: str, only: str, cursor: str, visitor: Visitor | None) -> Group:
    kind = f"search {name} {text}"
    after = tuple(decode_cursor(kind, cursor)) if cursor and only == name else None
    place = None if after is None else (after[0], after[1])
    limit = A_PAGE if only else FIRST
    if name == "games":
        found = searching.games(text, after=place, limit=limit)
    else:
        by = visitor.player.id if visitor else None
        found = searching.players(text, by=by, after=place, limit=limit)
    results = tuple(Result(_address(name, hit), hit) for hit in found.hits)
    return Group(name, GROUPS[name], results, _more(name, kind, text, only, found), found.is_cut)


def _more(name: str, kind: str, text: str, only: str, found: Found) -> str:
    if found.after is None:
        return ""
    query = {"q": text, "kind": name}
    return urlencode(query | {"cursor": encode_cursor(kind, list(found.after))} if only else query)


def _address(name: str, hit: searching.Hit) -> str:
    if name == "players":
        return reverse("player", args=[hit.uuid])
    try:
        return reverse("game-page", args=[hit.uuid])
    except NoReverseMatch:
        return f"{reverse('boards')}?{urlencode({'game': str(hit.uuid)})}"
