"""The portal's pages of stats: the table, a new one, and one with what it feeds and what may be done to it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.doorway import Visit, studio_page
from accounts.roles import Act
from accounts.selectors import GameInfo
from core import clock
from core.forms import sent
from core.number_field import written
from core.refusals import Conflict, Refused
from stats.portal.forms import AGGREGATIONS, NewStatForm, StatForm, initial_of
from stats.rules.values import Rule
from stats.selectors import definitions, values
from stats.selectors.definitions import StatInfo
from stats.selectors.uses import Use, uses
from stats.services import editing

A_PAGE = 50
COUNTED_IN_LIST = 1_000  # players of a stat; each is looked at
COUNTED = 20_000
_STATES = {
    "": gettext_lazy("All"),
    "open": gettext_lazy("Taking reports"),
    "archived": gettext_lazy("Archived"),
}


@dataclass(frozen=True, slots=True)
class Shown:
    """A stat as pages show it; there are more `players` if it `counts_on`."""

    stat: StatInfo
    aggregation: str
    guards: tuple[str, ...]
    players: int
    counts_on: bool
    achievements: tuple[Use, ...]
    boards: tuple[Use, ...]


@require_safe
@studio_page(needs=Act.SEE_ANALYTICS)
def stats(request: HttpRequest, visit: Visit) -> HttpResponse:
    """List a game's stats, those that fit the search and the state in the address."""
    query, state = request.GET.get("q", "").strip(), request.GET.get("state", "")
    state = state if state in _STATES else ""
    everything = list(definitions.fresh_stats(_game(visit).id).values())
    found = [one for one in everything if _fits(one, query, state)]
    page = Paginator(found, A_PAGE).get_page(request.GET.get("page"))
    context = {
        "rows": _shown(_game(visit), list(page), most=COUNTED_IN_LIST),
        "page": page,
        "query": query,
        "state": state,
        "chips": _STATES.items(),
        "total": len(everything),
    }
    return _answer(request, "list", visit, **context)


def _fits(stat: StatInfo, query: str, state: str) -> bool:
    if state and stat.archived != (state == "archived"):
        return False
    wanted = query.casefold()
    return any(wanted in text.casefold() for text in (stat.key, stat.name))


def _shown(game: GameInfo, stats: list[StatInfo], *, most: int) -> list[Shown]:
    counts = values.players_with_values([one.id for one in stats], most=most + 1)
    feeds = uses(game.id)
    return [
        Shown(
            stat=one,
            aggregation=str(AGGREGATIONS[one.rule.aggregation][0]),
            guards=tuple(_guards(one.rule)),
            players=min(counts[one.id], most),
            counts_on=counts[one.id] > most,
            achievements=tuple(use for use in feeds.get(one.key, ()) if use.kind == "achievement"),
            boards=tuple(use for use in feeds.get(one.key, ()) if use.kind == "leaderboard"),
        )
        for one in stats
    ]


def _guards(rule: Rule) -> Iterator[str]:
    """Yield what a report must keep to."""
    low, high, by = (
        None if bound is None else written(bound, grouped=True)
        for bound in (rule.lowest, rule.highest, rule.max_delta)
    )
    if low is not None and high is not None:
        yield _("%(low)s to %(high)s") % {"low": low, "high": high}
    elif low is not None:
        yield _("%(low)s or more") % {"low": low}
    elif high is not None:
        yield _("%(high)s or less") % {"high": high}
    if by is not None:
        yield _("by %(most)s at most") % {"most": by}
    if rule.increment_only:
        yield _("only rises")


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.WRITE_DEFINITIONS)
def new_stat(request: HttpRequest, visit: Visit) -> HttpResponse:
    """Make a stat."""
    form = NewStatForm(sent(request))
    if form.is_valid():
        try:
            made = editing.create(
                game=_game(visit), values=form.cleaned_data, actor=visit.actor, at=clock.now()
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(
                request, _("%(name)s is there: it takes reports from now on.") % {"name": made.name}
            )
            return _to(visit, made)
    return _answer(request, "new", visit, form=form)


@require_http_methods(["GET", "HEAD", "POST"])
@studio_page(needs=Act.SEE_ANALYTICS)
def stat(request: HttpRequest, visit: Visit, stat: UUID) -> HttpResponse:
    """Show a stat with what it feeds, or change it."""
    if request.method == "POST":
        visit.need(Act.WRITE_DEFINITIONS)
    info = _stat(visit, stat)
    shown = _shown(_game(visit), [info], most=COUNTED)[0]
    form = StatForm(sent(request), initial=initial_of(info), is_fixed=shown.players > 0)
    if form.is_valid():
        try:
            changed = editing.change(
                game=_game(visit), key=info.key, values=form.changes, actor=visit.actor, at=clock.now()
            )
        except Refused as refused:
            form.refuse(refused)
        else:
            messages.success(request, _("The stat is saved.") if changed else _("Nothing was different."))
            return _to(visit, info)
    return _answer(request, "stat", visit, form=form, shown=shown, is_fixed=shown.players > 0)


@require_POST
@studio_page(needs=Act.WRITE_DEFINITIONS)
def archive(request: HttpRequest, visit: Visit, stat: UUID) -> HttpResponse:
    """Let a stat take no more reports, or take them again."""
    info, archived = _stat(visit, stat), request.POST.get("archived") == "true"
    editing.change(
        game=_game(visit), key=info.key, values={"archived": archived}, actor=visit.actor, at=clock.now()
    )
    said = (
        _("%(name)s is archived: reports of it are refused.")
        if archived
        else _("%(name)s takes reports again.")
    )
    messages.success(request, said % {"name": info.name})
    return _to(visit, info)


@require_POST
@studio_page(needs=Act.WRITE_DEFINITIONS)
def delete(request: HttpRequest, visit: Visit, stat: UUID) -> HttpResponse:
    """Delete a stat that nobody has a value of."""
    info = _stat(visit, stat)
    try:
        editing.delete(game=_game(visit), key=info.key, actor=visit.actor, at=clock.now())
    except Conflict:
        messages.error(
            request, _("Nothing was deleted: players have values of this stat by now. Archive it.")
        )
        return _to(visit, info)
    messages.success(request, _("%(name)s is deleted.") % {"name": info.name})
    return redirect("portal-stats", studio=visit.studio.studio_uuid, game=_game(visit).uuid)


def _answer(request: HttpRequest, page: str, visit: Visit, /, **context: Any) -> HttpResponse:
    form = context.get("form")
    return render(
        request,
        f"portal/stats/{page}.html",
        {"visit": visit, "here": "stats", **context},
        status=422 if form is not None and form.errors else 200,
    )


def _to(visit: Visit, info: StatInfo) -> HttpResponse:
    return redirect("portal-stat", studio=visit.studio.studio_uuid, game=_game(visit).uuid, stat=info.uuid)


def _stat(visit: Visit, uuid: UUID) -> StatInfo:
    listed = definitions.fresh_stats(_game(visit).id).values()
    found = next((one for one in listed if one.uuid == uuid), None)
    if found is None:
        raise Http404
    return found


def _game(visit: Visit) -> GameInfo:
    assert visit.game is not None  # the address names it
    return visit.game
