"""Players are found by any id or a part of a name; without either the page shows who unlocked last."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from accounts import finding
from accounts.doorway import Visit, studio_page
from accounts.finding import MOST_BY_ID, MOST_BY_NAME
from accounts.roles import Act
from accounts.selectors import GameInfo
from achievements.selectors import persons
from care.selectors import profile
from care.selectors.profile import MOST_FOUND
from core.ids import parse_id
from core.pagination import decode_cursor, encode_cursor

LONGEST = 128


@require_safe
@studio_page(needs=Act.SEE_PLAYERS)
def players(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Show who fits a search, or who unlocked last in a game or in all of them."""
    query = request.GET.get("q", "")[: LONGEST + 1]
    game = _game(request, visit)
    context = {
        "visit": visit,
        "here": "players",
        "query": query,
        "game": game,
        **(_fitting(request, visit, query) if query.strip() else _latest(visit, game)),
    }
    return render(request, "portal/players/list.html", context)


def _game(request: HttpRequest, visit: Visit) -> GameInfo | None:
    """Return the game that the list is about; what is none of the studio's means all of them."""
    uuid = parse_id(request.GET.get("game", ""))
    return next((one for one in visit.games if one.uuid == uuid), None)


def _fitting(request: HttpRequest, visit: Visit, query: str) -> dict[str, object]:
    kind, cursor = f"players {visit.studio.studio_id} {query}", request.GET.get("cursor")
    before = decode_cursor(kind, cursor)[0] if cursor else None
    found = finding.find(visit.studio.studio_id, query, before_id=before, limit=MOST_FOUND + 1)
    shown = found.player_ids[:MOST_FOUND]
    more = len(found.player_ids) > MOST_FOUND
    return {
        "lines": profile.found(visit.studio.studio_id, shown),
        "older": encode_cursor(kind, [shown[-1]]) if more else "",
        "is_later": before is not None,
        "is_cut": found.is_cut,
        "most_by_id": MOST_BY_ID,
        "most_by_name": MOST_BY_NAME,
    }


def _latest(visit: Visit, game: GameInfo | None) -> dict[str, object]:
    games = [game] if game else list(visit.games)
    ids = persons.latest([one.id for one in games], limit=MOST_FOUND)
    return {"lines": profile.found(visit.studio.studio_id, ids)}
