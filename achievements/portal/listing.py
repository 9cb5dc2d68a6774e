"""A game's achievements: the table, what is done to several of them, and their order."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils.encoding import iri_to_uri
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST, require_safe

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from accounts.selectors import GameInfo
from achievements.models import State
from achievements.rules import Rarity
from achievements.selectors import definitions, editing, linting
from achievements.selectors.definitions import Definition
from achievements.services import arranging
from core import clock
from core.ids import parse_id
from core.problems import wants_json
from core.refusals import Refused

A_PAGE = 50
_LONGEST_QUERY = 2_000
_STATES = {
    State.PUBLISHED: gettext_lazy("Published"),
    State.DRAFT: gettext_lazy("Drafts"),
    State.ARCHIVED: gettext_lazy("Archived"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table, and what is shown above and below it, here or on another page; `waits` if changes wait."""

    definition: Definition
    rarity: Rarity
    above: Definition | None
    below: Definition | None
    waits: bool


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def achievements(request: HttpRequest, visit: Visit) -> HttpResponse:
    """List a game's achievements, those that fit the search and the state in the address."""
    query, state = request.GET.get("q", "").strip(), request.GET.get("state", "")
    state = state if state in State.values else ""
    everything = list(definitions.fresh_catalogue(_game(visit).id).by_key.values())
    found = [one for one in everything if _fits(one, query, state)]
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    ids = [one.id for one in page]
    rarities, waiting = definitions.rarities(ids), editing.drafts(ids)
    rows = [
        Row(one, rarities[one.id], above, below, one.id in waiting)
        for above, one, below in _with_neighbours(found, page.start_index() - 1, page.end_index())
    ]
    context = {
        "visit": visit,
        "here": "achievements",
        "rows": rows,
        "below": rows[-1].below if rows else None,
        "page": page,
        "query": query,
        "state": state,
        "chips": [("", _("All")), *_STATES.items()],
        "total": len(everything),
        "to_mend": _to_mend(_game(visit)) if everything else 0,
    }
    return render(request, "portal/achievements/list.html", context)


def _with_neighbours(
    found: Sequence[Definition], start: int, end: int
) -> Iterator[tuple[Definition | None, Definition, Definition | None]]:
    padded = [None, *found, None]
    for place in range(max(start, 0), end):
        yield padded[place], found[place], padded[place + 2]


def _to_mend(game: GameInfo) -> int:
    """Return how many findings there are that a store refuses, or that a reader or a guideline is against."""
    found = linting.findings(game, stores=linting.stores_of(game.id), at=clock.now())
    return sum(one.severity != "hint" for one in found)


def _fits(definition: Definition, query: str, state: str) -> bool:
    if state and definition.state != state:
        return False
    wanted = query.casefold()
    texts = (definition.key, definition.name, definition.description, definition.group)
    return not wanted or any(wanted in text.casefold() for text in texts)


_Done = Callable[[int], str]
_SAID: dict[str, _Done] = {
    "publish": lambda n: ngettext("%(n)s achievement is published.", "%(n)s achievements are published.", n),
    "archive": lambda n: ngettext("%(n)s achievement is archived.", "%(n)s achievements are archived.", n),
    "delete": lambda n: ngettext("%(n)s draft is deleted.", "%(n)s drafts are deleted.", n),
}


@require_POST
@studio_page(needs=Act.WRITE_DEFINITIONS)
def change_several(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Publish, archive or delete the chosen ones: all of them, or none."""
    act, keys = request.POST.get("act", ""), list(islice(request.POST.getlist("keys"), A_PAGE))
    if act not in _SAID or not keys:
        messages.error(request, _("Choose achievements in the table, then what to do with them."))
        return _back(request, visit)
    try:
        count = arranging.change_several(
            game=_game(visit), keys=keys, act=act, actor=visit.actor, at=clock.now()
        )
    except Refused as refused:
        messages.error(request, _("Nothing was changed. %(why)s") % {"why": refused.detail})
    else:
        messages.success(request, _SAID[act](count) % {"n": count})
    return _back(request, visit)


@require_POST
@studio_page(needs=Act.WRITE_DEFINITIONS)
def move(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Put an achievement beside another one: `<id> before <id>` or `<id> behind <id>`, as a button has one value.

    A script is answered in JSON with a sentence to say; whoever has none is led back, with the sentence on the page.
    """
    moved, side, beside = [*request.POST.get("to", "").split(" "), "", ""][:3]
    try:
        placed = arranging.place(
            game=_game(visit),
            achievement=parse_id(moved),
            beside=parse_id(beside),
            is_before=side == "before",
            actor=visit.actor,
            at=clock.now(),
        )
    except Refused as refused:
        if wants_json(request):
            raise
        messages.error(request, refused.detail)
        return _back(request, visit)
    said = _("%(name)s is number %(place)s of %(count)s now.") % {
        "name": placed.name,
        "place": placed.place,
        "count": placed.count,
    }
    if wants_json(request):
        return JsonResponse({"said": said})
    messages.success(request, said)
    answer = _back(request, visit)
    answer["Location"] += f"#row-{moved}"
    return answer


def _game(visit: Visit) -> GameInfo:
    assert visit.game is not None  # the address names it
    return visit.game


def _back(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Lead to the table as it was looked at."""
    answer = redirect("portal-achievements", studio=visit.studio.studio_uuid, game=_game(visit).uuid)
    seen = request.POST.get("seen", "")[:_LONGEST_QUERY]
    if seen.startswith("?"):
        answer["Location"] += iri_to_uri(seen)  # a line break would be another header
    return answer
